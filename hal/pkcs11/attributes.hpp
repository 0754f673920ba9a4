// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_HAL_PKCS11_ATTRIBUTES_HPP
#define WAYSEAL_HAL_PKCS11_ATTRIBUTES_HPP

#include <cstring>

#include "wayseal/core/bytes.hpp"
#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::pkcs11 {

inline constexpr CK_BBOOL kTrue = CK_TRUE;
inline constexpr CK_BBOOL kFalse = CK_FALSE;
inline constexpr CK_OBJECT_CLASS kSecretKeyClass = CKO_SECRET_KEY;
inline constexpr CK_KEY_TYPE kAesType = CKK_AES;
inline constexpr CK_KEY_TYPE kGenericType = CKK_GENERIC_SECRET;
inline constexpr CK_KEY_TYPE kEcType = CKK_EC;
inline constexpr CK_ULONG kKeySize = 32;
/// DER of the curve's object identifier 1.2.840.10045.3.1.7.
inline constexpr uint8_t kP256Oid[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};

/// An attribute template in fixed memory. Keeps pointers: what is added must outlive the call it is made for.
class Attributes {
 public:
  static constexpr size_t kMax = 20;

  /// PKCS#11 takes templates by pointers to non-constant, although it only reads them.
  template <typename T>
  Attributes& add(CK_ATTRIBUTE_TYPE type, const T& value) {
    return add(type, &value, sizeof value);
  }
  Attributes& add(CK_ATTRIBUTE_TYPE type, const void* value, size_t size) {
    if (count_ < kMax) list_[count_++] = {type, const_cast<void*>(value), static_cast<CK_ULONG>(size)};
    return *this;
  }
  Attributes& text(CK_ATTRIBUTE_TYPE type, const char* value) { return add(type, value, std::strlen(value)); }
  Attributes& set(CK_ATTRIBUTE_TYPE type) { return add(type, kTrue); }
  Attributes& clear(CK_ATTRIBUTE_TYPE type) { return add(type, kFalse); }

  CK_ATTRIBUTE* list() { return list_; }
  CK_ULONG count() const { return static_cast<CK_ULONG>(count_); }

 private:
  CK_ATTRIBUTE list_[kMax];
  size_t count_ = 0;
};

inline CK_BYTE_PTR bytes_of(const void* data) { return static_cast<CK_BYTE_PTR>(const_cast<void*>(data)); }

}  // namespace wayseal::pkcs11

#endif
