// SPDX-License-Identifier: Apache-2.0
/// \file
/// PKCS#11 2.40 from p11-kit's header, and the few names of PKCS#11 3.0 that Wayseal uses (OASIS PKCS #11
/// Cryptographic Token Interface Current Mechanisms 3.0, sections 2.42 and 2.43, and Base Specification 3.0,
/// section 5.1).
#ifndef WAYSEAL_PKCS11_CRYPTOKI_HPP
#define WAYSEAL_PKCS11_CRYPTOKI_HPP

#include <p11-kit/pkcs11.h>

namespace wayseal::cryptoki {

inline constexpr CK_MECHANISM_TYPE kHkdfDerive = 0x402A;          ///< CKM_HKDF_DERIVE
inline constexpr CK_MECHANISM_TYPE kSp800108CounterKdf = 0x03AC;  ///< CKM_SP800_108_COUNTER_KDF
inline constexpr CK_MECHANISM_TYPE kAesCmac = 0x108A;             ///< CKM_AES_CMAC
inline constexpr CK_RV kAeadDecryptFailed = 0x0042;               ///< CKR_AEAD_DECRYPT_FAILED
inline constexpr CK_ULONG kHkdfSaltData = 2;                      ///< CKF_HKDF_SALT_DATA

/// CK_HKDF_PARAMS
struct HkdfParams {
  CK_BBOOL extract;
  CK_BBOOL expand;
  CK_MECHANISM_TYPE prf_hash;
  CK_ULONG salt_type;
  CK_BYTE_PTR salt;
  CK_ULONG salt_size;
  CK_OBJECT_HANDLE salt_key;
  CK_BYTE_PTR info;
  CK_ULONG info_size;
};

/// CK_SP800_108_COUNTER_FORMAT
struct CounterFormat {
  CK_BBOOL little_endian;
  CK_ULONG width_bits;
};

/// CK_SP800_108_DKM_LENGTH_FORMAT
struct DkmLengthFormat {
  CK_ULONG method;
  CK_BBOOL little_endian;
  CK_ULONG width_bits;
};
inline constexpr CK_ULONG kDkmLengthSumOfKeys = 1;

/// CK_PRF_DATA_PARAM
struct PrfDataParam {
  CK_ULONG type;
  void* value;
  CK_ULONG value_size;
};
inline constexpr CK_ULONG kPrfIterationVariable = 1;
inline constexpr CK_ULONG kPrfDkmLength = 3;
inline constexpr CK_ULONG kPrfByteArray = 4;

/// CK_SP800_108_KDF_PARAMS
struct Sp800108KdfParams {
  CK_MECHANISM_TYPE prf;
  CK_ULONG data_count;
  PrfDataParam* data;
  CK_ULONG additional_count;
  void* additional;
};

}  // namespace wayseal::cryptoki

#endif
