// SPDX-License-Identifier: Apache-2.0
// A thin C++ face of PKCS#11 2.40: loading a module, finding a token, attribute templates, and one exception
// type.
#ifndef WAYSEAL_CLOUD_PKCS11_HPP
#define WAYSEAL_CLOUD_PKCS11_HPP

#include <p11-kit/pkcs11.h>

#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace cloud {

/// A PKCS#11 call failed. `what()` names the call and the code, never a key or PIN.
class TokenError : public std::runtime_error {
 public:
  TokenError(const char* call, CK_RV code);
  CK_RV code() const { return code_; }
  /// The token went away or was reset: every session key is gone, opening it again may help.
  bool lost() const;

 private:
  CK_RV code_;
};

void check(CK_RV code, const char* call);

/// An attribute template that owns its values. Built in a chain: `Template{}.set(CKA_TOKEN, true).set(...)`.
class Template {
 public:
  Template& flag(CK_ATTRIBUTE_TYPE type, CK_BBOOL value);
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& bytes(CK_ATTRIBUTE_TYPE type, std::string_view value);
  CK_ATTRIBUTE* data() { return attributes_.data(); }
  CK_ULONG size() const { return static_cast<CK_ULONG>(attributes_.size()); }

 private:
  std::deque<Blob> values_;  // a deque does not move what it holds
  std::vector<CK_ATTRIBUTE> attributes_;
};

/// A loaded and initialised module; finalised and unloaded at the end. One a process and module path.
class Module {
 public:
  /// \param args handed to C_Initialize as pReserved when not empty (NSS softoken).
  Module(const std::string& path, const std::string& args);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  CK_FUNCTION_LIST* operator->() const { return functions_; }
  /// The slot of the one initialised token with this label. Throws when there is none, or more than one.
  CK_SLOT_ID find_token(const std::string& label) const;
  /// A slot whose token is present and not initialised.
  std::optional<CK_SLOT_ID> find_blank() const;

 private:
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

/// Value of one attribute of a variable length.
Blob read_attribute(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    CK_ATTRIBUTE_TYPE type);

/// All objects that match, at most 64.
std::vector<CK_OBJECT_HANDLE> find_objects(const Module& module, CK_SESSION_HANDLE session, Template& pattern);

/// The 65 bytes of an uncompressed P-256 point from CKA_EC_POINT, which PKCS#11 wants wrapped in an OCTET
/// STRING
/// and some tokens give bare.
Blob point_of(const Blob& ec_point);

/// DER of the OID of P-256, for CKA_EC_PARAMS.
inline const Blob kP256Params{"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10};

}  // namespace cloud

#endif
