// SPDX-License-Identifier: Apache-2.0
/// \file
/// IdentityStore over the token of a Pkcs11Vault.
#ifndef WAYSEAL_PKCS11_PKCS11_IDENTITIES_HPP
#define WAYSEAL_PKCS11_PKCS11_IDENTITIES_HPP

#include "wayseal/hal/identity_store.hpp"
#include "wayseal/pkcs11/pkcs11_vault.hpp"

namespace wayseal {

/// What the objects of one place are called. Labels are borrowed.
struct IdentityLabels {
  const char* key;  ///< CKA_LABEL of private key, public key and leaf; CKA_ID of what is made here.
  const char* intermediate;
};

/// The defaults: what provisioning has written is place A.
struct Pkcs11IdentityOptions {
  IdentityLabels tls[2] = {{"tls", "tls-intermediate"}, {"tls-b", "tls-b-intermediate"}};
  IdentityLabels e2e[2] = {{"e2e", "e2e-intermediate"}, {"e2e-b", "e2e-b-intermediate"}};
};

/// Writes through a session of its own for the time of a call, under the vault's login. Private keys are made sensitive, not
/// extractable, and good for signing only. Objects are found by label, and each label has to be there once.
///
/// Threads: the vault's. Memory: 80 bytes; 1 KiB of stack.
class Pkcs11Identities final : public IdentityStore {
 public:
  /// \param vault open; outlives this.
  explicit Pkcs11Identities(Pkcs11Vault& vault, const Pkcs11IdentityOptions& options = {})
      : vault_(vault), options_(options) {}

 private:
  const IdentityLabels& labels(IdentityKey key, IdentitySlot slot) const;
  Status destroy_all(CK_SESSION_HANDLE session, CK_OBJECT_CLASS type, const char* label);
  CK_RV create(CK_SESSION_HANDLE session, const char* label, Bytes certificate);
  Status find_intermediate(IdentityKey key, IdentitySlot slot, CK_OBJECT_HANDLE& object, bool& shared);
  Status drop_intermediate(CK_SESSION_HANDLE session, IdentityKey key, IdentitySlot slot, bool& kept);
  bool holds(const char* label, Bytes certificate);
  Status write_intermediate(CK_SESSION_HANDLE session, IdentityKey key, IdentitySlot slot, Bytes certificate);

  Status do_make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) override;
  Status do_sign(IdentityKey key, IdentitySlot slot, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) override;
  Status do_write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) override;
  Result<size_t> do_read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part,
                                     MutableBytes out) override;
  Status do_erase(IdentityKey key, IdentitySlot slot) override;
  Status do_use(IdentityKey key, IdentitySlot slot) override;

  Pkcs11Vault& vault_;
  Pkcs11IdentityOptions options_;
};

/// A P-256 key of the token by its label, for TLS that is not the vehicle's usual one: the bootstrap identity.
class Pkcs11SigningKey final : public SigningKey {
 public:
  /// \param vault open; outlives this. \param label borrowed.
  Pkcs11SigningKey(Pkcs11Vault& vault, const char* label) : vault_(vault), label_(label) {}

  /// Copies the certificate of the same label. \return its size; kNotFound; kBufferTooSmall; kTokenLost.
  Result<size_t> read_certificate(MutableBytes out);

 private:
  Status do_sign(const Digest& digest, EcSignature& signature) override;
  Status do_public_key(EcPoint& point) override;

  Pkcs11Vault& vault_;
  const char* label_;
};

}  // namespace wayseal

#endif
