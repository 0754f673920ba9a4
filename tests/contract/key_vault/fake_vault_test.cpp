// SPDX-License-Identifier: Apache-2.0
// The faults that the fake vault injects: other tests rely on them.
#include <catch2/catch_test_macros.hpp>

#include "contract/key_vault/rigs.hpp"

namespace wayseal::test {
namespace {

using fakes::FakeVault;
using fakes::FakeVaultOptions;
using fakes::VaultCall;

constexpr Suite kSuite = Suite::kP256HkdfSha256Aes256Gcm;

Status sign_one(KeyVault& vault) {
  EcSignature signature;
  return vault.sign(IdentityKey::kE2e, transcript_of(1), signature);
}

Status seal_one(KeyVault& vault, OpenedSession& session) {
  uint8_t out[20];
  return vault.seal(session.keys.vehicle_to_backend, session.counter.take(), {}, view(pattern(4)),
                    MutableBytes{out});
}

}  // namespace

TEST_CASE("the fake vault fails the call that it was told to fail, and no other") {
  FakeVault vault;
  vault.fail(VaultCall::kSign, 2, Status::kTimeout);
  CHECK(sign_one(vault) == Status::kOk);
  CHECK(sign_one(vault) == Status::kTimeout);
  CHECK(sign_one(vault) == Status::kOk);
  CHECK(vault.calls(VaultCall::kSign) == 3);
  vault.fail_always(VaultCall::kSign, Status::kDenied);
  CHECK(sign_one(vault) == Status::kDenied);
  CHECK(sign_one(vault) == Status::kDenied);
  vault.heal();
  CHECK(sign_one(vault) == Status::kOk);
}

TEST_CASE("the fake vault loses its keys with its token") {
  FakeVault vault;
  OpenedSession session(vault, kSuite);
  const uint32_t epoch = vault.epoch();
  vault.fail(VaultCall::kSeal, 2, Status::kTokenLost);
  CHECK(seal_one(vault, session) == Status::kOk);
  CHECK(seal_one(vault, session) == Status::kTokenLost);
  CHECK(vault.epoch() == epoch + 1);
  CHECK(vault.live_session_keys() == 0);
  CHECK(sign_one(vault) == Status::kTokenLost);
  CHECK(vault.reopen() == Status::kOk);
  CHECK(vault.epoch() == epoch + 1);
  CHECK(sign_one(vault) == Status::kOk);
  CHECK(seal_one(vault, session) == Status::kInvalidArgument);
}

TEST_CASE("the fake vault can be absent, and can have another PIN") {
  FakeVault vault;
  vault.remove_token();
  CHECK(sign_one(vault) == Status::kTokenLost);
  CHECK(vault.reopen() == Status::kTokenLost);
  vault.insert_token();
  CHECK(vault.reopen() == Status::kOk);
  vault.set_wrong_pin();
  CHECK(vault.reopen() == Status::kDenied);
  CHECK(vault.reopen() == Status::kDenied);
  CHECK(vault.logins() == 2);
}

TEST_CASE("the fake vault notes each nonce, and refuses one that comes twice") {
  FakeVault vault;
  OpenedSession session(vault, kSuite);
  vault.fail(VaultCall::kSeal, 1, Status::kTimeout);
  CHECK(seal_one(vault, session) == Status::kTimeout);
  CHECK(seal_one(vault, session) == Status::kOk);
  REQUIRE(vault.nonce_uses().size() == 2);
  CHECK(vault.nonce_uses()[0].status == Status::kTimeout);
  CHECK(vault.nonce_uses()[1].nonce == nonce_of(2));
  CHECK_FALSE(vault.nonce_reused());
  session.counter.restart(5);  // A mistake that a token would not notice.
  CHECK(seal_one(vault, session) == Status::kInvalidArgument);
  CHECK(vault.nonce_reused());
}

TEST_CASE("two fake vaults of one seed make the same random values and ephemerals") {
  FakeVaultOptions options;
  options.seed = 42;
  FakeVault first(options);
  FakeVault second(options);
  uint8_t a[50];
  uint8_t b[50];
  REQUIRE(first.random(MutableBytes{a}) == Status::kOk);
  REQUIRE(second.random(MutableBytes{b}) == Status::kOk);
  CHECK(equal(Bytes{a}, Bytes{b}));
  EphemeralKey key;
  EcPoint p;
  EcPoint q;
  REQUIRE(first.make_ephemeral(key, p) == Status::kOk);
  REQUIRE(second.make_ephemeral(key, q) == Status::kOk);
  CHECK(p == q);
}

TEST_CASE("the fake vault tells a hook of each call, and counts monotonically when it may") {
  FakeVaultOptions options;
  options.counter = 7;
  options.suites = SuiteSet{2};
  FakeVault vault(options);
  std::vector<VaultCall> seen;
  vault.on_call([&](VaultCall call) { seen.push_back(call); });
  CHECK(vault.monotonic_counter().value() == 7);
  CHECK(vault.increment_monotonic_counter().value() == 8);
  CHECK(vault.monotonic_counter().value() == 8);
  CHECK(seen == std::vector<VaultCall>(3, VaultCall::kCounter));
  CHECK_FALSE(vault.capabilities().suites.has(kSuite));
  FakeVault plain;
  CHECK(plain.monotonic_counter().status() == Status::kUnsupported);
}

}  // namespace wayseal::test
