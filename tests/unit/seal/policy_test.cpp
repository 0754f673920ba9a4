// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/policy.hpp"

#include <catch2/catch_test_macros.hpp>

#include "session.pb.h"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/record/content.hpp"
#include "wayseal/seal/session.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::FakeVaultOptions;
using fakes::mutable_view;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

constexpr uint8_t kHkdf = 1;  // as bits of a SuiteSet
constexpr uint8_t kCmac = 2;
constexpr uint8_t kBoth = 3;

FakeVaultOptions token_with(uint8_t suites) {
  FakeVaultOptions options;
  options.suites = {suites};
  return options;
}

// A vehicle whose token has some suites, with one one-time prekey and the last resort for some.
struct Vehicle {
  Vehicle(uint8_t token, uint8_t prekeys) : world(token_with(token)) { fetch(prekeys); }

  void fetch(uint8_t prekeys) {
    fakes::PrekeyPlan plan = world.backend.plan(life.request(), 1);
    for (auto& prekey : plan.one_time) prekey.suites = prekeys;
    plan.last_resort->suites = prekeys;
    const Blob time = world.backend.signed_time(plan.challenge, fakes::BackendHalf::kNowMs);
    PrekeysOutcome outcome;
    const Blob reply = world.backend.reply(world.backend.signed_bundle(plan), time);
    REQUIRE(life.client.take_reply(view(reply), outcome) == Status::kOk);
    REQUIRE(outcome.bundle == Status::kOk);
  }
  Status open(uint8_t allowed) {
    CryptoPolicy policy;
    policy.suites = {allowed};
    open_bytes.assign(kSessionOpenBytesMax, 0);
    size_t size = 0;
    const Status status = session.open(policy, {}, mutable_view(open_bytes), size);
    open_bytes.resize(size);
    return status;
  }
  v1::SessionOpen opened() const {
    v1::SessionOpen message;
    REQUIRE(message.ParseFromString(fakes::to_string(view(open_bytes))));
    return message;
  }

  VehicleWorld world;
  VehicleLife life{world};
  StoredOpenings openings{life.state, life.prekeys};
  Session session{world.vault, world.clock, openings, life.identity};
  Blob open_bytes;
};

TEST_CASE("suite choice: the strongest that token, prekey and policy all allow, for every combination") {
  for (uint8_t token = 1; token <= kBoth; ++token) {
    for (uint8_t prekey = 1; prekey <= kBoth; ++prekey) {
      for (uint8_t policy = 1; policy <= kBoth; ++policy) {
        CAPTURE(int{token}, int{prekey}, int{policy});
        Vehicle vehicle(token, prekey);
        const int common = token & prekey & policy;
        const Status status = vehicle.open(policy);
        if ((token & policy) == 0) {
          CHECK(status == Status::kUnsupported);  // refused: no prekey can mend it
          CHECK(vehicle.life.prekeys.counts().one_time == 1);
        } else if (common == 0) {
          CHECK(status == Status::kNotFound);  // waits for other prekeys, and spends none
          CHECK(vehicle.life.prekeys.counts().one_time == 1);
        } else {
          REQUIRE(status == Status::kOk);
          CHECK(vehicle.opened().suite() == ((common & kHkdf) != 0 ? 1U : 2U));
          CHECK(vehicle.opened().offer() == static_cast<uint32_t>(token & policy));
          CHECK(vehicle.world.backend.take_open(view(vehicle.open_bytes)).has_value());
        }
      }
    }
  }
}

TEST_CASE("suite choice: each of token, prekey and policy alone can exclude suite 1") {
  Vehicle nobody(kBoth, kBoth);
  REQUIRE(nobody.open(kBoth) == Status::kOk);
  CHECK(nobody.opened().suite() == 1);
  Vehicle token(kCmac, kBoth);
  REQUIRE(token.open(kBoth) == Status::kOk);
  CHECK(token.opened().suite() == 2);
  Vehicle prekey(kBoth, kCmac);
  REQUIRE(prekey.open(kBoth) == Status::kOk);
  CHECK(prekey.opened().suite() == 2);
  Vehicle policy(kBoth, kBoth);
  REQUIRE(policy.open(kCmac) == Status::kOk);
  CHECK(policy.opened().suite() == 2);
}

TEST_CASE("suite choice: a vehicle that waited for a suite goes on when other prekeys have come") {
  Vehicle vehicle(kBoth, kHkdf);
  CHECK(vehicle.open(kCmac) == Status::kNotFound);
  vehicle.fetch(kBoth);
  REQUIRE(vehicle.open(kCmac) == Status::kOk);
  CHECK(vehicle.opened().suite() == 2);
}

TEST_CASE("suite choice: suite and offer are under the signature") {
  Vehicle vehicle(kBoth, kBoth);
  REQUIRE(vehicle.open(kBoth) == Status::kOk);
  const auto taken = [&](const v1::SessionOpen& message) {
    return vehicle.world.backend.take_open(view(fakes::to_blob(message.SerializeAsString()))).has_value();
  };
  v1::SessionOpen weaker = vehicle.opened();
  weaker.set_suite(2);
  CHECK_FALSE(taken(weaker));
  v1::SessionOpen offered_less = vehicle.opened();
  offered_less.set_offer(kHkdf);
  CHECK_FALSE(taken(offered_less));
  weaker.set_offer(kCmac);
  CHECK_FALSE(taken(weaker));
  CHECK(taken(vehicle.opened()));
}

TEST_CASE("policy: suite 1 is the stronger one, and unknown suites are no suites") {
  CHECK(strongest_suite(SuiteSet{3}).value() == Suite::kP256HkdfSha256Aes256Gcm);
  CHECK(strongest_suite(SuiteSet{2}).value() == Suite::kP256CmacKdfAes256Gcm);
  CHECK(strongest_suite(SuiteSet{0xFC}).status() == Status::kNotFound);
  CHECK(known_suites().bits == 3);
}

TEST_CASE("policy: one that leaves the token no suite is refused") {
  CryptoPolicy policy;
  CHECK(check_policy(policy, SuiteSet{2}) == Status::kOk);
  policy.suites = {1};
  CHECK(check_policy(policy, SuiteSet{2}) == Status::kUnsupported);
  policy.suites = {0};
  CHECK(check_policy(policy, SuiteSet{3}) == Status::kUnsupported);
  policy.suites = {4};
  CHECK(check_policy(policy, SuiteSet{0xFF}) == Status::kUnsupported);
}

TEST_CASE("policy: limits may only tighten what the protocol allows") {
  const auto check = [](uint64_t records, uint64_t bytes, int64_t age_ms) {
    CryptoPolicy policy;
    policy.limits = {records, bytes, age_ms};
    return check_policy(policy, known_suites());
  };
  CHECK(check(kSessionRecordsMax, kSessionBytesMax, kSessionAgeMaxMs) == Status::kOk);
  CHECK(check(1, kContentMax, 1) == Status::kOk);
  CHECK(check(0, kContentMax, 1) == Status::kInvalidArgument);
  CHECK(check(kSessionRecordsMax + 1, kContentMax, 1) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax - 1, 1) == Status::kInvalidArgument);
  CHECK(check(1, kSessionBytesMax + 1, 1) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax, 0) == Status::kInvalidArgument);
  CHECK(check(1, kContentMax, kSessionAgeMaxMs + 1) == Status::kInvalidArgument);
}

}  // namespace
}  // namespace wayseal
