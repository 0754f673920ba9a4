// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "fakes/fake_can_bus.hpp"
#include "record.pb.h"
#include "unit/collect/plain_table.hpp"
#include "unit/flow/sealer_rig.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::mutable_view;
using fakes::SealerLife;
using fakes::SealerWorld;
using fakes::VaultCall;
using fakes::view;

std::vector<v1::LossReport> reports(const SealerLife& life) {
  std::vector<v1::LossReport> all;
  for (const std::string& payload : life.payloads(ContentType::kLossReport)) {
    all.emplace_back();
    REQUIRE(all.back().ParseFromString(payload));
  }
  return all;
}

TEST_CASE("invariant 4: a number that was taken in vain is reported, until the report is acknowledged") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  world.vault.fail(VaultCall::kSeal, 1, Status::kTimeout);
  CHECK(life.run() == Status::kTimeout);
  CHECK(life.run() == Status::kOk);
  CHECK(life.sealer.stats().voids == 1);
  life.deliver();
  const auto sent = reports(life);
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].ranges_size() == 1);
  CHECK(sent[0].ranges(0).session_id() == fakes::to_string(life.sealer.session().id().bytes()));
  CHECK(sent[0].ranges(0).first() == 1);
  CHECK(sent[0].ranges(0).last() == 1);
  CHECK(sent[0].ranges(0).count() == 1);
  CHECK(sent[0].ranges(0).cause() == v1::LossRange::CAUSE_VOID);
  CHECK(sent[0].epoch() != 0);

  LossRange ranges[4];
  CHECK(life.spool.losses(ranges).count == 1);
  CHECK_FALSE(life.spool.losses_unreported());
  // The backend settles the void number by the report and acknowledges all three.
  const SessionId session = life.sealer.session().id();
  const Blob ack = world.backend.seal_ack(session, {{session, 3, {}}});
  REQUIRE(life.sealer.take_ack(view(ack)) == Status::kOk);
  CHECK(life.spool.losses(ranges).count == 0);
}

TEST_CASE("invariant 4: what the full spool evicts is reported, and reports keep their distance") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(SealerLife::collect(life.bus_queue, std::string(2000, 'x')));
    REQUIRE(life.run() == Status::kOk);
    world.clock.advance_ms(100);
  }
  const uint64_t evicted = life.spool.stats().evicted;
  REQUIRE(evicted > 100);
  // 40 s: one report in ten seconds at most.
  CHECK(life.sealer.stats().loss_reports >= 2);
  CHECK(life.sealer.stats().loss_reports <= 5);
  REQUIRE(life.sealer.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  life.deliver();
  const auto sent = reports(life);
  REQUIRE_FALSE(sent.empty());
  uint64_t reported = 0;
  for (const auto& range : sent.back().ranges()) reported += range.count();
  CHECK(reported >= evicted);
  CHECK(reported + world.stored.size() == life.sealer.session().last_sequence());
}

TEST_CASE("invariant 4: drops of the bus and of the queue travel, frame counts at the latest before sleep") {
  using namespace test;
  const std::vector<uint8_t> table_bytes = make_plain_table({{0x100, 8, {{0, 16}}}});
  SignalTable table;
  REQUIRE(table.load({table_bytes.data(), table_bytes.size()}) == Status::kOk);
  std::vector<uint8_t> memory(Collector::memory_needed(1, 1, Collector::chunks_needed(1, 1)));
  fakes::FakeCanBus bus(2);
  bus.set_queue_max(3);
  Blob no_memory;
  RecordQueue full_queue(mutable_view(no_memory));
  TimeSnapshot time;
  SealerWorld world;
  Recorder recorder(bus, full_queue, time, world.clock);
  REQUIRE(recorder.start(table, {memory.data(), memory.size()}, {}) == Status::kOk);

  SealerLife life(world, {}, &recorder);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.stats().loss_reports == 0);
  for (int i = 0; i < 5; ++i) bus.send(0x100, {1, 2, 3, 4, 5, 6, 7, 8}, i * kNsPerMs, 1);
  static_cast<void>(recorder.step(world.clock.now()));
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.stats().loss_reports == 1);
  bus.send(0x100, {1, 2, 3, 4, 5, 6, 7, 8}, 10 * kNsPerMs, 0);
  static_cast<void>(recorder.step(world.clock.now()));
  world.clock.advance_ms(60000);
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.stats().loss_reports == 1);  // nothing dropped since
  REQUIRE(life.sealer.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  life.deliver();
  const auto sent = reports(life);
  REQUIRE(sent.size() == 2);
  REQUIRE(sent[0].buses_size() == 2);
  CHECK(sent[0].buses(1).frames() == 3);
  CHECK(sent[0].buses(1).frames_dropped() == 2);
  CHECK(sent[1].buses(0).frames() == 1);
  CHECK(sent[0].epoch() == sent[1].epoch());
  REQUIRE(life.sealer.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  CHECK(life.sealer.stats().loss_reports == 2);
}

TEST_CASE("sealer: a report that is lost with its token is made again") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  world.vault.fail(VaultCall::kSeal, 1, Status::kTimeout);    // void 1
  world.vault.fail(VaultCall::kSeal, 3, Status::kTokenLost);  // the report
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(life.run());
    world.clock.advance_ms(60000);
  }
  life.deliver();
  const auto sent = reports(life);
  REQUIRE(sent.size() == 1);
  uint64_t voids = 0;
  for (const auto& range : sent[0].ranges()) voids += range.count();
  CHECK(voids == 2);
}

}  // namespace
}  // namespace wayseal
