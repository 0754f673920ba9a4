// SPDX-License-Identifier: Apache-2.0
// The firmware image: CAN frames from the UART, sealed, spooled in flash, delivered over mutual TLS. README.md has its
// arguments and what it prints.
#include "board/board.hpp"
#include "image/arena.hpp"
#include "image/provision.hpp"
#include "image/status_line.hpp"

extern "C" const uint8_t image_table_start[];
extern "C" const uint8_t image_table_end[];

namespace image {
namespace {

using wayseal::Status;

constexpr int kExitTrouble = 1;
constexpr int kExitArguments = 2;

int stop(const char* what, Status status = Status::kOk) {
  board::print("wayseal: ");
  board::print(what);
  if (status != Status::kOk) {
    board::print(": ");
    board::print(wayseal::status_name(status));
  }
  board::print("\n");
  return kExitTrouble;
}

wayseal::ClientConfig client_config(const board::Words& words) {
  wayseal::ClientConfig config;
  config.build_time = {WAYSEAL_MCU_BUILD_TIME_MS};
  config.recorder.batch_duration_ms = words.number("batch_ms", 1000);
  config.recorder.when_full =
      words.is("bus", "recording") ? wayseal::WhenFull::kWait : wayseal::WhenFull::kDropAndCount;
  config.recorder.rounds_per_step = 2;
  config.sealer.records_per_step = 1;
  config.sealer.sync_interval_ms = words.number("sync_ms", 500);
  config.sealer.sync_bytes = 4096;
  config.courier.upload_bytes = 8 * 1024;
  config.courier.linger_ms = 200;
  config.courier.back_off_min_ms = 250;
  config.courier.back_off_max_ms = words.number("back_off_ms", 60'000);
  config.courier.resend_ms = 5'000;
  config.courier.prekeys_low = 2;
  config.courier.http.idle_ms = words.number("patience_ms", 30'000);
  return config;
}

wayseal::ClientMemory client_memory() {
  static uint8_t collector[wayseal::Collector::memory_needed(kGroupsMax, kSignalsMax, kChunks)];
  static uint8_t queue[wayseal::RecordQueue::memory_needed(kQueueSlots)];
  static uint8_t cloud[wayseal::kClientCloudMemory];
  return {collector, queue, cloud};
}

// Both sides in one loop, until a recording has ended and everything is delivered; a live bus goes on for ever.
int run(wayseal::Client& client, Bus& bus, Link& link, board::BoardClock& clock, StatusLine& line) {
  for (;;) {
    const Status bus_status = client.step_bus(clock.now());
    bus.resume();
    if (client.bus_ended()) (void)client.flush_bus();
    const bool received = link.network().poll();
    const Status cloud_status = client.step_cloud(clock.now());
    line.update(clock.now());
    if (client.bus_ended() && client.all_delivered()) break;
    if (!received && bus_status != Status::kWouldBlock && cloud_status != Status::kWouldBlock) board::idle();
  }
  line.print_summary();
  link.channel().close();
  return 0;
}

int deliver(const board::Words& words, Trust& trust, Areas& areas, board::BoardClock& clock) {
  if (const Trouble trouble = trust.load()) return stop(trouble);
  static Link link(words, trust, clock);
  if (const Trouble trouble = link.start(trust)) return stop(trouble);
  static Bus bus(
      clock, words.is("bus", "recording") ? can::WhenRingFull::kHoldBack : can::WhenRingFull::kDropAndCount);
  static wayseal::SignalTable table;
  const Status loaded =
      table.load_built_in({image_table_start, static_cast<size_t>(image_table_end - image_table_start)});
  if (loaded != Status::kOk) return stop("the signal table", loaded);
  static wayseal::Client client(
      {bus.port(), trust.vault(), trust.verifier(), link.channel(), clock, areas.spool(), areas.state()},
      client_memory(), client_config(words));
  const Status started = client.start(table);
  if (started != Status::kOk) return stop("the client does not start", started);
  bus.start();
  static StatusLine line(client, words.number("status_ms", 1000));
  return run(client, bus, link, clock, line);
}

}  // namespace
}  // namespace image

int main() {
  static board::BoardClock clock;
  static board::Words words;
  if (!words.read()) return image::kExitArguments;
  static image::Areas areas(words.number("spool_sectors", image::kSpoolSectors));
  static image::Trust trust(areas.keys());
  image::start_arena();
  if (const image::Trouble trouble = trust.start()) return image::stop(trouble);
  if (words.is("mode", "request")) return image::print_requests(trust);
  if (words.is("mode", "install")) return image::take_objects(trust);
  if (words.is("mode", "deliver")) return image::deliver(words, trust, areas, clock);
  return image::kExitArguments;
}
