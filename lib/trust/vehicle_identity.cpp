// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/vehicle_identity.hpp"

#include "wayseal/trust/signed.hpp"

namespace wayseal {
namespace {

bool in_alphabet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

bool valid_vehicle_id(const VehicleId& id) {
  if (id.size == 0 || id.size > kVehicleIdMax) return false;
  for (size_t i = 0; i < id.size; ++i) {
    if (!in_alphabet(id.text[i])) return false;
  }
  return true;
}

Status VehicleIdentity::load(KeyVault& vault, CertVerifier& verifier) {
  chain_ = {};
  const Result<size_t> leaf = vault.read_object(VaultObject::kE2eCertificate, leaf_);
  if (!leaf.ok()) return leaf.status();
  const Result<size_t> intermediate = vault.read_object(VaultObject::kE2eIntermediate, intermediate_);
  if (!intermediate.ok()) return intermediate.status();
  CertChain chain;
  chain.certificates[0] = Bytes{leaf_, leaf.value()};
  chain.certificates[1] = Bytes{intermediate_, intermediate.value()};
  chain.count = 2;

  CertInfo info;
  WAYSEAL_TRY(verifier.verify(chain, Role::kVehicle, CertificateDates{}, info));
  EcPoint own;
  WAYSEAL_TRY(vault.public_key(IdentityKey::kE2e, own));
  if (own != info.public_key) return Status::kNotAuthentic;
  if (!valid_vehicle_id(info.subject)) return Status::kMalformed;
  WAYSEAL_TRY(sha256(chain.certificates[0], digest_));
  id_ = info.subject;
  chain_ = chain;
  return Status::kOk;
}

}  // namespace wayseal
