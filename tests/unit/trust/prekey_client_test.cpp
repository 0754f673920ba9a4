// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/prekey_client.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/seal/vehicle_half.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::mutable_view;
using fakes::VehicleLife;
using fakes::VehicleWorld;
using fakes::view;

TEST_CASE("prekeys: the backend takes the vehicle's request, each has a challenge of its own") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge first = life.request();
  const Challenge second = life.request();
  CHECK(first != second);
}

TEST_CASE("prekeys: one answer brings time and prekeys, and is taken once") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  const Blob reply = world.backend.reply(world.backend.signed_bundle(world.backend.plan(challenge, 2)),
                                         world.backend.signed_time(challenge, BackendHalf::kNowMs));
  PrekeysOutcome outcome;
  REQUIRE(life.client.take_reply(view(reply), outcome) == Status::kOk);
  CHECK(outcome.time == Status::kOk);
  CHECK(outcome.bundle == Status::kOk);
  CHECK(life.client.take_reply(view(reply), outcome) == Status::kBadState);
  static_cast<void>(life.request());
  CHECK(life.client.take_reply(view(reply), outcome) == Status::kNotAuthentic);
}

TEST_CASE("prekeys: a late answer brings prekeys, but no time") {
  VehicleWorld world;
  VehicleLife life(world);
  const Challenge challenge = life.request();
  const Blob reply = world.backend.reply(world.backend.signed_bundle(world.backend.plan(challenge, 2)),
                                         world.backend.signed_time(challenge, BackendHalf::kNowMs));
  world.clock.advance_ms(kTimeRoundTripMaxMs + 1);
  PrekeysOutcome outcome;
  CHECK(life.client.take_reply(view(reply), outcome) == Status::kOk);
  CHECK(outcome.time == Status::kTimeout);
  CHECK(outcome.bundle == Status::kOk);
  CHECK_FALSE(life.time.trusted());
}

TEST_CASE("prekeys: the bundle is judged by the time that came with it") {
  VehicleWorld world;
  world.backend.prekey.chain = world.verifier.issue(
      {Role::kPrekey, "p", fakes::public_point(world.backend.prekey.key), {0}, {BackendHalf::kNowMs - 1}});
  VehicleLife life(world);
  const PrekeysOutcome outcome = life.fetch(1);
  CHECK(outcome.time == Status::kOk);
  CHECK(outcome.bundle == Status::kStale);
}

TEST_CASE("prekeys: answers that are cut short or empty are refused") {
  VehicleWorld world;
  VehicleLife life(world);
  PrekeysOutcome outcome;
  static_cast<void>(life.request());
  CHECK(life.client.take_reply({}, outcome) == Status::kNotFound);
  const Challenge challenge = life.request();
  const Blob reply = world.backend.reply({}, world.backend.signed_time(challenge, BackendHalf::kNowMs));
  CHECK(life.client.take_reply(view(reply).first(reply.size() - 1), outcome) == Status::kMalformed);
}

TEST_CASE("prekeys: no request without an identity, a suite, room or a token") {
  VehicleWorld world;
  VehicleLife life(world);
  Blob out(kPrekeysRequestMax);
  size_t size = 7;
  CHECK(life.client.make_request(SuiteSet{0}, 1, mutable_view(out), size) == Status::kInvalidArgument);
  CHECK(life.client.make_request(SuiteSet{1}, kPrekeysMax + 1, mutable_view(out), size) ==
        Status::kInvalidArgument);
  CHECK(life.client.make_request(SuiteSet{1}, 1, {out.data(), 100}, size) == Status::kBufferTooSmall);
  CHECK(size == 0);
  world.vault.lose_token();
  CHECK(life.client.make_request(SuiteSet{1}, 1, mutable_view(out), size) == Status::kTokenLost);
  const VehicleIdentity nobody;
  PrekeyClient client(world.vault, nobody, life.time, life.prekeys);
  CHECK(client.make_request(SuiteSet{1}, 1, mutable_view(out), size) == Status::kBadState);
}

}  // namespace
}  // namespace wayseal
