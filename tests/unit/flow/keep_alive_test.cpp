// SPDX-License-Identifier: Apache-2.0
// The watchdog's hook: between two calls of it never lies more than one thing that may take long.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "unit/flow/client_rig.hpp"

namespace wayseal::fakes {
namespace {

/// What the ports are asked for between two calls of the hook.
class Watch {
 public:
  explicit Watch(CourierWorld& world) : world_(world) { start_over(); }

  KeepAlive hook() {
    return {[](void* self) { static_cast<Watch*>(self)->fed(); }, this};
  }

  void start_over() {
    calls = most_long_ones = most_operations = 0;
    long_before_ = long_ones();
    operations_before_ = operations();
  }

  uint64_t calls = 0;
  uint64_t most_long_ones = 0;   ///< Calls of the token that compute, erasures, syncs.
  uint64_t most_operations = 0;  ///< Reads and programs.

 private:
  void fed() {
    ++calls;
    most_long_ones = std::max(most_long_ones, long_ones() - long_before_);
    most_operations = std::max(most_operations, operations() - operations_before_);
    long_before_ = long_ones();
    operations_before_ = operations();
  }

  uint64_t long_ones() const {
    uint64_t count = 0;
    for (const test::FakeFlash* flash : {&world_.spool_flash, &world_.state_flash})
      count += flash->erases() + flash->syncs();
    for (const VaultCall call : {VaultCall::kSign, VaultCall::kMakeEphemeral, VaultCall::kDerive,
                                 VaultCall::kSeal, VaultCall::kOpen, VaultCall::kReadObject})
      count += world_.vault.calls(call);
    return count;
  }
  uint64_t operations() const {
    return world_.spool_flash.reads() + world_.spool_flash.programs() + world_.state_flash.reads() +
           world_.state_flash.programs();
  }

  CourierWorld& world_;
  uint64_t long_before_ = 0;
  uint64_t operations_before_ = 0;
};

/// At most one of the long ones, and of each of the two storages its reads and programs.
void check(const Watch& watch) {
  CHECK(watch.most_long_ones == 1);
  CHECK(watch.most_operations <= 2 * kStorageOperationsBetweenKeepAlives);
}

}  // namespace

TEST_CASE("keep alive: a spool of any size is mounted, sealed into and brought to sleep in small pieces") {
  ClientRig first(64);
  REQUIRE(first.client.start(first.table) == Status::kOk);
  first.send(40);
  REQUIRE(first.run_until([&] { return first.client.all_delivered() && first.client.stats().time_trusted; }));
  first.world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
  // As much as the spool holds, so that the next mount has all of it to read.
  for (int i = 0; i < 40 && first.client.stats().spool.evicted == 0; ++i) {
    first.send(1000);
    REQUIRE(first.run_until(
        [&] { return first.client.stats().collector.samples >= static_cast<uint64_t>(first.sent) * 2; }));
  }
  REQUIRE(first.client.stats().spool.waiting_records > 100);

  Watch watch(first.world);
  Blob collector(first.collector.size());
  Blob queue(first.queue.size());
  Blob cloud(first.cloud.size());
  ClientConfig config = first.config;
  config.keep_alive = watch.hook();
  Client second{{first.bus, first.world.vault, first.world.verifier, first.world.channel, first.world.clock,
                 first.world.spool_flash, first.world.state_flash},
                {mutable_view(collector), mutable_view(queue), mutable_view(cloud)},
                config};
  const uint64_t reads_before = first.world.spool_flash.reads();
  REQUIRE(second.start(first.table) == Status::kOk);
  const uint64_t reads = first.world.spool_flash.reads() - reads_before;
  CHECK(reads > 10 * kStorageOperationsBetweenKeepAlives);
  CHECK(watch.calls > reads / kStorageOperationsBetweenKeepAlives);
  check(watch);

  watch.start_over();
  const MonotonicTime now = first.world.clock.now();
  first.world.spool_flash.fail_all_writes(Status::kStorageFailed);
  first.send(500);
  while (second.step_bus(now) == Status::kWouldBlock) {
  }
  CHECK(second.prepare_sleep(after_ms(now, 1000)) == Status::kStorageFailed);
  first.world.spool_flash.fail_all_writes({});
  CHECK(second.flush_bus() == Status::kOk);
  CHECK(second.prepare_sleep(after_ms(now, 1000)) == Status::kOk);
  CHECK(second.stats().sealer.spool_remounts == 1);
  CHECK(second.stats().sealer.records_sealed > 10);
  CHECK(watch.calls > second.stats().sealer.records_sealed);
  check(watch);
}

}  // namespace wayseal::fakes
