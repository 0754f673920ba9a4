// SPDX-License-Identifier: Apache-2.0
// The whole way, as a device runs it: 32 signals in 8 groups.
#include "device.hpp"
#include "wayseal/flow/client.hpp"
#include "wayseal/signal/signal_table.hpp"

using namespace wayseal;

namespace {

constexpr size_t kGroups = 8;
constexpr size_t kSignals = 32;
constexpr size_t kChunks = 52;
constexpr size_t kQueued = 2;

unsigned char collector_memory[Collector::memory_needed(kGroups, kSignals, kChunks)];
unsigned char queue_memory[RecordQueue::memory_needed(kQueued)];
unsigned char cloud_memory[kClientCloudMemory];
Place<Client> client_place;
Place<SignalTable> table_place;

bool finished(Client& client, MonotonicTime now) {
  const ClientStats stats = client.stats();
  device_take(&stats);
  return client.flush_bus() == Status::kOk && client.prepare_sleep(now) == Status::kOk &&
         client.all_delivered();
}

}  // namespace

void reset() {
  const Ports ports{device_bus(),   device_vault(), device_verifier(), device_channel(),
                    device_clock(), device_spool(), device_state()};
  SignalTable& table = table_place.make();
  Client& client =
      client_place.make(ports, ClientMemory{collector_memory, queue_memory, cloud_memory}, ClientConfig());
  Status status = table.load({device_table(), device_table_size()});
  if (status == Status::kOk) status = client.start(table);
  while (status == Status::kOk) {
    static_cast<void>(client.step_bus(ports.clock.now()));
    static_cast<void>(client.step_cloud(ports.clock.now()));
    if (finished(client, ports.clock.now())) device_take(&client);
  }
  for (;;) device_take(&status);
}
