// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "constant_time/memcheck.hpp"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/refusal.hpp"
#include "wayseal/seal/session.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::mutable_view;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;
using test::complaints;
using test::make_secret;

/// A copy of `value` with byte `at` changed; none when `at` is beyond its end.
template <typename T>
T changed(T value, size_t at) {
  if (at < T::kSize) value.data[at] ^= 1;
  return value;
}

// Equal, and different in the first, a middle and the last byte: a comparison that stops early would show.
constexpr size_t kPlaces[] = {32, 0, 15, 31};

TEST_CASE("constant time: equal_constant_time never branches on what it compares") {
  REQUIRE(test::under_valgrind());
  for (const size_t size : {0U, 1U, 12U, 16U, 32U, 65U}) {
    const std::vector<uint8_t> ours(size, 0x5A);
    for (size_t different = 0; different <= size; ++different) {
      std::vector<uint8_t> theirs = ours;
      if (different < size) theirs[different] ^= 0x80;
      make_secret({ours.data(), size});
      make_secret({theirs.data(), size});
      bool same = false;
      CHECK(complaints([&] { same = equal_constant_time({ours.data(), size}, {theirs.data(), size}); }) == 0);
      CHECK(test::made_public(same) == (different == size));
      test::make_public({ours.data(), size});
    }
  }
}

TEST_CASE("constant time: the challenge that a signed time answers") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge sent = life.request();
  const Blob message = world.backend.signed_time(sent, fakes::BackendHalf::kNowMs);
  for (const size_t place : kPlaces) {
    const Challenge kept = changed(sent, place);
    make_secret(kept.bytes());
    Status status = Status::kOk;
    CHECK(complaints([&] { status = life.time.take(view(message), kept, life.time.moment()); }) == 0);
    CHECK(status == (place == Challenge::kSize ? Status::kOk : Status::kNotAuthentic));
  }
}

TEST_CASE("constant time: the challenge that a prekey bundle answers") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge sent = life.request();
  const Blob message = world.backend.signed_bundle(world.backend.plan(sent, 1));
  for (const size_t place : kPlaces) {
    const Challenge kept = changed(sent, place);
    make_secret(kept.bytes());
    Status status = Status::kOk;
    CHECK(complaints([&] { status = life.prekeys.store(view(message), kept); }) == 0);
    CHECK(status == (place == Challenge::kSize ? Status::kOk : Status::kNotAuthentic));
  }
}

TEST_CASE("constant time: the transcript hash that a refusal names") {
  VehicleWorld world;
  VehicleLife life(world);
  REQUIRE(life.fetch(1).bundle == Status::kOk);
  StoredOpenings openings(life.state, life.prekeys);
  Session session(world.vault, world.clock, openings, life.identity);
  Blob open(kSessionOpenBytesMax);
  size_t size = 0;
  REQUIRE(session.open({}, {}, mutable_view(open), size) == Status::kOk);
  open.resize(size);
  for (const size_t place : kPlaces) {
    Refusal refusal;
    refusal.th = changed(session.transcript(), place);
    make_secret(refusal.th.bytes());
    Status status = Status::kOk;
    CHECK(complaints([&] { status = refusal_fits(refusal, view(open), life.identity.id()); }) == 0);
    CHECK(status == (place == Digest::kSize ? Status::kOk : Status::kNotAuthentic));
  }
}

}  // namespace
}  // namespace wayseal
