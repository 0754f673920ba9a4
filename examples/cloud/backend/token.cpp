// SPDX-License-Identifier: Apache-2.0
#include "token.hpp"

#include <utility>

namespace cloud {
namespace {

constexpr CK_MECHANISM_TYPE kMechanismHkdfDerive = 0x402A;  // PKCS#11 3.0, absent from 2.40 headers
constexpr CK_MECHANISM_TYPE kMechanismAesCmac = 0x108A;
const char* const kPrekeyLabel = "wayseal-prekey";

void need_capacity(const std::vector<CK_OBJECT_HANDLE>& found, const std::string& what) {
  if (found.empty()) throw std::runtime_error("the token has no " + what);
  if (found.size() > 1) throw std::runtime_error("the token has more than one " + what);
}

CK_GCM_PARAMS gcm_params(const Blob& nonce, const Blob& aad) {
  CK_GCM_PARAMS params{};
  params.pIv = const_cast<unsigned char*>(octets(nonce));
  params.ulIvLen = static_cast<CK_ULONG>(nonce.size());
  params.ulIvBits = static_cast<CK_ULONG>(nonce.size() * 8);
  params.pAAD = const_cast<unsigned char*>(octets(aad));
  params.ulAADLen = static_cast<CK_ULONG>(aad.size());
  params.ulTagBits = 128;
  return params;
}

}  // namespace

Token::Token(const std::string& module_path, const std::string& module_args, const std::string& label, Blob pin)
    : label_(label), pin_(std::move(pin)), module_(std::make_unique<Module>(module_path, module_args)) {
  login();
  suites_ = probe_suites();
  if (suites_ == 0) throw std::runtime_error("the token can derive the keys of no suite");
}

Token::~Token() {
  close();
  wipe(pin_);
}

void Token::login() {
  if (denied_) throw std::runtime_error("the token has refused the PIN before");
  slot_ = module_->find_token(label_);
  for (CK_SESSION_HANDLE* session : {&keys_, &sign_, &crypt_}) {
    check((*module_)->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, session),
          "C_OpenSession");
  }
  const CK_RV code = (*module_)->C_Login(keys_, CKU_USER, octets(pin_), static_cast<CK_ULONG>(pin_.size()));
  if (code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE ||
      code == CKR_PIN_EXPIRED || code == CKR_PIN_LOCKED) {
    denied_ = true;
    wipe(pin_);
    close();
    throw std::runtime_error("the token refused the PIN; it is not tried again, so that nothing gets locked");
  }
  if (code != CKR_USER_ALREADY_LOGGED_IN) check(code, "C_Login");
}

void Token::close() {
  for (CK_SESSION_HANDLE* session : {&keys_, &sign_, &crypt_}) {
    if (*session != 0) static_cast<void>((*module_)->C_CloseSession(*session));
    *session = 0;
  }
}

void Token::reopen() {
  close();
  login();
}

uint32_t Token::probe_suites() {
  const auto has = [this](CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO info{};
    return (*module_)->C_GetMechanismInfo(slot_, type, &info) == CKR_OK;
  };
  if (!has(CKM_ECDH1_DERIVE) || !has(CKM_AES_GCM)) return 0;
  uint32_t suites = 0;
  if (has(kMechanismHkdfDerive)) suites |= 1;
  // Without the PRF the derivation would be refused, by then with a session at stake.
  native_cmac_ = has(Token::kMechanismCounterKdf) && has(kMechanismAesCmac);
  if (native_cmac_ || (has(CKM_AES_ECB_ENCRYPT_DATA) && has(CKM_AES_CBC_ENCRYPT_DATA))) suites |= 2;
  return suites;
}

Blob Token::random(size_t size) {
  Blob out(size, '\0');
  check((*module_)->C_GenerateRandom(crypt_, octets(out), static_cast<CK_ULONG>(size)), "C_GenerateRandom");
  return out;
}

Blob Token::certificate(const std::string& label) {
  Template pattern;
  pattern.number(CKA_CLASS, CKO_CERTIFICATE).bytes(CKA_LABEL, label);
  const auto found = find_objects(*module_, keys_, pattern);
  need_capacity(found, "certificate '" + label + "'");
  return read_attribute(*module_, keys_, found[0], CKA_VALUE);
}

Identity Token::identity(const std::string& name) {
  Template pattern;
  pattern.number(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_LABEL, name);
  const auto found = find_objects(*module_, sign_, pattern);
  need_capacity(found, "private key '" + name + "'");
  return {found[0], certificate(name), certificate(name + "-intermediate")};
}

Blob Token::sign(const Identity& identity, std::string_view digest) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  Blob input(digest);
  Blob signature(64, '\0');
  auto size = static_cast<CK_ULONG>(signature.size());
  check((*module_)->C_SignInit(sign_, &mechanism, identity.key), "C_SignInit");
  check((*module_)->C_Sign(sign_, octets(input), static_cast<CK_ULONG>(input.size()), octets(signature), &size),
        "C_Sign");
  if (size != 64) throw std::runtime_error("the token made a signature of an unexpected size");
  return signature;
}

Blob Token::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  return read_attribute(*module_, keys_, object, type);
}

Blob Token::make_prekey(uint64_t id) {
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  Template public_form;
  public_form.flag(CKA_TOKEN, CK_FALSE).bytes(CKA_EC_PARAMS, kP256Params).flag(CKA_VERIFY, CK_FALSE);
  Template private_form;
  private_form.flag(CKA_TOKEN, CK_TRUE)
      .flag(CKA_PRIVATE, CK_TRUE)
      .flag(CKA_SENSITIVE, CK_TRUE)
      .flag(CKA_EXTRACTABLE, CK_FALSE)
      .flag(CKA_DERIVE, CK_TRUE)
      .flag(CKA_SIGN, CK_FALSE)
      .flag(CKA_DECRYPT, CK_FALSE)
      .flag(CKA_UNWRAP, CK_FALSE)
      .bytes(CKA_LABEL, kPrekeyLabel)
      .bytes(CKA_ID, be64(id));
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  check((*module_)->C_GenerateKeyPair(keys_, &mechanism, public_form.data(), public_form.size(),
                                      private_form.data(), private_form.size(), &public_key, &private_key),
        "C_GenerateKeyPair");
  Blob point = point_of(read_attribute(*module_, keys_, public_key, CKA_EC_POINT));
  static_cast<void>((*module_)->C_DestroyObject(keys_, public_key));
  return point;
}

CK_OBJECT_HANDLE Token::find_prekey(uint64_t id) {
  Template pattern;
  pattern.number(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_LABEL, kPrekeyLabel).bytes(CKA_ID, be64(id));
  const auto found = find_objects(*module_, keys_, pattern);
  return found.empty() ? CK_INVALID_HANDLE : found[0];
}

void Token::destroy_prekey(uint64_t id) {
  const CK_OBJECT_HANDLE key = find_prekey(id);
  if (key != CK_INVALID_HANDLE) check((*module_)->C_DestroyObject(keys_, key), "C_DestroyObject");
}

void Token::destroy(const SessionKeys& keys) {
  for (const CK_OBJECT_HANDLE key : {keys.open, keys.seal}) {
    if (key != CK_INVALID_HANDLE) static_cast<void>((*module_)->C_DestroyObject(keys_, key));
  }
}

std::optional<Blob> Token::open(const SessionKeys& keys, std::string_view nonce, std::string_view aad,
                                std::string_view ciphertext) {
  if (ciphertext.size() < 16) return std::nullopt;
  const Blob iv(nonce);
  const Blob header(aad);
  CK_GCM_PARAMS params = gcm_params(iv, header);
  CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
  check((*module_)->C_DecryptInit(crypt_, &mechanism, keys.open), "C_DecryptInit");
  Blob input(ciphertext);
  Blob plaintext(input.size(), '\0');
  auto size = static_cast<CK_ULONG>(plaintext.size());
  const CK_RV code = (*module_)->C_Decrypt(crypt_, octets(input), static_cast<CK_ULONG>(input.size()),
                                           octets(plaintext), &size);
  // Tokens do not agree on the code of a wrong tag: SoftHSM2 says CKR_GENERAL_ERROR.
  if (code == CKR_GENERAL_ERROR || code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE ||
      code == CKR_DATA_INVALID || code == CKR_FUNCTION_FAILED || code == CKR_SIGNATURE_INVALID) {
    return std::nullopt;
  }
  check(code, "C_Decrypt");
  plaintext.resize(size);
  return plaintext;
}

Blob Token::seal(const SessionKeys& keys, std::string_view nonce, std::string_view aad,
                 std::string_view plaintext) {
  const Blob iv(nonce);
  const Blob header(aad);
  CK_GCM_PARAMS params = gcm_params(iv, header);
  CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
  check((*module_)->C_EncryptInit(crypt_, &mechanism, keys.seal), "C_EncryptInit");
  Blob input(plaintext);
  Blob out(input.size() + 16, '\0');
  auto size = static_cast<CK_ULONG>(out.size());
  check((*module_)->C_Encrypt(crypt_, octets(input), static_cast<CK_ULONG>(input.size()), octets(out), &size),
        "C_Encrypt");
  out.resize(size);
  return out;
}

}  // namespace cloud
