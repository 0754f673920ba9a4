// SPDX-License-Identifier: Apache-2.0
// In what SoftHSM2 2.6 and NSS softoken differ from the standard or from each other, and what the vault makes of it.
//
// | difference                                        | shown here by a test whose name has | what the vault does, and its test |
// |---------------------------------------------------|------------------------|------------------------------------------------|
// | NSS: the size query of GCM leaves out the tag     | "size query"           | never asks: "what the vault seals, the backend opens" |
// | NSS: no multi-part GCM; busy after the refusal    | "multi-part"           | one-part calls; a busy session is a lost token: "every native error that means loss" |
// | NSS wraps keys that are not extractable           | "wrapped"              | nothing is claimed against who holds the logged-in token |
// | SoftHSM2: a wrong tag is CKR_GENERAL_ERROR        | "wrong tag"            | kNotAuthentic, and the token is not lost |
// | SoftHSM2: one operation a session                 | "one operation"        | two sessions, for signing and for sealing |
// | session objects die with their session            | "die with"             | "after opening the token again, old session keys are gone" |
// | SoftHSM2: CK_GCM_PARAMS only with ulIvBits        | "ulIvBits"             | that form |
// | encrypting a ciphertext under its IV decrypts     | "decrypts"             | a nonce is used once: "no nonce seals twice" |
// | an ephemeral can be derived to a readable Z       | "readable"             | ephemeral and Z are gone before the first seal, seen here |
// | SoftHSM2: no HKDF, no SP 800-108; NSS: no AES_ECB_ENCRYPT_DATA | "ways to derive" | probed at open, each suite by the way that works |
// | SoftHSM2: ECDH with CKD_NULL only                 | "CKD_NULL"             | CKD_NULL |
// | a forked child inherits session and counters      | in pkcs11_vault_test   | "a forked child can do nothing with its parent's keys" |
#include <catch2/catch_template_test_macros.hpp>

#include "contract/key_vault/rigs.hpp"

namespace wayseal::test {
namespace {

constexpr CK_ULONG kNullKdf = CKD_NULL;
constexpr CK_ULONG kSha256Kdf = 6;  // CKD_SHA256_KDF
constexpr uint8_t kP256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};

template <typename T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}

/// A session of the library itself, beside those of the vault, which has logged in.
class RawSession {
 public:
  explicit RawSession(TokenRig& rig) : functions_(rig.fixture().module().functions()) {
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;
    REQUIRE(functions_->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK);
    const std::string label = rig.fixture().token_label();
    for (CK_ULONG i = 0; i < count && handle_ == 0; ++i) {
      CK_TOKEN_INFO info = {};
      functions_->C_GetTokenInfo(slots[i], &info);
      if (std::memcmp(info.label, label.data(), label.size()) != 0) continue;
      REQUIRE(functions_->C_OpenSession(slots[i], CKF_SERIAL_SESSION, nullptr, nullptr, &handle_) == CKR_OK);
    }
    REQUIRE(handle_ != 0);
  }
  ~RawSession() { close(); }
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;

  void close() {
    if (handle_ != 0) functions_->C_CloseSession(handle_);
    handle_ = 0;
  }
  const CK_FUNCTION_LIST* operator->() const { return functions_; }
  CK_SESSION_HANDLE handle() const { return handle_; }

  /// An AES key as the vault's: sensitive, not extractable, good for one thing.
  CK_OBJECT_HANDLE make_aes(CK_ATTRIBUTE_TYPE use) const {
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ULONG size = 32;
    std::vector<CK_ATTRIBUTE> wanted = {attribute(CKA_TOKEN, no), attribute(CKA_SENSITIVE, yes),
                                        attribute(CKA_EXTRACTABLE, no), attribute(CKA_VALUE_LEN, size)};
    for (const CK_ATTRIBUTE_TYPE one : {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY}) {
      wanted.push_back(attribute(one, one == use ? yes : no));
    }
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    REQUIRE(functions_->C_GenerateKey(handle_, &mechanism, wanted.data(), wanted.size(), &key) == CKR_OK);
    return key;
  }

  /// Begins AES-GCM under an IV of zeros.
  CK_RV gcm_init(CK_OBJECT_HANDLE key) const {
    Nonce iv;
    CK_GCM_PARAMS params = {};
    params.pIv = iv.data;
    params.ulIvLen = Nonce::kSize;
    params.ulIvBits = 8 * Nonce::kSize;
    params.ulTagBits = 128;
    CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};
    return functions_->C_EncryptInit(handle_, &mechanism, key);
  }

  CK_RV encrypt(CK_OBJECT_HANDLE key, std::vector<uint8_t> in, std::vector<uint8_t>& out) const {
    out.assign(in.size() + 16, 0);
    CK_ULONG size = out.size();
    const CK_RV rv = gcm_init(key);
    return rv == CKR_OK ? functions_->C_Encrypt(handle_, in.data(), in.size(), out.data(), &size) : rv;
  }

  size_t count(CK_OBJECT_CLASS type, CK_ATTRIBUTE_TYPE use) const {
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE wanted[] = {attribute(CKA_CLASS, type), attribute(CKA_TOKEN, no), attribute(use, yes)};
    CK_OBJECT_HANDLE found[100];
    CK_ULONG count = 0;
    REQUIRE(functions_->C_FindObjectsInit(handle_, wanted, 3) == CKR_OK);
    REQUIRE(functions_->C_FindObjects(handle_, found, 100, &count) == CKR_OK);
    functions_->C_FindObjectsFinal(handle_);
    return count;
  }

 private:
  const CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE handle_ = 0;
};

/// An ephemeral as the vault's: sensitive, not extractable, derives and nothing else.
CK_OBJECT_HANDLE make_ephemeral(const RawSession& raw) {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE public_part[] = {attribute(CKA_TOKEN, no),
                                {CKA_EC_PARAMS, const_cast<uint8_t*>(kP256), sizeof kP256}};
  CK_ATTRIBUTE private_part[] = {attribute(CKA_TOKEN, no), attribute(CKA_SENSITIVE, yes),
                                 attribute(CKA_EXTRACTABLE, no), attribute(CKA_DERIVE, yes)};
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE key = 0;
  REQUIRE(raw->C_GenerateKeyPair(raw.handle(), &mechanism, public_part, 2, private_part, 4, &public_key,
                                 &key) == CKR_OK);
  return key;
}

/// Derives Z as an object that anybody may read.
CK_RV derive_readable(const RawSession& raw, CK_ULONG kdf, CK_OBJECT_HANDLE& z) {
  const Peer peer;
  CK_ECDH1_DERIVE_PARAMS params = {};
  params.kdf = kdf;
  params.pPublicData = const_cast<uint8_t*>(peer.point.data);
  params.ulPublicDataLen = EcPoint::kSize;
  CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
  CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
  CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG size = 32;
  CK_ATTRIBUTE form[] = {attribute(CKA_CLASS, secret),    attribute(CKA_KEY_TYPE, generic),
                         attribute(CKA_TOKEN, no),        attribute(CKA_SENSITIVE, no),
                         attribute(CKA_EXTRACTABLE, yes), attribute(CKA_VALUE_LEN, size)};
  return raw->C_DeriveKey(raw.handle(), &mechanism, make_ephemeral(raw), form, 6, &z);
}

}  // namespace

TEST_CASE("the ways to derive: SoftHSM2 puts suite 2 together, NSS has a mechanism for each suite") {
  SECTION("SoftHSM2") {
    SoftHsmRig rig;
    CHECK(rig.vault().capabilities().suites.bits == 2);
    CHECK(rig.vault().kdf(Suite::kP256HkdfSha256Aes256Gcm) == pkcs11::Kdf::kNone);
    CHECK(rig.vault().kdf(Suite::kP256CmacKdfAes256Gcm) == pkcs11::Kdf::kCmacFromEncrypt);
  }
  SECTION("NSS") {
    NssRig rig;
    CHECK(rig.vault().capabilities().suites.bits == 3);
    CHECK(rig.vault().kdf(Suite::kP256HkdfSha256Aes256Gcm) == pkcs11::Kdf::kHkdf);
    CHECK(rig.vault().kdf(Suite::kP256CmacKdfAes256Gcm) == pkcs11::Kdf::kCmacNative);
  }
}

TEST_CASE("NSS: the size query of GCM leaves out the tag") {
  NssRig rig;
  const RawSession raw(rig);
  REQUIRE(raw.gcm_init(raw.make_aes(CKA_ENCRYPT)) == CKR_OK);
  uint8_t text[13] = {};
  CK_ULONG size = 0;
  REQUIRE(raw->C_Encrypt(raw.handle(), text, sizeof text, nullptr, &size) == CKR_OK);
  CHECK(size == sizeof text);  // what comes is 16 bytes longer
}

TEST_CASE("NSS: multi-part GCM is refused and leaves its session busy, others and the vault go on") {
  NssRig rig;
  const RawSession raw(rig);
  const CK_OBJECT_HANDLE key = raw.make_aes(CKA_ENCRYPT);
  uint8_t text[16] = {};
  uint8_t out[48];
  CK_ULONG size = sizeof out;
  REQUIRE(raw.gcm_init(key) == CKR_OK);
  CHECK(raw->C_EncryptUpdate(raw.handle(), text, sizeof text, out, &size) != CKR_OK);
  CHECK(raw.gcm_init(key) == CKR_OPERATION_ACTIVE);
  const RawSession other(rig);
  CHECK(other.gcm_init(key) == CKR_OK);
  OpenedSession session(rig.vault(), Suite::kP256HkdfSha256Aes256Gcm);
  CHECK(rig.vault().seal(session.keys.vehicle_to_backend, session.counter.take(), {}, Bytes{text},
                         MutableBytes(out, 32)) == Status::kOk);
}

TEST_CASE("a key that is not extractable can be wrapped all the same by NSS, not by SoftHSM2") {
  const auto wrap = [](TokenRig& rig) {
    const RawSession raw(rig);
    uint8_t iv[8] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, iv, sizeof iv};
    if (&rig.fixture() == &TokenFixture::softhsm()) mechanism = {CKM_AES_KEY_WRAP, nullptr, 0};
    uint8_t out[64];
    CK_ULONG size = sizeof out;
    return raw->C_WrapKey(raw.handle(), &mechanism, raw.make_aes(CKA_WRAP), raw.make_aes(CKA_ENCRYPT), out,
                          &size);
  };
  SECTION("SoftHSM2") {
    SoftHsmRig rig;
    CHECK(wrap(rig) == CKR_KEY_UNEXTRACTABLE);
  }
  SECTION("NSS") {
    NssRig rig;
    CHECK(wrap(rig) == CKR_OK);
  }
}

TEMPLATE_TEST_CASE("a wrong tag is a forgery and no loss of the token, whatever the token calls it", "",
                   SoftHsmRig, NssRig) {
  TestType rig;
  OpenedSession session(rig.vault(), suites_of(rig.vault()).front());
  auto sealed = fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(20)));
  sealed.back() ^= 1;
  std::vector<uint8_t> out(20);
  const uint32_t epoch = rig.vault().epoch();
  CHECK(rig.vault().open(session.keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), {out.data(), 20}) ==
        Status::kNotAuthentic);
  CHECK(rig.vault().epoch() == epoch);
  sealed.back() ^= 1;
  CHECK(rig.vault().open(session.keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), {out.data(), 20}) ==
        Status::kOk);
  rig.vault().destroy(session.keys);
}

TEST_CASE("SoftHSM2: one operation a session, so that a session in use cannot seal; the vault's own can") {
  SoftHsmRig rig;
  const RawSession raw(rig);
  CK_MECHANISM digest = {CKM_SHA256, nullptr, 0};
  REQUIRE(raw->C_DigestInit(raw.handle(), &digest) == CKR_OK);
  CHECK(raw.gcm_init(raw.make_aes(CKA_ENCRYPT)) == CKR_OPERATION_ACTIVE);
  OpenedSession session(rig.vault(), Suite::kP256CmacKdfAes256Gcm);
  uint8_t out[20];
  CHECK(rig.vault().seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                         MutableBytes{out}) == Status::kOk);
}

TEMPLATE_TEST_CASE("session keys die with the session that made them, also for other sessions", "", SoftHsmRig,
                   NssRig) {
  TestType rig;
  const RawSession user(rig);
  std::vector<uint8_t> out;
  CK_OBJECT_HANDLE key = 0;
  {
    const RawSession maker(rig);
    key = maker.make_aes(CKA_ENCRYPT);
    CHECK(user.encrypt(key, pattern(5), out) == CKR_OK);
  }
  CHECK(user.encrypt(key, pattern(5), out) != CKR_OK);
}

TEST_CASE("SoftHSM2: CK_GCM_PARAMS must be the form with ulIvBits") {
  SoftHsmRig rig;
  const RawSession raw(rig);
  Nonce iv;
  struct {
    CK_BYTE_PTR iv;
    CK_ULONG iv_size;
    CK_BYTE_PTR aad;
    CK_ULONG aad_size;
    CK_ULONG tag_bits;
  } without = {iv.data, Nonce::kSize, nullptr, 0, 128};
  static_assert(sizeof without < sizeof(CK_GCM_PARAMS), "as PKCS#11 2.40 printed it first");
  CK_MECHANISM mechanism = {CKM_AES_GCM, &without, sizeof without};
  const CK_OBJECT_HANDLE key = raw.make_aes(CKA_ENCRYPT);
  CHECK(raw->C_EncryptInit(raw.handle(), &mechanism, key) != CKR_OK);
  CHECK(raw.gcm_init(key) == CKR_OK);
}

TEMPLATE_TEST_CASE("a key that may only encrypt decrypts: a ciphertext encrypted again under its IV", "",
                   SoftHsmRig, NssRig) {
  TestType rig;
  const RawSession raw(rig);
  const CK_OBJECT_HANDLE key = raw.make_aes(CKA_ENCRYPT);
  std::vector<uint8_t> once;
  std::vector<uint8_t> twice;
  REQUIRE(raw.encrypt(key, pattern(50), once) == CKR_OK);
  CHECK_FALSE(std::equal(once.begin(), once.begin() + 50, pattern(50).begin()));
  REQUIRE(raw.encrypt(key, once, twice) == CKR_OK);
  CHECK(std::equal(twice.begin(), twice.begin() + 50, pattern(50).begin()));
}

TEMPLATE_TEST_CASE(
    "an ephemeral gives a readable Z to who holds the session: both are gone before the first seal", "",
    SoftHsmRig, NssRig) {
  TestType rig;
  const RawSession raw(rig);
  {
    const RawSession thief(rig);
    CK_OBJECT_HANDLE z = 0;
    REQUIRE(derive_readable(thief, kNullKdf, z) == CKR_OK);
    uint8_t value[32];
    CK_ATTRIBUTE read = {CKA_VALUE, value, sizeof value};
    CHECK(thief->C_GetAttributeValue(thief.handle(), z, &read, 1) == CKR_OK);
  }
  for (const Suite suite : suites_of(rig.vault())) {
    EphemeralKey ephemeral;
    EcPoint point;
    REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
    CHECK(raw.count(CKO_PRIVATE_KEY, CKA_DERIVE) == 1);
    SessionKeys keys;
    REQUIRE(rig.vault().derive(ephemeral, suite, Peer{}.point, transcript_of(1), keys) == Status::kOk);
    CHECK(raw.count(CKO_PRIVATE_KEY, CKA_DERIVE) == 0);
    CHECK(raw.count(CKO_SECRET_KEY, CKA_DERIVE) == 0);
    CHECK(raw.count(CKO_SECRET_KEY, CKA_ENCRYPT) == 1);
    CHECK(raw.count(CKO_SECRET_KEY, CKA_DECRYPT) == 1);
    rig.vault().destroy(keys);
    CHECK(raw.count(CKO_SECRET_KEY, CKA_ENCRYPT) == 0);
  }
}

TEST_CASE("ECDH: SoftHSM2 knows CKD_NULL only, NSS a KDF as well") {
  CK_OBJECT_HANDLE z = 0;
  SECTION("SoftHSM2") {
    SoftHsmRig rig;
    CHECK(derive_readable(RawSession(rig), kSha256Kdf, z) != CKR_OK);
  }
  SECTION("NSS") {
    NssRig rig;
    CHECK(derive_readable(RawSession(rig), kSha256Kdf, z) == CKR_OK);
  }
}

}  // namespace wayseal::test
