// SPDX-License-Identifier: Apache-2.0
// What is out of range, of another size than was stored, or cannot be read: refused, and nothing is changed by it.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "unit/seal/vehicle_half.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::VaultCall;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

constexpr int64_t kNow = BackendHalf::kNowMs;

void put(VehicleWorld& world, StateItem item, const Blob& value) {
  StateStore state(world.state_flash);
  REQUIRE(state.mount() == Status::kOk);
  REQUIRE(state.put(item, view(value)) == Status::kOk);
}

Status load_time(VehicleWorld& world, uint64_t failing_read) {
  StateStore state(world.state_flash);
  REQUIRE(state.mount() == Status::kOk);
  TimeKeeper time(world.clock, world.verifier, state, UtcTime{VehicleLife::kBuildMs});
  world.state_flash.fail_read_at(failing_read, Status::kStorageFailed);
  return time.load();
}

TEST_CASE("time: a floor that cannot be read, or has another size, is a failure and not no floor") {
  VehicleWorld world;
  CHECK(load_time(world, 0) == Status::kOk);
  put(world, StateItem::kTimeFloor, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(load_time(world, 0) == Status::kOk);
  CHECK(load_time(world, 1) == Status::kStorageFailed);
  put(world, StateItem::kTimeFloor, {1, 2, 3, 4, 5, 6, 7});
  CHECK(load_time(world, 0) == Status::kStorageFailed);
}

TEST_CASE("time: a stored floor from before this program was built does not lower it") {
  VehicleWorld world;
  put(world, StateItem::kTimeFloor, {0, 0, 0, 0, 0, 0, 0, 9});
  VehicleLife life(world);
  CHECK(life.time.not_before() == UtcTime{VehicleLife::kBuildMs});
}

TEST_CASE("time: a statement beyond the year 2200 is stale, however well it is signed") {
  constexpr int64_t kEndOf2199Ms = 7258118400000;
  for (const int64_t utc_ms : {kEndOf2199Ms, kEndOf2199Ms + 1}) {
    VehicleWorld world;
    world.backend.time.chain = world.verifier.issue({Role::kTime,
                                                     "t",
                                                     fakes::public_point(world.backend.time.key),
                                                     {kEndOf2199Ms - 10 * kMsPerDay},
                                                     {kEndOf2199Ms + 10 * kMsPerDay}});
    VehicleLife life(world);
    CHECK(life.fetch(1, utc_ms).time == (utc_ms == kEndOf2199Ms ? Status::kOk : Status::kStale));
  }
}

TEST_CASE("time: an answer from before its request was begun is not taken") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  Moment begun = life.time.moment();
  begun.at.ns += 1;
  const Blob message = world.backend.signed_time(challenge, kNow);
  CHECK(life.time.take(view(message), challenge, begun) == Status::kTimeout);
  CHECK_FALSE(life.time.trusted());
}

TEST_CASE("prekeys: a bundle larger than what can be kept is malformed") {
  VehicleWorld world;
  VehicleLife life(world);
  const uint64_t writes = world.state_flash.writes();
  CHECK(life.prekeys.store(view(Blob(kPrekeyBundleMax + 1)), {}) == Status::kMalformed);
  CHECK(world.state_flash.writes() == writes);
}

TEST_CASE("prekeys: a bundle that is signed and has two last resorts is malformed") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  fakes::PrekeyPlan plan = world.backend.plan(challenge, 1);
  const std::string good = BackendHalf::bundle_body(plan);
  plan.one_time.clear();
  plan.last_resort->id += 1000;
  const std::string more = BackendHalf::bundle_body(plan);
  const Blob message = BackendHalf::sign("wayseal/1 prekeys", good + more, world.backend.prekey);
  CHECK(life.prekeys.store(view(message), challenge) == Status::kMalformed);
  CHECK(life.prekeys.counts().one_time == 0);
  CHECK(life.prekeys.store(view(BackendHalf::sign("wayseal/1 prekeys", good, world.backend.prekey)),
                           challenge) == Status::kOk);
}

TEST_CASE("prekeys: without room to verify what is stored, nothing is handed out") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(1).bundle == Status::kOk);
  Blob small(kPrekeyBundleMax - 1);
  PrekeyStore cramped(life.state, life.time, life.identity, fakes::mutable_view(small));
  TakenPrekey taken;
  CHECK(cramped.load() == Status::kBufferTooSmall);
  CHECK(cramped.take({3}, taken) == Status::kBufferTooSmall);
}

TEST_CASE("prekeys: whichever read of the storage fails, nothing is handed out or forgotten") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(4).bundle == Status::kOk);
  TakenPrekey taken;
  REQUIRE(life.prekeys.take({3}, taken) == Status::kOk);
  const uint64_t first = taken.id;
  int failed = 0;
  for (uint64_t n = 1;; ++n) {
    world.state_flash.fail_read_at(n, Status::kStorageFailed);
    const Status status = life.prekeys.take({3}, taken);
    if (status == Status::kOk) break;
    CHECK(status == Status::kStorageFailed);
    CHECK(life.prekeys.load() == Status::kOk);
    CHECK(life.prekeys.counts().one_time == 3);
    ++failed;
  }
  CHECK(failed >= 4);  // the bundle's header and bytes, the marks' header and bytes
  CHECK(taken.id != first);
  for (uint64_t n = 1; n <= 4; ++n) {
    const Challenge challenge = life.request();
    const Blob message = world.backend.signed_bundle(world.backend.plan(challenge, 1));
    world.state_flash.fail_read_at(n, Status::kStorageFailed);
    const Status status = life.prekeys.store(view(message), challenge);
    CHECK(status == (n <= 2 ? Status::kStorageFailed : Status::kOk));
  }
}

TEST_CASE("prekeys: a token that does not sign makes no request") {
  VehicleWorld world;
  VehicleLife life(world);
  Blob out(kPrekeysRequestMax);
  size_t size = 1;
  world.vault.fail(VaultCall::kSign, 1, Status::kTimeout);
  CHECK(life.client.make_request({3}, 1, fakes::mutable_view(out), size) == Status::kTimeout);
  CHECK(size == 0);
  PrekeysOutcome outcome;
  CHECK(life.client.take_reply({}, outcome) == Status::kBadState);
}

TEST_CASE("identity: a name is 1 to 32 letters, digits, dots, underlines and dashes") {
  const auto valid = [](const std::string& text) {
    VehicleId id;
    id.size = static_cast<uint8_t>(text.size());
    text.copy(id.text, sizeof id.text);
    return valid_vehicle_id(id);
  };
  CHECK(valid("azAZ09._-"));
  CHECK(valid(std::string(kVehicleIdMax, 'x')));
  CHECK_FALSE(valid(""));
  CHECK_FALSE(valid(std::string(kVehicleIdMax + 1, 'x')));
  for (const char c : std::string("/:@[`{, \x7F\xC3")) CHECK_FALSE(valid(std::string("a") + c));
}

TEST_CASE("identity: a token that does not give its public key gives no identity") {
  VehicleWorld world;
  VehicleIdentity identity;
  world.vault.fail(VaultCall::kPublicKey, 1, Status::kTokenLost);
  CHECK(identity.load(world.vault, world.verifier) == Status::kTokenLost);
  CHECK_FALSE(identity.loaded());
}

TEST_CASE("signed: a hash over an item that is too long for its length field has no digest") {
  const std::vector<uint8_t> most(65536);
  Digest digest;
  Sha256 good;
  good.add_item({most.data(), 65535});
  CHECK(good.finish(digest) == Status::kOk);
  CHECK(good.finish(digest) == Status::kBadState);  // there is only one
  Sha256 bad;
  bad.add_item({most.data(), 65536});
  bad.add_item({most.data(), 1});
  bad.add({most.data(), 1});
  CHECK(bad.finish(digest) == Status::kBadState);
}

}  // namespace
}  // namespace wayseal
