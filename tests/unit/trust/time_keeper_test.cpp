// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/time_keeper.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/seal/vehicle_half.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

constexpr int64_t kNow = BackendHalf::kNowMs;

Challenge some_challenge() {
  Challenge challenge;
  challenge.data[5] = 42;
  return challenge;
}

TEST_CASE("time: from a signed statement on, UTC is known, and the round trip counts half") {
  VehicleWorld world;
  VehicleLife life(world);
  CHECK_FALSE(life.time.trusted());
  CHECK(life.time.now().status() == Status::kBadState);
  CHECK(life.time.dates().check == CertificateDates::Check::kIgnored);
  CHECK(life.time.not_before() == UtcTime{VehicleLife::kBuildMs});

  const Moment begun = life.time.moment();
  const Blob message = world.backend.signed_time(some_challenge(), kNow);
  world.clock.advance_ms(4000);
  REQUIRE(life.time.take(view(message), some_challenge(), begun) == Status::kOk);
  REQUIRE(life.time.trusted());
  CHECK(life.time.now().value() == UtcTime{kNow + 2000});
  world.clock.advance_ms(60000);
  CHECK(life.time.now().value() == UtcTime{kNow + 62000});
  CHECK(life.time.dates().now == UtcTime{kNow + 62000});
  const int64_t offset_us = life.time.utc_offset_us().value();
  CHECK(offset_us + world.clock.now().ns / 1000 == (kNow + 62000) * 1000);
}

TEST_CASE("time: the floor survives a restart and never goes back") {
  VehicleWorld world;
  {
    VehicleLife life(world);
    REQUIRE(life.fetch(1).time == Status::kOk);
    world.clock.advance_ms(5000);
    REQUIRE(life.time.keep_floor() == Status::kOk);
  }
  VehicleLife life(world);
  CHECK_FALSE(life.time.trusted());
  CHECK(life.time.not_before() == UtcTime{kNow + 5000});
  CHECK(life.fetch(1, kNow + 4999).time == Status::kStale);
  CHECK(life.time.not_before() == UtcTime{kNow + 5000});
  CHECK(life.fetch(1, kNow + 5000).time == Status::kOk);
}

TEST_CASE("time: a statement below the build time is refused by a vehicle that has stored nothing yet") {
  VehicleWorld world;
  world.backend.time.chain = world.verifier.issue({Role::kTime,
                                                   "t",
                                                   fakes::public_point(world.backend.time.key),
                                                   {VehicleLife::kBuildMs - 80 * kMsPerDay},
                                                   {VehicleLife::kBuildMs + 10 * kMsPerDay}});
  VehicleLife life(world);
  CHECK(life.fetch(1, VehicleLife::kBuildMs - 1).time == Status::kStale);
  CHECK(life.fetch(1, VehicleLife::kBuildMs).time == Status::kOk);
}

TEST_CASE("time: an answer after more than 10 s, or in another life of the clock, is not taken") {
  VehicleWorld world;
  VehicleLife life(world);
  const Blob message = world.backend.signed_time(some_challenge(), kNow);
  Moment begun = life.time.moment();
  world.clock.advance_ms(kTimeRoundTripMaxMs + 1);
  CHECK(life.time.take(view(message), some_challenge(), begun) == Status::kTimeout);
  begun = life.time.moment();
  world.clock.break_continuity();
  CHECK(life.time.take(view(message), some_challenge(), begun) == Status::kStale);
  begun = life.time.moment();
  world.clock.advance_ms(kTimeRoundTripMaxMs);
  CHECK(life.time.take(view(message), some_challenge(), begun) == Status::kOk);
}

TEST_CASE("time: trust ends with a fork or a resume, the floor stays") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(1).time == Status::kOk);
  world.clock.break_continuity();
  CHECK_FALSE(life.time.trusted());
  CHECK(life.time.dates().check == CertificateDates::Check::kIgnored);
  CHECK(life.time.not_before() == UtcTime{kNow});
}

TEST_CASE("time: the signer must be valid at the stated time, and for at most 90 days") {
  struct Case {
    int64_t from_days, to_days;
    Status expected;
  };
  for (const Case& one : {Case{-45, 45, Status::kOk}, Case{-46, 45, Status::kStale},
                          Case{1, 10, Status::kStale}, Case{-10, -1, Status::kStale}}) {
    VehicleWorld world;
    world.backend.time.chain = world.verifier.issue({Role::kTime,
                                                     "t",
                                                     fakes::public_point(world.backend.time.key),
                                                     {kNow + one.from_days * kMsPerDay},
                                                     {kNow + one.to_days * kMsPerDay}});
    VehicleLife life(world);
    CHECK(life.fetch(1).time == one.expected);
    CHECK(life.time.trusted() == (one.expected == Status::kOk));
  }
}

TEST_CASE("time: another challenge, another role, another label are not authentic") {
  VehicleWorld world;
  VehicleLife life(world);
  const Moment begun = life.time.moment();
  const Blob good = world.backend.signed_time(some_challenge(), kNow);
  CHECK(life.time.take(view(good), Challenge{}, begun) == Status::kNotAuthentic);
  // The prekey identity states a time.
  std::swap(world.backend.time, world.backend.prekey);
  CHECK(life.time.take(view(world.backend.signed_time(some_challenge(), kNow)), some_challenge(), begun) ==
        Status::kNotAuthentic);
  std::swap(world.backend.time, world.backend.prekey);
  // The right identity under another label.
  SignedMessage parts;
  REQUIRE(split_signed(SignedLabel::kTime, view(good), parts) == Status::kOk);
  const Blob relabelled =
      BackendHalf::sign("wayseal/1 prekeys", fakes::to_string(parts.body), world.backend.time);
  CHECK(life.time.take(view(relabelled), some_challenge(), begun) == Status::kNotAuthentic);
  CHECK_FALSE(life.time.trusted());
}

TEST_CASE("invariant 6: verify, then parse: signed time with any bit changed says nothing") {
  VehicleWorld world;
  VehicleLife life(world);
  const Moment begun = life.time.moment();
  const Blob good = world.backend.signed_time(some_challenge(), kNow);
  const uint64_t writes = world.state_flash.writes();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    const Status status = life.time.take(view(bad), some_challenge(), begun);
    REQUIRE((status == Status::kNotAuthentic || status == Status::kMalformed));
  }
  // What does not parse is only found out when the right identity has signed it.
  const Blob nonsense = BackendHalf::sign("wayseal/1 time", "\xFF\xFF\xFF", world.backend.time);
  CHECK(life.time.take(view(nonsense), some_challenge(), begun) == Status::kMalformed);
  auto stranger = world.backend.time;
  stranger.key = fakes::random_scalar();
  const Blob unsigned_nonsense = BackendHalf::sign("wayseal/1 time", "\xFF\xFF\xFF", stranger);
  CHECK(life.time.take(view(unsigned_nonsense), some_challenge(), begun) == Status::kNotAuthentic);
  CHECK_FALSE(life.time.trusted());
  CHECK(world.state_flash.writes() == writes);
  CHECK(life.time.take(view(good), some_challenge(), begun) == Status::kOk);
}

TEST_CASE("time: a floor that cannot be stored is no time") {
  VehicleWorld world;
  VehicleLife life(world);
  world.state_flash.fail_all_writes(Status::kStorageFailed);
  CHECK(life.fetch(1).time == Status::kStorageFailed);
  CHECK_FALSE(life.time.trusted());
}

}  // namespace
}  // namespace wayseal
