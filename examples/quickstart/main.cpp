// SPDX-License-Identifier: Apache-2.0
// The whole way in few lines: `candump -L can0 | quickstart MODULE TOKEN HOST PORT TABLE 3<pin`. README.md shows what
// stands between the marks; a test runs it.
#include <cstdio>

// [quickstart]
#include "quickstart.hpp"

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  static Platform at(argv);  // token, storage, TLS: see quickstart.hpp
  static wayseal::CandumpPlayer can(at.clock, 0, wayseal::CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  static wayseal::SignalTable table;
  static uint8_t collector[256 * 1024], queue[16 * wayseal::RecordQueue::memory_needed(1)];
  static uint8_t cloud[wayseal::kClientCloudMemory];

  wayseal::ClientConfig config;
  config.recorder.when_full = wayseal::WhenFull::kWait;  // a recording can wait; a live bus cannot
  static wayseal::Client client({can, at.vault, at.verifier, at.tls, at.clock, at.spool, at.state},
                                {collector, queue, cloud}, config);
  if (table.load(at.table) != wayseal::Status::kOk || client.start(table) != wayseal::Status::kOk) return 1;

  while (!client.bus_ended() || !client.all_delivered()) {
    (void)client.step_bus(at.clock.now());  // reads, decodes, collects: never waits
    if (client.bus_ended()) (void)client.flush_bus();
    if (client.step_cloud(at.clock.now()) != wayseal::Status::kWouldBlock)
      at.wait();  // seals, stores, delivers
  }
  std::printf("%llu records sealed and delivered\n",
              static_cast<unsigned long long>(client.stats().sealer.records_sealed));
}
// [quickstart]
