// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the contract suite runs on: one struct a vault. A rig that cannot exist here skips the test and says
/// why.
#ifndef WAYSEAL_TESTS_CONTRACT_KEY_VAULT_RIGS_HPP
#define WAYSEAL_TESTS_CONTRACT_KEY_VAULT_RIGS_HPP

#include <catch2/catch_test_macros.hpp>

#include "contract/key_vault/psa_device.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "fakes/fake_vault.hpp"

namespace wayseal::test {

/// What the rigs' vaults hold as VaultObject::kDataRoot; every other object is absent.
class FakeRig {
 public:
  FakeRig() { vault_.set_object(VaultObject::kDataRoot, root()); }
  KeyVault& vault() { return vault_; }
  Bytes root() const { return {root_, sizeof root_}; }

 private:
  uint8_t root_[3] = {0x30, 0x01, 0x00};
  fakes::FakeVault vault_;
};

class TokenRig {
 public:
  explicit TokenRig(TokenFixture& fixture) : fixture_(fixture) {
    if (!fixture.missing().empty()) SKIP(fixture.missing());
    vault_.emplace(fixture.module(), fixture.pin());
    Pkcs11VaultOptions options;
    options.token_label = fixture.token_label();
    REQUIRE(vault_->open(options) == Status::kOk);
  }
  Pkcs11Vault& vault() { return *vault_; }
  TokenFixture& fixture() { return fixture_; }
  Bytes root() const { return {fixture_.certificate().data(), fixture_.certificate().size()}; }

 private:
  TokenFixture& fixture_;
  std::optional<Pkcs11Vault> vault_;
};

struct SoftHsmRig : TokenRig {
  SoftHsmRig() : TokenRig(TokenFixture::softhsm()) {}
};
struct NssRig : TokenRig {
  NssRig() : TokenRig(TokenFixture::nss()) {}
};

/// mbedTLS's PSA Crypto with its keys on flash.
class PsaRig {
 public:
  PsaRig() {
    PsaProvisioning provisioning(device_.vault());
    REQUIRE(provisioning.make_keys() == Status::kOk);
    REQUIRE(provisioning.install(VaultObject::kDataRoot, root()) == Status::kOk);
  }
  KeyVault& vault() { return device_.vault(); }
  Bytes root() const { return {root_, sizeof root_}; }

 private:
  uint8_t root_[3] = {0x30, 0x01, 0x00};
  PsaDevice device_;
};

/// The backend's side of one session, in OpenSSL.
struct Peer {
  fakes::Scalar scalar = fakes::random_scalar();
  EcPoint point = fakes::public_point(scalar);
  fakes::Secret32 vehicle_to_backend{};
  fakes::Secret32 backend_to_vehicle{};
  void agree(Suite suite, const EcPoint& vehicle, const Digest& transcript) {
    const auto z = fakes::ecdh(scalar, vehicle);
    REQUIRE(z);
    vehicle_to_backend = fakes::derive_key(suite, *z, fakes::kVehicleToBackendLabel, transcript);
    backend_to_vehicle = fakes::derive_key(suite, *z, fakes::kBackendToVehicleLabel, transcript);
  }
};

inline std::vector<Suite> suites_of(const KeyVault& vault) {
  std::vector<Suite> suites;
  for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
    if (vault.capabilities().suites.has(suite)) suites.push_back(suite);
  }
  return suites;
}

inline Digest transcript_of(uint8_t seed) {
  Digest transcript;
  for (size_t i = 0; i < Digest::kSize; ++i) transcript.data[i] = static_cast<uint8_t>(seed + 7 * i);
  return transcript;
}

/// A session between `vault` and a fresh peer.
struct OpenedSession {
  Peer peer;
  SessionKeys keys;
  NonceCounter counter;
  OpenedSession(KeyVault& vault, Suite suite, uint8_t seed = 1) {
    EphemeralKey ephemeral;
    EcPoint point;
    REQUIRE(vault.make_ephemeral(ephemeral, point) == Status::kOk);
    REQUIRE(vault.derive(ephemeral, suite, peer.point, transcript_of(seed), keys) == Status::kOk);
    peer.agree(suite, point, transcript_of(seed));
    counter.restart(kSessionRecordsMax);
  }
};

inline Bytes view(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

inline std::vector<uint8_t> pattern(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 31 + 5);
  return bytes;
}

inline Nonce nonce_of(uint64_t sequence) {
  Nonce nonce;
  store_be64(nonce.data + 4, sequence);
  return nonce;
}

}  // namespace wayseal::test

#endif
