// SPDX-License-Identifier: Apache-2.0
/// \file
/// Who this vehicle is: the certificate of its `e2e` key, as provisioned.
#ifndef WAYSEAL_TRUST_VEHICLE_IDENTITY_HPP
#define WAYSEAL_TRUST_VEHICLE_IDENTITY_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/key_vault.hpp"

namespace wayseal {

/// Whether `id` follows PROTOCOL.md, "Identities and roles": 1 to 32 of [A-Za-z0-9._-].
bool valid_vehicle_id(const VehicleId& id);

/// Holds the chain, because every SessionOpen and request carries it. About 2.2 KiB. Not copyable: hands out
/// views into itself.
class VehicleIdentity {
 public:
  VehicleIdentity() = default;
  VehicleIdentity(const VehicleIdentity&) = delete;
  VehicleIdentity& operator=(const VehicleIdentity&) = delete;

  /// Reads the `e2e` certificate and its intermediate from the token, checks the chain under role `vehicle`
  /// (dates aside: the backend judges them) and that the certificate is that of the token's key. May wait for
  /// the token.
  /// \return kOk; kNotFound (not provisioned); kNotAuthentic (another root, role or key); kMalformed (the name
  ///         is no vehicle id, or a certificate is none); kBufferTooSmall (a certificate above
  ///         kCertificateMax); kTokenLost. Nothing is set unless kOk.
  Status load(KeyVault& vault, CertVerifier& verifier);

  bool loaded() const { return chain_.count != 0; }
  const VehicleId& id() const { return id_; }
  const CertChain& chain() const { return chain_; }
  /// SHA-256 of the leaf's DER.
  const Digest& certificate_digest() const { return digest_; }

 private:
  VehicleId id_;
  Digest digest_;
  CertChain chain_;
  uint8_t leaf_[kCertificateMax] = {};
  uint8_t intermediate_[kCertificateMax] = {};
};

}  // namespace wayseal

#endif
