// SPDX-License-Identifier: Apache-2.0
// Key agreement and key derivation inside the token (PROTOCOL.md, "Keys").
//
// Suite 2 on a token without a native SP 800-108 mechanism: CMAC-AES-256 is put together from AES-ECB and
// AES-CBC
// "encrypt data" derivations under Z. What becomes readable on the way is the CMAC subkey and the chaining
// values
// before the last block; the key bits themselves are made by the last derivation and stay inside. Whoever held
// those
// values could compute one CMAC under Z that nobody uses, so they are wiped at once.
#include <algorithm>
#include <utility>

#include "token.hpp"

namespace cloud {
namespace {

constexpr CK_MECHANISM_TYPE kMechanismHkdfDerive = 0x402A;
constexpr CK_ULONG kHkdfSaltData = 2;

// CK_HKDF_PARAMS of PKCS#11 3.0, which 2.40 headers lack.
struct HkdfParams {
  CK_BBOOL extract;
  CK_BBOOL expand;
  CK_MECHANISM_TYPE prf;
  CK_ULONG salt_type;
  unsigned char* salt;
  CK_ULONG salt_len;
  CK_OBJECT_HANDLE salt_key;
  unsigned char* info;
  CK_ULONG info_len;
};

constexpr CK_MECHANISM_TYPE kMechanismAesCmac = 0x108A;
constexpr CK_ULONG kPrfCounter = 1;  // CK_SP800_108_ITERATION_VARIABLE
constexpr CK_ULONG kPrfKeyLength = 3;
constexpr CK_ULONG kPrfBytes = 4;
constexpr CK_ULONG kLengthOfAllKeys = 1;  // CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS

// CK_SP800_108_KDF_PARAMS of PKCS#11 3.0 and what it is made of.
struct CounterFormat {
  CK_BBOOL little_endian;
  CK_ULONG width_bits;
};
struct LengthFormat {
  CK_ULONG method;
  CK_BBOOL little_endian;
  CK_ULONG width_bits;
};
struct PrfData {
  CK_ULONG type;
  void* value;
  CK_ULONG value_len;
};
struct CounterKdfParams {
  CK_MECHANISM_TYPE prf;
  CK_ULONG data_count;
  PrfData* data;
  CK_ULONG more_keys;
  void* more;
};

const std::string_view kHkdfSalt = "wayseal/1 hkdf-sha256";

/// Destroys a session object when the scope ends, whatever happens.
class ObjectGuard {
 public:
  ObjectGuard(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
      : module_(module), session_(session), object_(object) {}
  ~ObjectGuard() {
    if (object_ != CK_INVALID_HANDLE) static_cast<void>(module_->C_DestroyObject(session_, object_));
  }
  ObjectGuard(const ObjectGuard&) = delete;
  ObjectGuard& operator=(const ObjectGuard&) = delete;
  CK_OBJECT_HANDLE get() const { return object_; }
  CK_OBJECT_HANDLE release() { return std::exchange(object_, CK_INVALID_HANDLE); }

 private:
  const Module& module_;
  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE object_;
};

Template closed_key(CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE use) {
  Template form;
  form.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, type)
      .flag(CKA_TOKEN, CK_FALSE)
      .flag(CKA_PRIVATE, CK_TRUE)
      .flag(CKA_SENSITIVE, CK_TRUE)
      .flag(CKA_EXTRACTABLE, CK_FALSE)
      .number(CKA_VALUE_LEN, 32);
  for (const CK_ATTRIBUTE_TYPE usage :
       {CKA_ENCRYPT, CKA_DECRYPT, CKA_DERIVE, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP}) {
    form.flag(usage, usage == use ? CK_TRUE : CK_FALSE);
  }
  return form;
}

/// First CMAC subkey from L = AES(0) (SP 800-38B, 6.1).
Blob cmac_subkey(const Blob& l) {
  Blob k1(16, '\0');
  for (size_t i = 0; i < 16; ++i) {
    const unsigned next = i < 15 ? static_cast<unsigned>(static_cast<unsigned char>(l[i + 1])) >> 7 : 0;
    k1[i] = static_cast<char>(((static_cast<unsigned>(static_cast<unsigned char>(l[i])) << 1) | next) & 0xFFU);
  }
  if ((static_cast<unsigned char>(l[0]) & 0x80) != 0) k1[15] = static_cast<char>(k1[15] ^ 0x87);
  return k1;
}

}  // namespace

CK_OBJECT_HANDLE Token::derive_object(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base, Template& form) {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  check((*module_)->C_DeriveKey(keys_, &mechanism, base, form.data(), form.size(), &object), "C_DeriveKey");
  return object;
}

CK_OBJECT_HANDLE Token::agree(CK_OBJECT_HANDLE prekey, std::string_view peer, CK_KEY_TYPE type) {
  Blob point(peer);
  CK_ECDH1_DERIVE_PARAMS params{};
  params.kdf = CKD_NULL;
  params.ulPublicDataLen = static_cast<CK_ULONG>(point.size());
  params.pPublicData = octets(point);
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &params, sizeof params};
  Template form = closed_key(type, CKA_DERIVE);
  return derive_object(mechanism, prekey, form);
}

Blob Token::derive_readable(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base, size_t size) {
  Template form;
  form.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
      .flag(CKA_TOKEN, CK_FALSE)
      .flag(CKA_SENSITIVE, CK_FALSE)
      .flag(CKA_EXTRACTABLE, CK_TRUE)
      .number(CKA_VALUE_LEN, static_cast<CK_ULONG>(size));
  const ObjectGuard object(*module_, keys_, derive_object(mechanism, base, form));
  return read_attribute(*module_, keys_, object.get(), CKA_VALUE);
}

CK_OBJECT_HANDLE Token::hkdf(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th,
                             CK_ATTRIBUTE_TYPE use) {
  Blob salt(kHkdfSalt);
  Blob info = Blob(label) + Blob(th);
  HkdfParams params{CK_TRUE,           CK_TRUE,      CKM_SHA256,
                    kHkdfSaltData,     octets(salt), static_cast<CK_ULONG>(salt.size()),
                    CK_INVALID_HANDLE, octets(info), static_cast<CK_ULONG>(info.size())};
  CK_MECHANISM mechanism{kMechanismHkdfDerive, &params, sizeof params};
  Template form = closed_key(CKK_AES, use);
  return derive_object(mechanism, z, form);
}

CK_OBJECT_HANDLE Token::cmac_kdf(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th,
                                 CK_ATTRIBUTE_TYPE use) {
  Blob zero(16, '\0');
  CK_KEY_DERIVATION_STRING_DATA zero_data{octets(zero), 16};
  CK_MECHANISM ecb_zero{CKM_AES_ECB_ENCRYPT_DATA, &zero_data, sizeof zero_data};
  Blob l = derive_readable(ecb_zero, z, 16);
  Blob k1 = cmac_subkey(l);
  wipe(l);

  // [i] | label | 0 | th | [L]: three AES blocks for each of the two halves of the key.
  Blob last_blocks;
  for (uint32_t i = 1; i <= 2; ++i) {
    Blob input = be32(i) + Blob(label) + Blob(1, '\0') + Blob(th) + be32(256);
    if (input.size() != 48) throw std::logic_error("the KDF input has 48 bytes");
    CK_AES_CBC_ENCRYPT_DATA_PARAMS cbc{};
    cbc.pData = octets(input);
    cbc.length = 32;
    CK_MECHANISM chain{CKM_AES_CBC_ENCRYPT_DATA, &cbc, sizeof cbc};
    Blob chained = derive_readable(chain, z, 32);
    for (size_t j = 0; j < 16; ++j) {
      last_blocks += static_cast<char>(chained[16 + j] ^ input[32 + j] ^ k1[j]);
    }
    wipe(chained);
  }
  wipe(k1);
  CK_KEY_DERIVATION_STRING_DATA last{octets(last_blocks), 32};
  CK_MECHANISM ecb_last{CKM_AES_ECB_ENCRYPT_DATA, &last, sizeof last};
  Template form = closed_key(CKK_AES, use);
  const CK_OBJECT_HANDLE key = derive_object(ecb_last, z, form);
  wipe(last_blocks);
  return key;
}

CK_OBJECT_HANDLE Token::cmac_kdf_native(CK_OBJECT_HANDLE z, std::string_view label, std::string_view th,
                                        CK_ATTRIBUTE_TYPE use) {
  CounterFormat counter{CK_FALSE, 32};
  Blob middle = Blob(label) + Blob(1, '\0') + Blob(th);
  LengthFormat length{kLengthOfAllKeys, CK_FALSE, 32};
  PrfData input[] = {{kPrfCounter, &counter, sizeof counter},
                     {kPrfBytes, octets(middle), static_cast<CK_ULONG>(middle.size())},
                     {kPrfKeyLength, &length, sizeof length}};
  CounterKdfParams params{kMechanismAesCmac, 3, input, 0, nullptr};
  CK_MECHANISM mechanism{kMechanismCounterKdf, &params, sizeof params};
  Template form = closed_key(CKK_AES, use);
  return derive_object(mechanism, z, form);
}

std::optional<SessionKeys> Token::derive(uint64_t prekey_id, std::string_view peer, Suite suite,
                                         std::string_view th) {
  const CK_OBJECT_HANDLE prekey = find_prekey(prekey_id);
  if (prekey == CK_INVALID_HANDLE) return std::nullopt;
  CK_OBJECT_HANDLE z_handle = CK_INVALID_HANDLE;
  try {
    z_handle = agree(prekey, peer, suite == Suite::kHkdf ? CKK_GENERIC_SECRET : CKK_AES);
  } catch (const TokenError& error) {
    if (error.lost()) throw;
    return std::nullopt;  // the token refuses a point that is not on the curve
  }
  const ObjectGuard z(*module_, keys_, z_handle);
  const auto make = [&](std::string_view label, CK_ATTRIBUTE_TYPE use) {
    if (suite == Suite::kHkdf) return hkdf(z.get(), label, th, use);
    return native_cmac_ ? cmac_kdf_native(z.get(), label, th, use) : cmac_kdf(z.get(), label, th, use);
  };
  ObjectGuard open(*module_, keys_, make("ws1.v2b", CKA_DECRYPT));
  ObjectGuard seal(*module_, keys_, make("ws1.b2v", CKA_ENCRYPT));
  return SessionKeys{open.release(), seal.release()};
}

}  // namespace cloud
