// SPDX-License-Identifier: Apache-2.0
// Starts that fail, and configurations out of range: told, and nothing is done with them.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <vector>

#include "fakes/fake_can_bus.hpp"
#include "unit/collect/plain_table.hpp"
#include "unit/flow/courier_rig.hpp"
#include "wayseal/flow/client.hpp"

namespace wayseal::fakes {
namespace {

/// Everything that a client stands on; a test breaks one thing before it makes the client.
struct StartRig {
  StartRig() {
    config.build_time = {VehicleLife::kBuildMs};
    must(table.load(view(table_bytes)));
  }
  Client& client() {
    if (!made) {
      made.emplace(Ports{bus, world.vault, world.verifier, world.channel, world.clock, world.spool_flash,
                         world.state_flash},
                   ClientMemory{mutable_view(collector), mutable_view(queue), mutable_view(cloud)}, config);
    }
    return *made;
  }
  Status start() { return client().start(table); }

  CourierWorld world;
  FakeCanBus bus{1, TimeBase::kRecorded};
  Blob table_bytes = test::make_plain_table({{0x100, 8, {{0, 8}, {1, 8}}}});
  SignalTable table;
  ClientConfig config;
  Blob collector = Blob(Collector::memory_needed(1, 2, Collector::chunks_needed(1, 2)));
  Blob queue = Blob(RecordQueue::memory_needed(4));
  Blob cloud = Blob(kClientCloudMemory);
  std::optional<Client> made;
};

}  // namespace

TEST_CASE("Client: what is missing at start is told, and nothing is started") {
  struct Case {
    const char* what;
    std::function<void(StartRig&)> breaks;
    Status expected;
  };
  const std::vector<Case> cases = {
      {"cloud memory", [](StartRig& rig) { rig.cloud.resize(kClientCloudMemory - 1); },
       Status::kBufferTooSmall},
      {"a common suite", [](StartRig& rig) { rig.config.sealer.policy.suites = {}; }, Status::kUnsupported},
      {"room for collecting", [](StartRig& rig) { rig.collector.resize(16); }, Status::kBufferTooSmall},
      {"an identity", [](StartRig& rig) { rig.world.vault.remove_object(VaultObject::kE2eCertificate); },
       Status::kNotFound},
      {"a token", [](StartRig& rig) { rig.world.vault.fail(VaultCall::kPublicKey, 1, Status::kTokenLost); },
       Status::kTokenLost},
      {"a state of ours", [](StartRig& rig) { rig.world.state_flash.fill(0); }, Status::kMalformed},
      {"a spool of ours", [](StartRig& rig) { rig.world.spool_flash.fill(0); }, Status::kMalformed},
      {"a medium that answers", [](StartRig& rig) { rig.world.spool_flash.make_unreadable(0, 64 * 4096); },
       Status::kStorageFailed},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    StartRig rig;
    one.breaks(rig);
    CHECK(rig.start() == one.expected);
    CHECK(rig.client().step_cloud(rig.world.clock.now()) == Status::kBadState);
  }
}

TEST_CASE("Client: a start whose state cannot be read works when it is tried again") {
  StartRig first;
  {
    StateStore state(first.world.state_flash);
    REQUIRE(state.mount() == Status::kOk);
    const uint8_t floor[8] = {0, 0, 1, 0, 0, 0, 0, 0};
    REQUIRE(state.put(StateItem::kTimeFloor, Bytes{floor}) == Status::kOk);
  }
  bool failed = true;
  for (uint64_t n = 1; failed; ++n) {
    first.world.state_flash.fail_read_at(n, Status::kStorageFailed);
    const Status status = first.start();
    failed = status != Status::kOk;
    if (!failed) {
      CHECK(n > 5);
      break;
    }
    INFO("read " << n);
    CHECK(status == Status::kStorageFailed);
    first.world.state_flash.fail_read_at(0, Status::kOk);
    CHECK(first.start() == Status::kOk);
  }
}

TEST_CASE("Client: filters, the end of the bus, sleep and the vehicle's name are reached through it") {
  StartRig rig;
  CHECK(rig.client().prepare_sleep(rig.world.clock.now()) == Status::kBadState);
  REQUIRE(rig.start() == Status::kOk);
  CHECK(to_string(rig.client().vehicle_id().bytes()) == "vehicle-7");
  CanFilter scratch[4];
  CHECK(rig.client().apply_filters(scratch) == Status::kOk);
  CHECK_FALSE(rig.client().bus_ended());
  CHECK(rig.client().prepare_sleep(after_ms(rig.world.clock.now(), 1000)) == Status::kOk);
}

TEST_CASE("courier: each waiting time must be positive, and each amount within its range") {
  const std::vector<std::function<void(CourierConfig&)>> wrong = {
      [](CourierConfig& c) { c.upload_bytes = 1023; },
      [](CourierConfig& c) { c.upload_bytes = 240 * 1024 + 1; },
      [](CourierConfig& c) { c.linger_ms = 0; },
      [](CourierConfig& c) { c.back_off_min_ms = 0; },
      [](CourierConfig& c) { c.back_off_max_ms = c.back_off_min_ms - 1; },
      [](CourierConfig& c) { c.retry_after_max_ms = 0; },
      [](CourierConfig& c) { c.resend_ms = 0; },
      [](CourierConfig& c) { c.idle_close_ms = 0; },
      [](CourierConfig& c) { c.refresh_ms = 0; },
  };
  for (size_t i = 0; i < wrong.size(); ++i) {
    INFO("case " << i);
    CourierWorld world;
    CourierConfig config;
    wrong[i](config);
    CourierLife life(world, config);
    CHECK(life.courier.step(world.clock.now()) == Status::kInvalidArgument);
    CHECK(world.channel.openings() == 0);
  }
}

TEST_CASE("sealer: each interval and amount must be positive") {
  const std::vector<std::function<void(SealerConfig&)>> wrong = {
      [](SealerConfig& c) { c.sync_interval_ms = 0; },
      [](SealerConfig& c) { c.sync_bytes = 0; },
      [](SealerConfig& c) { c.loss_report_interval_ms = 0; },
      [](SealerConfig& c) { c.records_per_step = 0; },
      [](SealerConfig& c) { c.refused_wait_ms = 0; },
      [](SealerConfig& c) { c.retry_min_ms = 0; },
      [](SealerConfig& c) { c.retry_max_ms = c.retry_min_ms - 1; },
      [](SealerConfig& c) { c.policy.limits.records = 0; },
  };
  for (size_t i = 0; i < wrong.size(); ++i) {
    INFO("case " << i);
    SealerWorld world;
    SealerConfig config;
    wrong[i](config);
    SealerLife life(world, config);
    REQUIRE(SealerLife::collect(life.bus_queue, "a"));
    CHECK(life.sealer.step(world.clock.now()) == Status::kInvalidArgument);
    CHECK(life.bus_queue.size() == 1);
  }
}

TEST_CASE("sealer: a policy with tighter limits ends the session, one with the same does not") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  const CryptoPolicy same;
  const SessionLimits all = same.limits;
  const std::vector<SessionLimits> tighter = {{all.records - 1, all.bytes, all.age_ms},
                                              {all.records - 1, all.bytes - 1, all.age_ms},
                                              {all.records - 1, all.bytes - 1, all.age_ms - 1}};
  uint64_t sessions = 1;
  for (const SessionLimits& limits : tighter) {
    CryptoPolicy policy;
    policy.limits = limits;
    for (int again = 0; again < 2; ++again) {
      REQUIRE(life.sealer.set_policy(policy) == Status::kOk);
      REQUIRE(SealerLife::collect(life.bus_queue, "b"));
      REQUIRE(life.run() == Status::kOk);
      if (again == 0) ++sessions;
      CHECK(life.sealer.stats().sessions_opened == sessions);
    }
  }
}

}  // namespace wayseal::fakes
