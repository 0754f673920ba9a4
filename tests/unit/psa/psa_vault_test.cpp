// SPDX-License-Identifier: Apache-2.0
// What the vault on PSA Crypto does besides its contract: least rights of every key, random bytes, loss, fork.
#include "wayseal/psa/psa_vault.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <wayseal_vault_driver.h>

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "contract/key_vault/rigs.hpp"

namespace wayseal::test {
namespace {

constexpr Suite kSuite = Suite::kP256HkdfSha256Aes256Gcm;

Status seal_one(KeyVault& vault, OpenedSession& session) {
  uint8_t out[20];
  return vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                    MutableBytes{out});
}

struct HeldKey {
  psa_key_id_t id;
  psa_key_usage_t use;
  psa_algorithm_t algorithm;
};

/// Every volatile key that this process's PSA holds.
std::vector<HeldKey> volatile_keys() {
  std::vector<HeldKey> keys;
  for (psa_key_id_t id = PSA_KEY_ID_VENDOR_MIN; id < PSA_KEY_ID_VENDOR_MIN + 1000; ++id) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    if (psa_get_key_attributes(id, &attributes) != PSA_SUCCESS) continue;
    keys.push_back({id, psa_get_key_usage_flags(&attributes), psa_get_key_algorithm(&attributes)});
  }
  return keys;
}

psa_status_t exported(psa_key_id_t key) {
  uint8_t out[128];
  size_t size = 0;
  return psa_export_key(key, out, sizeof out, &size);
}

/// Runs `child` in a forked process. \return its exit code.
template <typename Child>
int in_child(Child child) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(child());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

psa_status_t ask_vault(void* vault, uint8_t* out, size_t size) {
  const Status status = static_cast<KeyVault*>(vault)->random({out, size});
  return status == Status::kOk ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

}  // namespace

TEST_CASE("psa vault: identity keys can sign SHA-256 digests and nothing else") {
  PsaRig rig;
  for (const psa_key_id_t key : {kPsaTlsKey, kPsaE2eKey}) {
    CHECK(exported(key) == PSA_ERROR_NOT_PERMITTED);
    uint8_t hash[48] = {};
    uint8_t out[96];
    size_t size = 0;
    CHECK(psa_sign_hash(key, PSA_ALG_ECDSA(PSA_ALG_SHA_384), hash, 48, out, sizeof out, &size) ==
          PSA_ERROR_NOT_PERMITTED);
    EcPoint point;
    REQUIRE(rig.vault().public_key(IdentityKey::kTls, point) == Status::kOk);
    CHECK(psa_raw_key_agreement(PSA_ALG_ECDH, key, point.data, EcPoint::kSize, out, sizeof out, &size) ==
          PSA_ERROR_NOT_PERMITTED);
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t copy = 0;
    CHECK(psa_copy_key(key, &attributes, &copy) == PSA_ERROR_NOT_PERMITTED);
  }
}

TEST_CASE("psa vault: a session's keys encrypt or decrypt, the ephemeral derives, none can be read") {
  PsaRig rig;
  CHECK(volatile_keys().empty());  // what opening has tried is gone
  OpenedSession session(rig.vault(), kSuite);
  EphemeralKey ephemeral;
  EcPoint point;
  REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
  int encrypting = 0;
  int decrypting = 0;
  int deriving = 0;
  for (const HeldKey& key : volatile_keys()) {
    CHECK(exported(key.id) == PSA_ERROR_NOT_PERMITTED);
    if (key.use == PSA_KEY_USAGE_ENCRYPT && key.algorithm == PSA_ALG_GCM) ++encrypting;
    if (key.use == PSA_KEY_USAGE_DECRYPT && key.algorithm == PSA_ALG_GCM) ++decrypting;
    if (key.use != PSA_KEY_USAGE_DERIVE) continue;
    ++deriving;
    uint8_t z[32];
    size_t size = 0;
    CHECK(psa_raw_key_agreement(PSA_ALG_ECDH, key.id, point.data, EcPoint::kSize, z, sizeof z, &size) ==
          PSA_ERROR_NOT_PERMITTED);
  }
  CHECK(volatile_keys().size() == 3);
  CHECK(encrypting == 1);
  CHECK(decrypting == 1);
  CHECK(deriving == 1);
  SessionKeys keys;
  REQUIRE(rig.vault().derive(ephemeral, kSuite, Peer{}.point, transcript_of(2), keys) == Status::kOk);
  CHECK(volatile_keys().size() == 4);  // two sessions, no ephemeral
  rig.vault().destroy(keys);
  rig.vault().destroy(session.keys);
  CHECK(volatile_keys().empty());
}

TEST_CASE("psa vault: a suite that PSA cannot do without giving out key bits is not offered") {
  PsaRig rig;
  CHECK(rig.vault().capabilities().suites.bits == 1);
  EphemeralKey ephemeral;
  EcPoint point;
  SessionKeys keys;
  REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
  CHECK(rig.vault().derive(ephemeral, Suite::kP256CmacKdfAes256Gcm, Peer{}.point, transcript_of(1), keys) ==
        Status::kUnsupported);
  CHECK(volatile_keys().empty());
}

TEST_CASE("psa vault: without a source of random bytes, or with itself as the source, it does not open") {
  PsaDevice device;
  device.vault().~PsaVault();
  new (&device.vault()) PsaVault;
  wayseal_psa_set_platform_random(nullptr, nullptr);
  SECTION("none") {
    CHECK(device.vault().open() == Status::kTokenLost);
    CHECK(static_cast<int32_t>(device.vault().diagnostic()) == PSA_ERROR_INSUFFICIENT_ENTROPY);
  }
  SECTION("itself, as a channel would make it") {
    wayseal_psa_set_random_source(ask_vault, &device.vault());
    CHECK(device.vault().open() == Status::kTokenLost);
    wayseal_psa_set_random_source(nullptr, nullptr);
  }
  device.power_off();
  REQUIRE(device.power_on() == Status::kOk);
  // The board's source goes before a channel's.
  wayseal_psa_set_random_source(ask_vault, &device.vault());
  uint8_t out[16];
  CHECK(device.vault().random(MutableBytes{out}) == Status::kOk);
  wayseal_psa_set_random_source(nullptr, nullptr);
}

TEST_CASE("psa vault: wrong options are told, and a device without identities says so") {
  PsaDevice device;
  CHECK(device.vault().open() == Status::kBadState);
  EcPoint point;
  EcSignature signature;
  uint8_t out[16];
  CHECK(device.vault().public_key(IdentityKey::kTls, point) == Status::kNotFound);
  CHECK(device.vault().sign(IdentityKey::kE2e, Digest{}, signature) == Status::kNotFound);
  CHECK(device.vault().read_object(VaultObject::kTlsCertificate, MutableBytes{out}).status() ==
        Status::kNotFound);
  PsaVault other;
  CHECK(other.reopen() == Status::kBadState);
  CHECK(other.random(MutableBytes{out}) == Status::kTokenLost);
  PsaVaultOptions options;
  options.tls_key = options.e2e_key;
  CHECK(other.open(options) == Status::kInvalidArgument);
  options.tls_key = PSA_KEY_ID_USER_MAX + 1;
  CHECK(other.open(options) == Status::kInvalidArgument);
  options.tls_key = 0;
  CHECK(other.open(options) == Status::kInvalidArgument);
}

TEST_CASE("psa vault: a counter of the platform is the vault's") {
  PsaDevice device;
  CHECK_FALSE(device.vault().capabilities().monotonic_counter);
  CHECK(device.vault().monotonic_counter().status() == Status::kUnsupported);
  CHECK(device.vault().increment_monotonic_counter().status() == Status::kUnsupported);
  uint64_t fuses = 41;
  PsaVaultOptions options;
  options.counter = {&fuses, [](void* context) { return Result<uint64_t>(*static_cast<uint64_t*>(context)); },
                     [](void* context) { return Result<uint64_t>(++*static_cast<uint64_t*>(context)); }};
  PsaVault vault;
  REQUIRE(vault.open(options) == Status::kOk);
  CHECK(vault.capabilities().monotonic_counter);
  CHECK(vault.increment_monotonic_counter().value() == 42);
  CHECK(vault.monotonic_counter().value() == 42);
}

TEST_CASE("psa vault: when PSA loses its keys, the vault says so once, and works again after reopening") {
  PsaRig rig;
  OpenedSession session(rig.vault(), kSuite);
  const uint32_t epoch = rig.vault().epoch();
  for (const HeldKey& key : volatile_keys()) REQUIRE(psa_destroy_key(key.id) == PSA_SUCCESS);
  CHECK(seal_one(rig.vault(), session) == Status::kTokenLost);
  CHECK(rig.vault().epoch() == epoch + 1);
  CHECK(seal_one(rig.vault(), session) == Status::kTokenLost);
  CHECK(rig.vault().epoch() == epoch + 1);
  REQUIRE(rig.vault().reopen() == Status::kOk);
  CHECK(rig.vault().epoch() == epoch + 1);
  CHECK(seal_one(rig.vault(), session) == Status::kInvalidArgument);
  OpenedSession next(rig.vault(), kSuite);
  CHECK(seal_one(rig.vault(), next) == Status::kOk);
}

TEST_CASE("psa vault: a forked child has no session keys, and its parent goes on") {
  PsaRig rig;
  OpenedSession session(rig.vault(), kSuite);
  const uint32_t epoch = rig.vault().epoch();
  CHECK(in_child([&] {
          if (rig.vault().epoch() != epoch + 1) return 1;
          if (seal_one(rig.vault(), session) != Status::kTokenLost) return 2;
          if (!volatile_keys().empty()) return 3;  // its copies are destroyed
          if (rig.vault().reopen() != Status::kOk) return 4;
          uint8_t out[20];
          if (rig.vault().random(MutableBytes{out}) != Status::kOk) return 5;
          return seal_one(rig.vault(), session) == Status::kInvalidArgument ? 0 : 6;
        }) == 0);
  CHECK(rig.vault().epoch() == epoch);
  CHECK(seal_one(rig.vault(), session) == Status::kOk);
}

TEST_CASE("psa vault: when PSA has no key slot left, nothing is lost, and it goes on when there is one") {
  PsaRig rig;
  OpenedSession session(rig.vault(), kSuite);
  std::vector<psa_key_id_t> fillers;
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_bits(&attributes, 256);
  psa_key_id_t filler = 0;
  while (psa_generate_key(&attributes, &filler) == PSA_SUCCESS) fillers.push_back(filler);
  REQUIRE(fillers.size() > 10);
  EphemeralKey ephemeral;
  EcPoint point;
  CHECK(rig.vault().make_ephemeral(ephemeral, point) == Status::kFull);
  CHECK(seal_one(rig.vault(), session) == Status::kOk);
  REQUIRE(psa_destroy_key(fillers[0]) == PSA_SUCCESS);
  REQUIRE(psa_destroy_key(fillers[1]) == PSA_SUCCESS);
  REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
  SessionKeys keys;
  CHECK(rig.vault().derive(ephemeral, kSuite, Peer{}.point, transcript_of(1), keys) == Status::kFull);
  CHECK(keys.vehicle_to_backend.handle == 0);
  REQUIRE(psa_destroy_key(fillers[2]) == PSA_SUCCESS);
  OpenedSession next(rig.vault(), kSuite);  // takes three: what was half made is gone
  for (const psa_key_id_t key : fillers) static_cast<void>(psa_destroy_key(key));
}

}  // namespace wayseal::test
