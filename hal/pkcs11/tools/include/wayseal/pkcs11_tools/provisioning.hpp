// SPDX-License-Identifier: Apache-2.0
/// \file
/// Host-side helper: makes tokens, identity keys and certificate objects, and signs with them. For provisioning
/// tools, the reference backend and tests; not for a vehicle. Uses exceptions and the standard library.
///
///     Pkcs11Module module;
///     if (module.load("/usr/lib/softhsm/libsofthsm2.so") != Status::kOk) ...
///     FdPin so_pin(3), user_pin(4);
///     initialize_token(module, "vehicle", so_pin, user_pin);
///     ProvisioningToken token(module, "vehicle", user_pin);
///     EcPoint point = token.generate_identity("e2e", {0x02}, IdentityUse::kSign);
///     ... make the certificate with OpenSSL; sign with token.sign_digest("e2e", digest) ...
///     token.write_certificate("e2e", {0x02}, der);
#ifndef WAYSEAL_PKCS11_TOOLS_PROVISIONING_HPP
#define WAYSEAL_PKCS11_TOOLS_PROVISIONING_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "wayseal/core/types.hpp"
#include "wayseal/pkcs11/module.hpp"
#include "wayseal/pkcs11/pin_source.hpp"

namespace wayseal {

/// A token said no. `what()` names the call, the object's label and the CK_RV, and never a secret.
class TokenError : public std::runtime_error {
 public:
  TokenError(const std::string& what, CK_RV rv);
  /// CKR_OK when the failure was not the token's (for example an object that exists already).
  CK_RV rv() const { return rv_; }

 private:
  CK_RV rv_;
};

using TokenId = std::vector<uint8_t>;  ///< CKA_ID.

/// What an identity key may do: one thing.
enum class IdentityUse : uint8_t { kSign, kDerive };

/// One object of a token, as listed.
struct TokenObjectInfo {
  enum class Kind : uint8_t { kPrivateKey, kPublicKey, kCertificate, kOther };
  Kind kind = Kind::kOther;
  std::string label;
  TokenId id;
  size_t size_bytes = 0;     ///< Of a certificate.
  bool sensitive = false;    ///< Of a private key: CKA_SENSITIVE.
  bool extractable = false;  ///< Of a private key: CKA_EXTRACTABLE.
};

/// Initialises the first slot that has an uninitialised token (C_InitToken, C_InitPIN). SoftHSM2 always has one
/// such slot.
/// \param label 1 to 32 characters; a token with this label must not exist.
/// \throw TokenError.
void initialize_token(Pkcs11Module& module, const std::string& label, PinSource& so_pin, PinSource& user_pin);

/// Whether a token with this label is present.
bool token_exists(Pkcs11Module& module, const std::string& label);

/// A read-write, logged-in session with one token. One thread at a time.
class ProvisioningToken {
 public:
  /// Logs in once. Refuses when the token says that the PIN is locked or has one try left.
  /// \throw TokenError.
  ProvisioningToken(Pkcs11Module& module, const std::string& token_label, PinSource& pin);
  ~ProvisioningToken();
  ProvisioningToken(const ProvisioningToken&) = delete;
  ProvisioningToken& operator=(const ProvisioningToken&) = delete;

  /// Makes a P-256 key pair in the token: token objects, the private one private, sensitive, non-extractable
  /// and good for `use` only.
  /// \return the public point.
  /// \throw TokenError also when a private key with this label exists.
  EcPoint generate_identity(const std::string& label, const TokenId& id, IdentityUse use);

  bool has_private_key(const std::string& label) const;
  /// The public point of a key pair. \throw TokenError when there is none.
  EcPoint public_key(const std::string& label) const;
  /// The same as DER SubjectPublicKeyInfo (RFC 5480), 91 bytes.
  std::vector<uint8_t> public_key_spki(const std::string& label) const;

  /// ECDSA P-256 over a SHA-256 digest with the private key of this label.
  EcSignature sign_digest(const std::string& label, const Digest& digest) const;
  /// The same, as DER Ecdsa-Sig-Value (RFC 3279, 2.2.3), for certificates and requests.
  std::vector<uint8_t> sign_digest_der(const std::string& label, const Digest& digest) const;

  /// Writes a certificate object: token object, public, CKA_MODIFIABLE false. Subject, issuer and serial number
  /// are taken from the DER.
  /// \throw TokenError also when a certificate with this label exists.
  void write_certificate(const std::string& label, const TokenId& id, Bytes der);
  /// \throw TokenError when there is none, or more than one.
  std::vector<uint8_t> read_certificate(const std::string& label) const;
  bool has_certificate(const std::string& label) const;
  /// Removes the certificate of this label. \return whether there was one.
  bool remove_certificate(const std::string& label);

  /// Keys and certificates in the token, sorted by kind and label.
  std::vector<TokenObjectInfo> list() const;

 private:
  std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS type, const std::string& label) const;
  CK_OBJECT_HANDLE find_one(CK_OBJECT_CLASS type, const std::string& label) const;
  std::vector<uint8_t> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  const CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE session_ = 0;
};

}  // namespace wayseal

#endif
