// SPDX-License-Identifier: Apache-2.0
#include "session_keys.hpp"

#include "attributes.hpp"

namespace wayseal::pkcs11 {
namespace {

constexpr size_t kBlock = 16;  // AES

void add_secret_key(Attributes& attributes, const CK_KEY_TYPE& type) {
  attributes.add(CKA_CLASS, kSecretKeyClass).add(CKA_KEY_TYPE, type).add(CKA_VALUE_LEN, kKeySize);
  attributes.clear(CKA_TOKEN).set(CKA_PRIVATE).set(CKA_SENSITIVE).clear(CKA_EXTRACTABLE);
}

constexpr CK_ATTRIBUTE_TYPE kNoUsage = CK_UNAVAILABLE_INFORMATION;

// Everything that a key could do beyond `usage`, off: tokens switch some on by themselves.
void add_usage(Attributes& attributes, CK_ATTRIBUTE_TYPE usage) {
  static constexpr CK_ATTRIBUTE_TYPE kUsages[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,  CKA_UNWRAP,
                                                  CKA_SIGN,    CKA_VERIFY,  CKA_DERIVE};
  for (const CK_ATTRIBUTE_TYPE other : kUsages) {
    if (other == usage) {
      attributes.set(other);
    } else {
      attributes.clear(other);
    }
  }
}

CK_RV derive_key(const Token& token, CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base, const CK_KEY_TYPE& type,
                 CK_ATTRIBUTE_TYPE usage, CK_OBJECT_HANDLE& key) {
  Attributes attributes;
  add_secret_key(attributes, type);
  add_usage(attributes, usage);
  return token.functions->C_DeriveKey(token.session, &mechanism, base, attributes.list(), attributes.count(),
                                      &key);
}

CK_ATTRIBUTE_TYPE usage_of(KeyUse use) { return use == KeyUse::kEncrypt ? CKA_ENCRYPT : CKA_DECRYPT; }

// Suite 1, RFC 5869: extract with the fixed salt, expand with label and transcript.
CK_RV hkdf_key(const Token& token, CK_OBJECT_HANDLE z, const char* label, const Digest& transcript, KeyUse use,
               CK_OBJECT_HANDLE& key) {
  static constexpr char kSalt[] = "wayseal/1 hkdf-sha256";
  uint8_t info[kLabelSize + Digest::kSize];
  std::memcpy(info, label, kLabelSize);
  std::memcpy(info + kLabelSize, transcript.data, Digest::kSize);
  cryptoki::HkdfParams params = {};
  params.extract = CK_TRUE;
  params.expand = CK_TRUE;
  params.prf_hash = CKM_SHA256;
  params.salt_type = cryptoki::kHkdfSaltData;
  params.salt = bytes_of(kSalt);
  params.salt_size = sizeof kSalt - 1;
  params.info = info;
  params.info_size = sizeof info;
  CK_MECHANISM mechanism = {cryptoki::kHkdfDerive, &params, sizeof params};
  return derive_key(token, mechanism, z, kAesType, usage_of(use), key);
}

// Suite 2 in a token that has it, SP 800-108 Rev. 1, 4.1.
CK_RV cmac_key_native(const Token& token, CK_OBJECT_HANDLE z, const char* label, const Digest& transcript,
                      KeyUse use, CK_OBJECT_HANDLE& key) {
  uint8_t separator = 0;
  cryptoki::CounterFormat counter = {CK_FALSE, 32};
  cryptoki::DkmLengthFormat length = {cryptoki::kDkmLengthSumOfKeys, CK_FALSE, 32};
  cryptoki::PrfDataParam data[] = {
      {cryptoki::kPrfIterationVariable, &counter, sizeof counter},
      {cryptoki::kPrfByteArray, bytes_of(label), kLabelSize},
      {cryptoki::kPrfByteArray, &separator, 1},
      {cryptoki::kPrfByteArray, bytes_of(transcript.data), Digest::kSize},
      {cryptoki::kPrfDkmLength, &length, sizeof length},
  };
  cryptoki::Sp800108KdfParams params = {cryptoki::kAesCmac, 5, data, 0, nullptr};
  CK_MECHANISM mechanism = {cryptoki::kSp800108CounterKdf, &params, sizeof params};
  return derive_key(token, mechanism, z, kAesType, usage_of(use), key);
}

// Derives `out.size()` bytes and reads them. Only for CMAC's chaining values, from which no key bit follows
// without Z.
CK_RV derive_readable(const Token& token, CK_MECHANISM& mechanism, CK_OBJECT_HANDLE z, MutableBytes out) {
  const CK_ULONG size = static_cast<CK_ULONG>(out.size());
  CK_OBJECT_HANDLE object = 0;
  Attributes attributes;
  attributes.add(CKA_CLASS, kSecretKeyClass).add(CKA_KEY_TYPE, kGenericType).add(CKA_VALUE_LEN, size);
  attributes.clear(CKA_TOKEN).clear(CKA_SENSITIVE).set(CKA_EXTRACTABLE);
  add_usage(attributes, kNoUsage);
  CK_RV rv = token.functions->C_DeriveKey(token.session, &mechanism, z, attributes.list(), attributes.count(),
                                          &object);
  if (rv != CKR_OK) return rv;
  CK_ATTRIBUTE value = {CKA_VALUE, out.data(), size};
  rv = token.functions->C_GetAttributeValue(token.session, object, &value, 1);
  destroy(token, object);
  if (rv == CKR_OK && value.ulValueLen != size) rv = CKR_FUNCTION_FAILED;
  return rv;
}

// First subkey of CMAC: the encrypted zero block, doubled in GF(2^128) (SP 800-38B, 6.1).
CK_RV cmac_subkey(const Token& token, CK_OBJECT_HANDLE z, uint8_t (&subkey)[kBlock]) {
  uint8_t zeros[kBlock] = {};
  CK_KEY_DERIVATION_STRING_DATA input = {zeros, sizeof zeros};
  CK_MECHANISM mechanism = {CKM_AES_ECB_ENCRYPT_DATA, &input, sizeof input};
  uint8_t block[kBlock];
  const CK_RV rv = derive_readable(token, mechanism, z, MutableBytes{block});
  for (size_t i = 0; rv == CKR_OK && i < kBlock; ++i) {
    const int next = i + 1 < kBlock ? block[i + 1] >> 7 : 0;
    subkey[i] = static_cast<uint8_t>((block[i] << 1) | next);
  }
  if (rv == CKR_OK && (block[0] & 0x80) != 0) subkey[kBlock - 1] ^= 0x87;
  wipe(MutableBytes{block});
  return rv;
}

// The last block that CMAC encrypts over the 48 bytes of `input`: what its encryption gives is the MAC.
CK_RV cmac_last_block(const Token& token, CK_OBJECT_HANDLE z, const uint8_t (&input)[3 * kBlock],
                      const uint8_t (&subkey)[kBlock], uint8_t* last) {
  CK_AES_CBC_ENCRYPT_DATA_PARAMS params = {};
  params.pData = bytes_of(input);
  params.length = 2 * kBlock;
  CK_MECHANISM mechanism = {CKM_AES_CBC_ENCRYPT_DATA, &params, sizeof params};
  uint8_t chain[2 * kBlock];
  const CK_RV rv = derive_readable(token, mechanism, z, MutableBytes{chain});
  for (size_t i = 0; rv == CKR_OK && i < kBlock; ++i) {
    last[i] = static_cast<uint8_t>(chain[kBlock + i] ^ input[2 * kBlock + i] ^ subkey[i]);
  }
  wipe(MutableBytes{chain});
  return rv;
}

// Suite 2 in a token without SP 800-108: both MACs are one ECB derivation of their two last blocks, so that the
// key itself never leaves the token.
CK_RV cmac_key_from_encrypt(const Token& token, CK_OBJECT_HANDLE z, const char* label, const Digest& transcript,
                            KeyUse use, CK_OBJECT_HANDLE& key) {
  uint8_t input[3 * kBlock] = {};
  std::memcpy(input + 4, label, kLabelSize);
  std::memcpy(input + 12, transcript.data, Digest::kSize);
  store_be32(input + 44, 256);
  uint8_t subkey[kBlock];
  uint8_t last[2 * kBlock];
  CK_RV rv = cmac_subkey(token, z, subkey);
  for (uint32_t i = 0; rv == CKR_OK && i < 2; ++i) {
    store_be32(input, i + 1);
    rv = cmac_last_block(token, z, input, subkey, last + kBlock * i);
  }
  if (rv == CKR_OK) {
    CK_KEY_DERIVATION_STRING_DATA blocks = {last, sizeof last};
    CK_MECHANISM mechanism = {CKM_AES_ECB_ENCRYPT_DATA, &blocks, sizeof blocks};
    rv = derive_key(token, mechanism, z, kAesType, usage_of(use), key);
  }
  wipe(MutableBytes{subkey});
  wipe(MutableBytes{last});
  return rv;
}

CK_GCM_PARAMS gcm_params(Nonce& nonce, Bytes aad) {
  CK_GCM_PARAMS params = {};
  params.pIv = nonce.data;
  params.ulIvLen = Nonce::kSize;
  params.ulIvBits = 8 * Nonce::kSize;
  params.pAAD = bytes_of(aad.data());
  params.ulAADLen = static_cast<CK_ULONG>(aad.size());
  params.ulTagBits = 8 * kGcmTagSize;
  return params;
}

bool is_forgery(CK_RV rv) {
  return rv == cryptoki::kAeadDecryptFailed || rv == CKR_ENCRYPTED_DATA_INVALID ||
         rv == CKR_ENCRYPTED_DATA_LEN_RANGE || rv == CKR_DATA_INVALID || rv == CKR_SIGNATURE_INVALID ||
         rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED;
}

}  // namespace

CK_RV make_key_pair(const Token& token, KeyPair& pair) {
  Attributes public_part;
  public_part.clear(CKA_TOKEN).add(CKA_EC_PARAMS, kP256Oid);
  public_part.clear(CKA_VERIFY).clear(CKA_ENCRYPT).clear(CKA_WRAP);
  Attributes private_part;
  private_part.clear(CKA_TOKEN).set(CKA_PRIVATE).set(CKA_SENSITIVE).clear(CKA_EXTRACTABLE).set(CKA_DERIVE);
  private_part.clear(CKA_SIGN).clear(CKA_SIGN_RECOVER).clear(CKA_DECRYPT).clear(CKA_UNWRAP);
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  return token.functions->C_GenerateKeyPair(token.session, &mechanism, public_part.list(), public_part.count(),
                                            private_part.list(), private_part.count(), &pair.public_key,
                                            &pair.private_key);
}

CK_RV read_point(const Token& token, CK_OBJECT_HANDLE public_key, EcPoint& point) {
  static constexpr uint8_t kOctetString[] = {0x04, 0x41};
  uint8_t value[sizeof kOctetString + EcPoint::kSize];
  CK_ATTRIBUTE attribute = {CKA_EC_POINT, value, sizeof value};
  const CK_RV rv = token.functions->C_GetAttributeValue(token.session, public_key, &attribute, 1);
  if (rv != CKR_OK) return rv;
  // DER OCTET STRING by the standard; some tokens give the bare point.
  const bool wrapped = attribute.ulValueLen == sizeof value && std::memcmp(value, kOctetString, 2) == 0;
  if (!wrapped && attribute.ulValueLen != EcPoint::kSize) return CKR_FUNCTION_FAILED;
  std::memcpy(point.data, wrapped ? value + 2 : value, EcPoint::kSize);
  return CKR_OK;
}

CK_RV make_z(const Token& token, CK_OBJECT_HANDLE private_key, const EcPoint& peer, Kdf kdf,
             CK_OBJECT_HANDLE& z) {
  CK_ECDH1_DERIVE_PARAMS params = {};
  params.kdf = CKD_NULL;
  params.pPublicData = bytes_of(peer.data);
  params.ulPublicDataLen = EcPoint::kSize;
  CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
  return derive_key(token, mechanism, private_key, kdf == Kdf::kHkdf ? kGenericType : kAesType, CKA_DERIVE, z);
}

CK_RV make_session_key(const Token& token, CK_OBJECT_HANDLE z, Kdf kdf, const char* label,
                       const Digest& transcript, KeyUse use, CK_OBJECT_HANDLE& key) {
  switch (kdf) {
    case Kdf::kHkdf: return hkdf_key(token, z, label, transcript, use, key);
    case Kdf::kCmacNative: return cmac_key_native(token, z, label, transcript, use, key);
    case Kdf::kCmacFromEncrypt: return cmac_key_from_encrypt(token, z, label, transcript, use, key);
    case Kdf::kNone: break;
  }
  return CKR_MECHANISM_INVALID;
}

CK_RV gcm_encrypt(const Token& token, CK_OBJECT_HANDLE key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                  MutableBytes out) {
  Nonce copy = nonce;
  CK_GCM_PARAMS params = gcm_params(copy, aad);
  CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};
  const CK_RV rv = token.functions->C_EncryptInit(token.session, &mechanism, key);
  if (rv != CKR_OK) return rv;
  // Asking for the size is no use: some tokens leave out the tag.
  CK_ULONG size = static_cast<CK_ULONG>(out.size());
  CK_BYTE nothing = 0;
  const CK_RV result =
      token.functions->C_Encrypt(token.session, plaintext.empty() ? &nothing : bytes_of(plaintext.data()),
                                 static_cast<CK_ULONG>(plaintext.size()), out.data(), &size);
  if (result == CKR_OK && size != out.size()) return CKR_FUNCTION_FAILED;
  return result;
}

CK_RV gcm_decrypt(const Token& token, CK_OBJECT_HANDLE key, const Nonce& nonce, Bytes aad, Bytes ciphertext,
                  MutableBytes room, MutableBytes out) {
  Nonce copy = nonce;
  CK_GCM_PARAMS params = gcm_params(copy, aad);
  CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};
  const CK_RV rv = token.functions->C_DecryptInit(token.session, &mechanism, key);
  if (rv != CKR_OK) return rv;
  CK_ULONG size = static_cast<CK_ULONG>(room.size());
  CK_RV result = token.functions->C_Decrypt(token.session, bytes_of(ciphertext.data()),
                                            static_cast<CK_ULONG>(ciphertext.size()), room.data(), &size);
  if (result == CKR_OK && size != out.size()) result = CKR_DEVICE_ERROR;
  if (result == CKR_OK && size != 0) std::memcpy(out.data(), room.data(), size);
  wipe(room.first(ciphertext.size()));
  return is_forgery(result) ? cryptoki::kAeadDecryptFailed : result;
}

void destroy(const Token& token, CK_OBJECT_HANDLE& object) {
  if (object != 0) token.functions->C_DestroyObject(token.session, object);
  object = 0;
}

}  // namespace wayseal::pkcs11
