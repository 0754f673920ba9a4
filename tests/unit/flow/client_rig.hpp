// SPDX-License-Identifier: Apache-2.0
/// \file
/// A whole Client on fakes.
#ifndef WAYSEAL_TESTS_UNIT_FLOW_CLIENT_RIG_HPP
#define WAYSEAL_TESTS_UNIT_FLOW_CLIENT_RIG_HPP

#include "fakes/fake_can_bus.hpp"
#include "unit/collect/plain_table.hpp"
#include "unit/flow/courier_rig.hpp"
#include "wayseal/flow/client.hpp"

namespace wayseal::fakes {

inline constexpr int64_t kFrameMs = 1;

/// A client with everything around it on fakes, and a bus that a test feeds.
struct ClientRig {
  static ClientConfig short_batches() {
    ClientConfig config;
    config.build_time = {VehicleLife::kBuildMs};
    config.recorder.batch_duration_ms = 20 * kFrameMs;
    return config;
  }

  explicit ClientRig(size_t queue_records = 4, const ClientConfig& settings = short_batches(),
                     const FakeVaultOptions& options = {})
      : world(options), config(settings), queue(RecordQueue::memory_needed(queue_records)) {
    must(table.load(view(table_bytes)));
  }

  void send(int frames) {
    for (int i = 0; i < frames; ++i) {
      bus.send(0x100, {static_cast<uint8_t>(sent), 2, 3, 4, 5, 6, 7, 8},
               static_cast<int64_t>(sent) * kFrameMs * kNsPerMs);
      ++sent;
    }
  }

  /// One thread drives both sides until `done`; false after a minute of the fake clock.
  bool run_until(const std::function<bool()>& done) {
    const MonotonicTime end = after_ms(world.clock.now(), 60 * 1000);
    while (!done()) {
      if (end <= world.clock.now()) return false;
      static_cast<void>(client.step_bus(world.clock.now()));
      if (client.step_cloud(world.clock.now()) != Status::kWouldBlock) world.clock.advance_ms(20);
    }
    return true;
  }

  CourierWorld world;
  FakeCanBus bus{1, TimeBase::kRecorded};
  Blob table_bytes = test::make_plain_table({{0x100, 8, {{0, 8}, {1, 8}}}});
  SignalTable table;
  ClientConfig config;
  Blob collector = Blob(Collector::memory_needed(1, 2, Collector::chunks_needed(1, 2)));
  Blob queue;
  Blob cloud = Blob(kClientCloudMemory);
  Client client{
      {bus, world.vault, world.verifier, world.channel, world.clock, world.spool_flash, world.state_flash},
      {mutable_view(collector), mutable_view(queue), mutable_view(cloud)},
      config};
  int sent = 0;
};

}  // namespace wayseal::fakes

#endif
