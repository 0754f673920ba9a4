// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "unit/flow/sealer_rig.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::SealerLife;
using fakes::SealerWorld;
using fakes::view;

// Three records, delivered, of a vehicle with prekeys.
struct Delivered {
  Delivered() {
    REQUIRE(life.fetch(8).bundle == Status::kOk);
    for (int i = 0; i < 3; ++i) REQUIRE(SealerLife::collect(life.bus_queue, "x"));
    REQUIRE(life.run() == Status::kOk);
    REQUIRE(life.spool.sync() == Status::kOk);
    life.deliver();
  }
  uint64_t waiting() const { return life.spool.stats().waiting_records; }

  SealerWorld world;
  SealerLife life{world};
};

TEST_CASE("acks: what the backend has is freed, and nothing else frees anything") {
  Delivered rig;
  CHECK(rig.waiting() == 3);
  const SessionId session = rig.life.sealer.session().id();
  REQUIRE(rig.life.sealer.take_ack(view(rig.world.backend.seal_ack(session, {{session, 1, {0x01}}}))) ==
          Status::kOk);
  CHECK(rig.waiting() == 1);  // 1 and 3
  // An older ack that comes late takes nothing back.
  REQUIRE(rig.life.sealer.take_ack(view(rig.world.backend.seal_ack(session, {{session, 0, {}}}))) ==
          Status::kOk);
  CHECK(rig.waiting() == 1);
  REQUIRE(rig.life.sealer.take_ack(view(rig.life.ack())) == Status::kOk);
  CHECK(rig.waiting() == 0);
  CHECK(rig.life.deliver() == 0);
  CHECK(rig.life.sealer.stats().acks == 3);
}

TEST_CASE("acks: one that names what was never sealed is refused whole") {
  Delivered rig;
  const SessionId session = rig.life.sealer.session().id();
  SessionId other;
  other.data[0] = 1;
  const auto refused = [&rig](const std::vector<fakes::AckEntry>& entries) {
    return rig.life.sealer.take_ack(view(rig.world.backend.seal_ack(rig.life.sealer.session().id(), entries)));
  };
  CHECK(refused({{session, 4, {}}}) == Status::kMalformed);
  CHECK(refused({{session, 1, {0x04}}}) == Status::kMalformed);
  CHECK(refused({{session, 3, {}}, {session, 2, {0x01}}}) == Status::kMalformed);
  CHECK(refused({{session, 3, Blob(33, 0)}}) == Status::kMalformed);
  CHECK(rig.waiting() == 3);
  CHECK(rig.life.sealer.stats().acks_rejected == 4);
  // Sessions that are gone are ignored.
  CHECK(refused({{other, 1000, {}}, {session, 3, {}}}) == Status::kOk);
  CHECK(rig.waiting() == 0);
}

TEST_CASE("acks: any changed bit frees nothing") {
  Delivered rig;
  const Blob good = rig.life.ack();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob bad = good;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    REQUIRE(rig.life.sealer.take_ack(view(bad)) != Status::kOk);
    REQUIRE(rig.waiting() == 3);
  }
}

TEST_CASE("acks: after a restart the new session's acks free the old session's records") {
  SealerWorld world;
  {
    SealerLife life(world);
    REQUIRE(life.fetch(8).bundle == Status::kOk);
    for (int i = 0; i < 3; ++i) REQUIRE(SealerLife::collect(life.bus_queue, "x"));
    REQUIRE(life.sealer.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  }
  SealerLife life(world);
  SessionId session;
  CHECK(life.sealer.ack_session(session) == Status::kBadState);
  REQUIRE(life.run() == Status::kOk);  // nothing is collected, but acks must be opened
  REQUIRE(life.sealer.ack_session(session) == Status::kOk);
  CHECK(life.deliver() == 3);
  REQUIRE(life.sealer.take_ack(view(life.ack())) == Status::kOk);
  CHECK(life.spool.stats().waiting_records == 0);
}

TEST_CASE("acks: a spent session without a successor opens them still") {
  SealerWorld world;
  SealerConfig config;
  config.policy.limits.records = 3;
  SealerLife life(world, config);
  const Challenge challenge = life.request();
  fakes::PrekeyPlan plan = world.backend.plan(challenge, 1);
  plan.last_resort->expires_ms = fakes::BackendHalf::kNowMs + 1000;
  REQUIRE(life.fetch(1).time == Status::kOk);
  REQUIRE(life.prekeys.store(view(world.backend.signed_bundle(plan)), challenge) == Status::kOk);
  for (int i = 0; i < 3; ++i) REQUIRE(SealerLife::collect(life.bus_queue, "x"));
  REQUIRE(life.run() == Status::kOk);
  world.clock.advance_ms(2000);
  REQUIRE(SealerLife::collect(life.bus_queue, "waits"));
  static_cast<void>(life.prekeys.load());
  CHECK(life.run() == Status::kNotFound);
  SessionId session;
  REQUIRE(life.sealer.ack_session(session) == Status::kOk);
  REQUIRE(life.spool.sync() == Status::kOk);
  life.deliver();
  CHECK(life.sealer.take_ack(view(life.ack())) == Status::kOk);
  CHECK(life.spool.stats().waiting_records == 0);
}

TEST_CASE("refusals: the backend's signed word frees the session as lost, counted, and the next one follows") {
  Delivered rig;
  const Digest th = rig.life.sealer.session().transcript();
  const SessionId refused = rig.life.sealer.session().id();
  REQUIRE(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(th, 2))) == Status::kOk);
  CHECK(rig.waiting() == 0);
  CHECK(rig.life.spool.stats().refused == 3);
  CHECK(rig.life.sealer.session().state() == SessionState::kNone);
  // Again: it is gone.
  CHECK(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(th, 2))) != Status::kOk);
  REQUIRE(SealerLife::collect(rig.life.bus_queue, "next"));
  // Not at once, for the next one may be refused just so.
  const uint32_t opened = rig.life.sealer.stats().sessions_opened;
  for (int seconds = 0; seconds < 299; ++seconds) {
    CHECK(rig.life.run() == Status::kRefused);
    rig.world.clock.advance_ms(1000);
  }
  CHECK(rig.life.sealer.stats().sessions_opened == opened);
  CHECK(rig.life.bus_queue.size() == 1);
  rig.world.clock.advance_ms(61 * 1000);
  REQUIRE(rig.life.run() == Status::kOk);
  CHECK(rig.life.sealer.session().id() != refused);
  // The losses travel in the new session.
  CHECK(rig.life.sealer.stats().loss_reports == 1);
}

TEST_CASE("refusals: forged, of another transcript, or for another vehicle, they free nothing") {
  Delivered rig;
  const Digest th = rig.life.sealer.session().transcript();
  Digest half = th;
  half.data[20] ^= 1;  // same session id
  CHECK(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(half, 2))) == Status::kNotAuthentic);
  Digest other = th;
  other.data[0] ^= 1;
  CHECK(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(other, 2))) == Status::kNotFound);
  rig.world.backend.vehicle_id = "vehicle-8";
  CHECK(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(th, 2))) == Status::kNotAuthentic);
  rig.world.backend.vehicle_id = "vehicle-7";
  std::swap(rig.world.backend.prekey, rig.world.backend.time);
  CHECK(rig.life.sealer.take_refusal(view(rig.world.backend.signed_refusal(th, 2))) == Status::kNotAuthentic);
  CHECK(rig.waiting() == 3);
  CHECK(rig.life.sealer.session().state() == SessionState::kAlive);
  CHECK(rig.life.sealer.stats().refusals_rejected == 3);
}

}  // namespace
}  // namespace wayseal
