// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/prekey_store.hpp"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <set>

#include "unit/seal/vehicle_half.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::PrekeyPlan;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

constexpr SuiteSet kBoth{3};

// What becomes of a bundle that the test has changed before it is signed.
Status stored(VehicleLife& life, const std::function<void(PrekeyPlan&)>& change) {
  const Challenge challenge = life.request();
  PrekeyPlan plan = life.world.backend.plan(challenge, 2);
  change(plan);
  return life.prekeys.store(view(life.world.backend.signed_bundle(plan)), challenge);
}

uint64_t take_id(VehicleLife& life) {
  TakenPrekey prekey;
  REQUIRE(life.prekeys.take(kBoth, prekey) == Status::kOk);
  return prekey.id;
}

TEST_CASE("prekeys: each one-time prekey is handed out once, then the last resort again and again") {
  VehicleWorld world;
  VehicleLife life(world);
  TakenPrekey prekey;
  CHECK(life.prekeys.take(kBoth, prekey) == Status::kNotFound);
  REQUIRE(life.fetch(3).bundle == Status::kOk);
  CHECK(life.prekeys.counts().one_time == 3);
  std::set<uint64_t> ids;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(life.prekeys.take(kBoth, prekey) == Status::kOk);
    CHECK_FALSE(prekey.last_resort);
    CHECK(prekey.certificate_digest == fakes::sha256(view(world.backend.prekey.chain.leaf)));
    ids.insert(prekey.id);
  }
  CHECK(ids.size() == 3);
  CHECK(life.prekeys.counts().one_time == 0);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(life.prekeys.take(kBoth, prekey) == Status::kOk);
    CHECK(prekey.last_resort);
    CHECK(ids.count(prekey.id) == 0);
  }
}

TEST_CASE("prekeys: use is remembered over a restart, and over a bundle that brings the same prekey again") {
  VehicleWorld world;
  const Challenge first_challenge;
  PrekeyPlan plan = world.backend.plan(first_challenge, 2);
  uint64_t used = 0;
  {
    VehicleLife life(world);
    REQUIRE(life.prekeys.store(view(world.backend.signed_bundle(plan)), first_challenge) == Status::kOk);
    used = take_id(life);
  }
  VehicleLife life(world);
  CHECK(life.prekeys.counts().one_time == 1);
  // The backend has not seen the session yet and gives the same prekeys again.
  REQUIRE(life.prekeys.store(view(world.backend.signed_bundle(plan)), first_challenge) == Status::kOk);
  CHECK(life.prekeys.counts().one_time == 1);
  const uint64_t second = take_id(life);
  CHECK(second != used);
  CHECK(take_id(life) == plan.last_resort->id);
  // A mark whose prekey is gone makes room.
  REQUIRE(stored(life, [](PrekeyPlan&) {}) == Status::kOk);
  CHECK(life.prekeys.counts().one_time == 2);
}

TEST_CASE("prekeys: a power cut at any write while taking never lets a prekey be handed out twice") {
  VehicleWorld world;
  {
    VehicleLife life(world);
    REQUIRE(life.fetch(4).bundle == Status::kOk);
  }
  const std::vector<uint8_t> before = world.state_flash.image();
  int cuts = 0;
  for (uint64_t n = 1;; ++n) {
    for (const auto mode : {test::CutMode::kClean, test::CutMode::kTorn, test::CutMode::kLoseUnsynced}) {
      world.state_flash.set_image(before);
      std::set<uint64_t> ids;
      bool cut = false;
      {
        VehicleLife life(world);
        world.state_flash.cut_power_at(n, mode);
        TakenPrekey prekey;
        while (!cut) {
          const Status status = life.prekeys.take(kBoth, prekey);
          if (status != Status::kOk || prekey.last_resort) break;
          REQUIRE(ids.insert(prekey.id).second);
        }
        cut = !world.state_flash.powered();
      }
      if (!cut) {
        INFO("cuts: " << cuts);
        CHECK(cuts > 8);
        return;
      }
      ++cuts;
      world.state_flash.power_on();
      VehicleLife life(world);
      TakenPrekey prekey;
      while (life.prekeys.take(kBoth, prekey) == Status::kOk && !prekey.last_resort) {
        REQUIRE(ids.insert(prekey.id).second);
      }
      REQUIRE(prekey.last_resort);
    }
  }
}

TEST_CASE("prekeys: only prekeys with a suite that the caller can use are handed out") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(stored(life, [](PrekeyPlan& plan) {
            plan.one_time[0].suites = 1;
            plan.one_time[1].suites = 0x82;  // with one that nobody knows yet
            plan.last_resort->suites = 1;
          }) == Status::kOk);
  TakenPrekey prekey;
  REQUIRE(life.prekeys.take(SuiteSet{2}, prekey) == Status::kOk);
  CHECK(prekey.suites.bits == 2);
  CHECK(life.prekeys.take(SuiteSet{2}, prekey) == Status::kNotFound);
  CHECK(life.prekeys.take(SuiteSet{1}, prekey) == Status::kOk);
}

TEST_CASE("prekeys: what is expired is not handed out, by trusted time and by the floor") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(1).time == Status::kOk);
  REQUIRE(stored(life, [](PrekeyPlan& plan) {
            plan.one_time[0].expires_ms = BackendHalf::kNowMs + 1000;
            plan.one_time[1].expires_ms = BackendHalf::kNowMs - 1;
          }) == Status::kOk);
  CHECK(life.prekeys.counts().one_time == 1);
  world.clock.advance_ms(1000);
  TakenPrekey prekey;
  REQUIRE(life.prekeys.take(kBoth, prekey) == Status::kOk);
  CHECK(prekey.last_resort);
  // A restart knows only the floor.
  REQUIRE(life.time.keep_floor() == Status::kOk);
  VehicleLife next(world);
  REQUIRE(next.prekeys.take(kBoth, prekey) == Status::kOk);
  CHECK(prekey.last_resort);
}

TEST_CASE("prekeys: the certificate is judged again at every taking") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  world.clock.advance_ms(31 * kMsPerDay);  // the signer was valid for 30 more days
  TakenPrekey prekey;
  CHECK(life.prekeys.take(kBoth, prekey) == Status::kStale);
  CHECK(prekey.id == 0);
}

TEST_CASE("prekeys: a bundle without trusted time is taken, unless its signer ended before the floor") {
  VehicleWorld world;
  VehicleLife life(world);
  CHECK(stored(life, [](PrekeyPlan&) {}) == Status::kOk);
  CHECK_FALSE(life.time.trusted());
  world.backend.prekey.chain = world.verifier.issue(
      {Role::kPrekey, "p", fakes::public_point(world.backend.prekey.key), {0}, {VehicleLife::kBuildMs - 1}});
  CHECK(stored(life, [](PrekeyPlan&) {}) == Status::kStale);
}

TEST_CASE("prekeys: a bundle that is not for this vehicle, this request or this curve changes nothing") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  const uint64_t writes = world.state_flash.writes();
  using Change = std::function<void(PrekeyPlan&)>;
  const std::pair<Change, Status> cases[] = {
      {[](PrekeyPlan& plan) { plan.vehicle_id = "vehicle-8"; }, Status::kNotAuthentic},
      {[](PrekeyPlan& plan) { plan.vehicle_id = "vehicle-77"; }, Status::kNotAuthentic},
      {[](PrekeyPlan& plan) { plan.challenge.data[0] ^= 1; }, Status::kNotAuthentic},
      {[](PrekeyPlan& plan) { plan.one_time[1].point.data[7] ^= 1; }, Status::kNotAuthentic},
      {[](PrekeyPlan& plan) { plan.last_resort->point = EcPoint{}; }, Status::kNotAuthentic},
      {[](PrekeyPlan& plan) { plan.version = 2; }, Status::kUnsupported},
      {[](PrekeyPlan& plan) { plan.one_time[0].id = 0; }, Status::kMalformed},
      {[](PrekeyPlan& plan) { plan.one_time[0].id = plan.one_time[1].id; }, Status::kMalformed},
      {[](PrekeyPlan& plan) { plan.last_resort->id = plan.one_time[1].id; }, Status::kMalformed},
      {[](PrekeyPlan& plan) { plan.one_time[0].suites = 0; }, Status::kMalformed},
      {[](PrekeyPlan& plan) { plan.last_resort.reset(); }, Status::kMalformed},
      {[](PrekeyPlan& plan) { plan.last_resort->expires_ms = 1; }, Status::kStale},
      {[&world](PrekeyPlan& plan) {
         plan.one_time = world.backend.plan(plan.challenge, kPrekeysMax + 1).one_time;
       },
       Status::kMalformed},
  };
  for (const auto& one : cases) CHECK(stored(life, one.first) == one.second);
  CHECK(world.state_flash.writes() == writes);
  CHECK(life.prekeys.counts().one_time == 2);
  CHECK(stored(life, [&world](PrekeyPlan& plan) {
          plan.one_time = world.backend.plan(plan.challenge, kPrekeysMax).one_time;
        }) == Status::kOk);
}

TEST_CASE("prekeys: a vehicle's key, or the time identity, cannot play the backend") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  const std::string body = BackendHalf::bundle_body(world.backend.plan(challenge, 1));
  const fakes::BackendIdentity vehicle{world.vault.private_key(IdentityKey::kE2e), world.chain};
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 prekeys", body, vehicle)), challenge) ==
        Status::kNotAuthentic);
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 prekeys", body, world.backend.time)), challenge) ==
        Status::kNotAuthentic);
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 time", body, world.backend.prekey)), challenge) ==
        Status::kNotAuthentic);
}

TEST_CASE(
    "invariant 6: verify, then parse: a prekey bundle with any bit changed is refused, received or stored") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  const Blob good = world.backend.signed_bundle(world.backend.plan(challenge, 1));
  const uint64_t writes = world.state_flash.writes();
  // Every third bit, so that each byte has its turn two or three times: verifying is slow in a debug build.
  for (size_t bit = 0; bit < good.size() * 8; bit += 3) {
    Blob bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    const Status status = life.prekeys.store(view(bad), challenge);
    REQUIRE((status == Status::kNotAuthentic || status == Status::kMalformed));
  }
  auto stranger = world.backend.prekey;
  stranger.key = fakes::random_scalar();
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 prekeys", "\xFF\xFF", stranger)), challenge) ==
        Status::kNotAuthentic);
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 prekeys", "\xFF\xFF", world.backend.prekey)),
                           challenge) == Status::kMalformed);
  CHECK(world.state_flash.writes() == writes);

  // Somebody writes into the flash, checksum included.
  for (size_t at = 0; at < good.size(); at += 7) {
    Blob bad = good;
    bad[at] = static_cast<uint8_t>(bad[at] ^ 0x10);
    REQUIRE(life.state.put(StateItem::kPrekeyBundle, view(bad)) == Status::kOk);
    TakenPrekey prekey;
    const Status status = life.prekeys.take(kBoth, prekey);
    REQUIRE((status == Status::kNotAuthentic || status == Status::kMalformed));
    CHECK(life.prekeys.load() == Status::kOk);
    CHECK(life.prekeys.counts().one_time == 0);
  }
  REQUIRE(life.state.put(StateItem::kPrekeyBundle, view(good)) == Status::kOk);
  TakenPrekey prekey;
  CHECK(life.prekeys.take(kBoth, prekey) == Status::kOk);
}

TEST_CASE("prekeys: a mark that cannot be stored hands out nothing") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  world.state_flash.fail_all_writes(Status::kFull);
  TakenPrekey prekey;
  CHECK(life.prekeys.take(kBoth, prekey) == Status::kFull);
  CHECK(prekey.id == 0);
  CHECK(life.prekeys.counts().one_time == 2);
}

}  // namespace
}  // namespace wayseal
