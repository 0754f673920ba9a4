// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/refusal.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/session.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::mutable_view;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

struct Opened {
  explicit Opened(VehicleWorld& world)
      : life(world),
        openings(life.state, life.prekeys),
        session(world.vault, world.clock, openings, life.identity) {
    REQUIRE(life.fetch(2).bundle == Status::kOk);
    size_t size = 0;
    REQUIRE(session.open({}, {}, mutable_view(open), size) == Status::kOk);
    open.resize(size);
  }
  Status verify(const Blob& message) {
    return verify_refusal(view(message), life.time, life.identity, refusal);
  }
  Status fits() { return refusal_fits(refusal, view(open), life.identity.id()); }

  VehicleLife life;
  StoredOpenings openings;
  Session session;
  Blob open = Blob(kSessionOpenBytesMax);
  Refusal refusal;
};

TEST_CASE("refusal: signed by the prekey identity, it fits the SessionOpen with the same whole transcript") {
  VehicleWorld world;
  Opened opened(world);
  REQUIRE(opened.verify(world.backend.signed_refusal(opened.session.transcript(), 2)) == Status::kOk);
  CHECK(opened.refusal.reason == RefusalReason::kPrekeyDestroyed);
  CHECK(opened.fits() == Status::kOk);
  REQUIRE(opened.verify(world.backend.signed_refusal(opened.session.transcript(), 99)) == Status::kOk);
  CHECK(opened.refusal.reason == RefusalReason::kUnspecified);
}

TEST_CASE("refusal: one that shares only the session id does not fit") {
  VehicleWorld world;
  Opened opened(world);
  Digest th = opened.session.transcript();
  th.data[31] ^= 1;
  REQUIRE(opened.verify(world.backend.signed_refusal(th, 1)) == Status::kOk);
  CHECK(session_id_of(opened.refusal.th) == opened.session.id());
  CHECK(opened.fits() == Status::kNotAuthentic);
  REQUIRE(opened.verify(world.backend.signed_refusal(opened.session.transcript(), 1)) == Status::kOk);
  opened.open.resize(opened.open.size() - 1);
  CHECK(opened.fits() == Status::kMalformed);
}

TEST_CASE("refusal: of another vehicle, role or label it is not authentic") {
  VehicleWorld world;
  Opened opened(world);
  const Digest th = opened.session.transcript();
  world.backend.vehicle_id = "vehicle-8";
  CHECK(opened.verify(world.backend.signed_refusal(th, 1)) == Status::kNotAuthentic);
  world.backend.vehicle_id = "vehicle-7";
  std::swap(world.backend.prekey, world.backend.time);
  CHECK(opened.verify(world.backend.signed_refusal(th, 1)) == Status::kNotAuthentic);
  std::swap(world.backend.prekey, world.backend.time);
  world.clock.advance_ms(31 * kMsPerDay);
  CHECK(opened.verify(world.backend.signed_refusal(th, 1)) == Status::kStale);
}

TEST_CASE("invariant 6: verify, then parse: a refusal with any bit changed frees nothing") {
  VehicleWorld world;
  Opened opened(world);
  const Blob good = world.backend.signed_refusal(opened.session.transcript(), 2);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    const Status status = opened.verify(bad);
    REQUIRE((status == Status::kNotAuthentic || status == Status::kMalformed));
  }
  CHECK(opened.verify(BackendHalf::sign("wayseal/1 refuse", "\xFF", world.backend.prekey)) ==
        Status::kMalformed);
  auto stranger = world.backend.prekey;
  stranger.key = fakes::random_scalar();
  CHECK(opened.verify(BackendHalf::sign("wayseal/1 refuse", "\xFF", stranger)) == Status::kNotAuthentic);
}

}  // namespace
}  // namespace wayseal
