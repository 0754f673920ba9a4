// SPDX-License-Identifier: Apache-2.0
#include "wayseal/pkcs11_tools/provisioning.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "attributes.hpp"
#include "session_keys.hpp"
#include "wayseal/pkcs11_tools/der.hpp"

namespace wayseal {
namespace {

using pkcs11::Attributes;

constexpr CK_CERTIFICATE_TYPE kX509 = CKC_X_509;
constexpr size_t kTokenLabelSize = 32;

std::string message(const std::string& what, CK_RV rv) {
  if (rv == CKR_OK) return what;
  char code[32];
  std::snprintf(code, sizeof code, ": CK_RV 0x%lx", rv);
  return what + code;
}

void must(CK_RV rv, const std::string& what) {
  if (rv != CKR_OK) throw TokenError(what, rv);
}

struct Pin {
  explicit Pin(PinSource& source) {
    const Result<size_t> result = source.read(MutableBytes{data});
    if (!result.ok()) throw TokenError("no PIN could be read", CKR_OK);
    size = static_cast<CK_ULONG>(result.value());
  }
  ~Pin() { wipe(MutableBytes{data}); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  uint8_t data[kPinMax];
  CK_ULONG size = 0;
};

std::string token_label(const CK_TOKEN_INFO& info) {
  std::string label(reinterpret_cast<const char*>(info.label), kTokenLabelSize);
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

struct FoundToken {
  CK_SLOT_ID slot;
  CK_TOKEN_INFO info;
};

std::vector<FoundToken> tokens(Pkcs11Module& module) {
  if (module.initialize() != Status::kOk) throw TokenError("C_Initialize", module.diagnostic());
  CK_ULONG count = 0;
  must(module.functions()->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  must(module.functions()->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  std::vector<FoundToken> found;
  for (const CK_SLOT_ID slot : slots) {
    FoundToken token = {slot, {}};
    if (module.functions()->C_GetTokenInfo(slot, &token.info) == CKR_OK) found.push_back(token);
  }
  return found;
}

bool find_token(Pkcs11Module& module, const std::string& label, FoundToken& found) {
  for (const FoundToken& token : tokens(module)) {
    if ((token.info.flags & CKF_TOKEN_INITIALIZED) == 0 || token_label(token.info) != label) continue;
    found = token;
    return true;
  }
  return false;
}

CK_SLOT_ID uninitialized_slot(Pkcs11Module& module) {
  for (const FoundToken& token : tokens(module)) {
    if ((token.info.flags & CKF_TOKEN_INITIALIZED) == 0) return token.slot;
  }
  throw TokenError("no slot has an uninitialised token", CKR_OK);
}

// Closes what it has opened.
struct Session {
  Session(const CK_FUNCTION_LIST* list, CK_SLOT_ID slot) : functions(list) {
    must(functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle),
         "C_OpenSession");
  }
  ~Session() {
    if (handle != 0) functions->C_CloseSession(handle);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  CK_SESSION_HANDLE release() {
    const CK_SESSION_HANDLE released = handle;
    handle = 0;
    return released;
  }
  const CK_FUNCTION_LIST* functions;
  CK_SESSION_HANDLE handle = 0;
};

bool flag(const std::vector<uint8_t>& value) { return !value.empty() && value[0] == CK_TRUE; }

}  // namespace

TokenError::TokenError(const std::string& what, CK_RV rv) : std::runtime_error(message(what, rv)), rv_(rv) {}

bool token_exists(Pkcs11Module& module, const std::string& label) {
  FoundToken found = {};
  return find_token(module, label, found);
}

void initialize_token(Pkcs11Module& module, const std::string& label, PinSource& so_pin, PinSource& user_pin) {
  if (label.empty() || label.size() > kTokenLabelSize)
    throw TokenError("a token label has 1 to 32 characters", CKR_OK);
  if (token_exists(module, label)) throw TokenError("token '" + label + "' exists already", CKR_OK);
  const CK_FUNCTION_LIST* functions = module.functions();
  std::string padded = label;
  padded.resize(kTokenLabelSize, ' ');
  Pin so(so_pin);
  must(functions->C_InitToken(uninitialized_slot(module), so.data, so.size, pkcs11::bytes_of(padded.data())),
       "C_InitToken '" + label + "'");
  // The token may have moved to another slot.
  FoundToken token = {};
  if (!find_token(module, label, token))
    throw TokenError("token '" + label + "' is gone after C_InitToken", CKR_OK);
  Session session(functions, token.slot);
  must(functions->C_Login(session.handle, CKU_SO, so.data, so.size), "C_Login as security officer");
  Pin user(user_pin);
  must(functions->C_InitPIN(session.handle, user.data, user.size), "C_InitPIN");
  functions->C_Logout(session.handle);
}

ProvisioningToken::ProvisioningToken(Pkcs11Module& module, const std::string& token_label, PinSource& pin)
    : functions_(nullptr) {
  FoundToken token = {};
  if (!find_token(module, token_label, token)) throw TokenError("no token '" + token_label + "'", CKR_OK);
  if ((token.info.flags & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY)) != 0) {
    throw TokenError("the PIN of token '" + token_label + "' is locked or has one try left", CKR_PIN_LOCKED);
  }
  functions_ = module.functions();
  Session session(functions_, token.slot);
  if ((token.info.flags & CKF_LOGIN_REQUIRED) != 0) {
    Pin user(pin);
    const CK_RV rv = functions_->C_Login(session.handle, CKU_USER, user.data, user.size);
    if (rv != CKR_USER_ALREADY_LOGGED_IN) must(rv, "C_Login to token '" + token_label + "'");
  }
  session_ = session.release();
}

ProvisioningToken::~ProvisioningToken() { functions_->C_CloseSession(session_); }

std::vector<CK_OBJECT_HANDLE> ProvisioningToken::find(CK_OBJECT_CLASS type, const std::string& label) const {
  Attributes wanted;
  wanted.add(CKA_CLASS, type).set(CKA_TOKEN);
  if (!label.empty()) wanted.text(CKA_LABEL, label.c_str());
  must(functions_->C_FindObjectsInit(session_, wanted.list(), wanted.count()), "C_FindObjectsInit");
  std::vector<CK_OBJECT_HANDLE> found;
  CK_ULONG count = 0;
  do {
    CK_OBJECT_HANDLE some[16];
    if (functions_->C_FindObjects(session_, some, 16, &count) != CKR_OK) break;
    found.insert(found.end(), some, some + count);
  } while (count != 0);
  functions_->C_FindObjectsFinal(session_);
  return found;
}

CK_OBJECT_HANDLE ProvisioningToken::find_one(CK_OBJECT_CLASS type, const std::string& label) const {
  const std::vector<CK_OBJECT_HANDLE> found = find(type, label);
  if (found.size() == 1) return found[0];
  throw TokenError((found.empty() ? "no object '" : "more than one object '") + label + "'", CKR_OK);
}

std::vector<uint8_t> ProvisioningToken::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE attribute = {type, nullptr, 0};
  must(functions_->C_GetAttributeValue(session_, object, &attribute, 1), "C_GetAttributeValue");
  std::vector<uint8_t> value(attribute.ulValueLen);
  attribute.pValue = value.data();
  must(functions_->C_GetAttributeValue(session_, object, &attribute, 1), "C_GetAttributeValue");
  return value;
}

EcPoint ProvisioningToken::generate_identity(const std::string& label, const TokenId& id, IdentityUse use) {
  if (label.empty()) throw TokenError("a key needs a label", CKR_OK);
  if (has_private_key(label)) throw TokenError("private key '" + label + "' exists already", CKR_OK);
  const bool signs = use == IdentityUse::kSign;
  Attributes public_part;
  public_part.set(CKA_TOKEN).text(CKA_LABEL, label.c_str()).add(CKA_ID, id.data(), id.size());
  public_part.add(CKA_EC_PARAMS, pkcs11::kP256Oid).add(CKA_VERIFY, signs ? pkcs11::kTrue : pkcs11::kFalse);
  public_part.clear(CKA_ENCRYPT).clear(CKA_WRAP);
  Attributes private_part;
  private_part.set(CKA_TOKEN).set(CKA_PRIVATE).set(CKA_SENSITIVE).clear(CKA_EXTRACTABLE);
  private_part.text(CKA_LABEL, label.c_str()).add(CKA_ID, id.data(), id.size());
  private_part.add(CKA_SIGN, signs ? pkcs11::kTrue : pkcs11::kFalse);
  private_part.add(CKA_DERIVE, signs ? pkcs11::kFalse : pkcs11::kTrue);
  private_part.clear(CKA_SIGN_RECOVER).clear(CKA_DECRYPT).clear(CKA_UNWRAP);
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  must(functions_->C_GenerateKeyPair(session_, &mechanism, public_part.list(), public_part.count(),
                                     private_part.list(), private_part.count(), &public_key, &private_key),
       "C_GenerateKeyPair '" + label + "'");
  EcPoint point;
  must(pkcs11::read_point({functions_, session_}, public_key, point), "reading the public key '" + label + "'");
  return point;
}

bool ProvisioningToken::has_private_key(const std::string& label) const {
  return !find(CKO_PRIVATE_KEY, label).empty();
}

EcPoint ProvisioningToken::public_key(const std::string& label) const {
  EcPoint point;
  must(pkcs11::read_point({functions_, session_}, find_one(CKO_PUBLIC_KEY, label), point),
       "reading the public key '" + label + "'");
  return point;
}

std::vector<uint8_t> ProvisioningToken::public_key_spki(const std::string& label) const {
  return pkcs11_tools::encode_spki(public_key(label));
}

EcSignature ProvisioningToken::sign_digest(const std::string& label, const Digest& digest) const {
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  must(functions_->C_SignInit(session_, &mechanism, find_one(CKO_PRIVATE_KEY, label)),
       "C_SignInit '" + label + "'");
  EcSignature signature;
  CK_ULONG size = EcSignature::kSize;
  must(functions_->C_Sign(session_, pkcs11::bytes_of(digest.data), Digest::kSize, signature.data, &size),
       "C_Sign '" + label + "'");
  if (size != EcSignature::kSize) throw TokenError("C_Sign gave a signature of another size", CKR_OK);
  return signature;
}

std::vector<uint8_t> ProvisioningToken::sign_digest_der(const std::string& label, const Digest& digest) const {
  return pkcs11_tools::encode_signature(sign_digest(label, digest));
}

void ProvisioningToken::write_certificate(const std::string& label, const TokenId& id, Bytes der) {
  if (label.empty()) throw TokenError("a certificate needs a label", CKR_OK);
  if (has_certificate(label)) throw TokenError("certificate '" + label + "' exists already", CKR_OK);
  const pkcs11_tools::CertificateFields fields = pkcs11_tools::parse_certificate(der);
  static constexpr CK_OBJECT_CLASS kCertificateClass = CKO_CERTIFICATE;
  Attributes attributes;
  attributes.add(CKA_CLASS, kCertificateClass)
      .add(CKA_CERTIFICATE_TYPE, kX509)
      .set(CKA_TOKEN)
      .clear(CKA_PRIVATE);
  attributes.clear(CKA_MODIFIABLE).text(CKA_LABEL, label.c_str()).add(CKA_ID, id.data(), id.size());
  attributes.add(CKA_SUBJECT, fields.subject.data(), fields.subject.size());
  attributes.add(CKA_ISSUER, fields.issuer.data(), fields.issuer.size());
  attributes.add(CKA_SERIAL_NUMBER, fields.serial_number.data(), fields.serial_number.size());
  attributes.add(CKA_VALUE, der.data(), der.size());
  CK_OBJECT_HANDLE object = 0;
  must(functions_->C_CreateObject(session_, attributes.list(), attributes.count(), &object),
       "C_CreateObject of certificate '" + label + "'");
}

std::vector<uint8_t> ProvisioningToken::read_certificate(const std::string& label) const {
  return attribute(find_one(CKO_CERTIFICATE, label), CKA_VALUE);
}

bool ProvisioningToken::has_certificate(const std::string& label) const {
  return !find(CKO_CERTIFICATE, label).empty();
}

bool ProvisioningToken::remove_certificate(const std::string& label) {
  const std::vector<CK_OBJECT_HANDLE> found = find(CKO_CERTIFICATE, label);
  for (const CK_OBJECT_HANDLE object : found) {
    must(functions_->C_DestroyObject(session_, object), "C_DestroyObject of certificate '" + label + "'");
  }
  return !found.empty();
}

std::vector<TokenObjectInfo> ProvisioningToken::list() const {
  using Kind = TokenObjectInfo::Kind;
  static constexpr std::tuple<CK_OBJECT_CLASS, Kind> kKinds[] = {{CKO_PRIVATE_KEY, Kind::kPrivateKey},
                                                                 {CKO_PUBLIC_KEY, Kind::kPublicKey},
                                                                 {CKO_CERTIFICATE, Kind::kCertificate}};
  std::vector<TokenObjectInfo> all;
  for (const auto& [type, kind] : kKinds) {
    for (const CK_OBJECT_HANDLE object : find(type, "")) {
      TokenObjectInfo info;
      info.kind = kind;
      const std::vector<uint8_t> label = attribute(object, CKA_LABEL);
      info.label.assign(label.begin(), label.end());
      info.id = attribute(object, CKA_ID);
      if (kind == Kind::kCertificate) info.size_bytes = attribute(object, CKA_VALUE).size();
      if (kind == Kind::kPrivateKey) {
        info.sensitive = flag(attribute(object, CKA_SENSITIVE));
        info.extractable = flag(attribute(object, CKA_EXTRACTABLE));
      }
      all.push_back(info);
    }
  }
  std::sort(all.begin(), all.end(), [](const TokenObjectInfo& a, const TokenObjectInfo& b) {
    return std::tie(a.kind, a.label) < std::tie(b.kind, b.label);
  });
  return all;
}

}  // namespace wayseal
