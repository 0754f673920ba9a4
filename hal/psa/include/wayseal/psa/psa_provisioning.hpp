// SPDX-License-Identifier: Apache-2.0
/// \file
/// First trust of a device whose keys are in PSA Crypto: it makes its keys, asks for certificates, and takes them.
#ifndef WAYSEAL_PSA_PSA_PROVISIONING_HPP
#define WAYSEAL_PSA_PSA_PROVISIONING_HPP

#include "wayseal/psa/psa_vault.hpp"

namespace wayseal {

/// The largest signing request in bytes of DER.
inline constexpr size_t kSigningRequestMax = 212;

/// How far a device is.
enum class PsaProvisioningState : uint8_t {
  kBlank,     ///< An identity key is missing: call `make_keys`.
  kKeysMade,  ///< An object that the vehicle needs is missing: send the requests out, `install` what comes back.
  kComplete,  ///< Both keys, both certificates, the e2e intermediate and both roots are there.
};

/// The device's side of provisioning, at the production line or in the workshop:
///
///     make_keys                    both identity keys are made in PSA; their private halves never leave it
///     request(kTls), request(kE2e) PKCS#10 (RFC 2986), each signed by the key it is for
///     install(...) six times       certificates of the OEM's authorities, and the roots to trust
///
/// Every call may be repeated after a power cut: a key that exists is kept, an object that is there already is kOk.
/// The line must know by itself which device it talks to; nothing here authenticates the OEM to the device: who installs
/// the roots first is trusted for ever. A request names its key ("wayseal-tls", "wayseal-e2e") as the subject's common
/// name, so that one cannot be taken for the other; the vehicle's id is the OEM's to choose.
///
/// Not linked unless used. Threads: the vault's. Blocking: as PSA and its storage do. Memory: a reference.
class PsaProvisioning {
 public:
  /// \param vault open, with its key ids; outlives this object.
  explicit PsaProvisioning(PsaVault& vault) : vault_(vault) {}

  /// \return the state; kTokenLost.
  Result<PsaProvisioningState> state();

  /// Makes the identity keys that are missing: persistent, P-256, ECDSA with SHA-256 and nothing else.
  /// \return kOk; kFull without room for them; kUnsupported when PSA has no persistent keys; kDenied; kTokenLost.
  Status make_keys();

  /// Writes the signing request of a key, DER.
  /// \param out kSigningRequestMax bytes are always enough.
  /// \return the bytes used; kNotFound before `make_keys`; kBufferTooSmall; kTokenLost.
  Result<size_t> request(IdentityKey key, MutableBytes out);

  /// Takes a certificate or a root, durably. Roots stay for ever (PSA_STORAGE_FLAG_WRITE_ONCE); a certificate and its
  /// intermediate may be replaced by a later one for the same key.
  /// \param der 1 to kCertificateMax bytes.
  /// \return kOk; kInvalidArgument for the size; kMalformed when it is not one whole DER sequence; kNotAuthentic for a
  ///         certificate that does not hold the public key of this device's identity; kBadState when another
  ///         root is there; kFull without room; kNotFound for a certificate before `make_keys`; kTokenLost.
  Status install(VaultObject object, Bytes der);

 private:
  Status make_key(IdentityKey key);
  Status check_leaf(IdentityKey key, Bytes der);

  PsaVault& vault_;
};

}  // namespace wayseal

#endif
