// SPDX-License-Identifier: Apache-2.0
#include "image/status_line.hpp"

#include "board/board.hpp"
#include "image/arena.hpp"

namespace image {
void StatusLine::update(wayseal::MonotonicTime now) {
  const wayseal::CourierStats courier = client_.stats().courier;
  if (courier.retries != failures_) {
    failures_ = courier.retries;
    board::print("failure channel=");
    board::print(wayseal::channel_failure_name(courier.last_channel_failure.failure));
    board::print(" status=");
    board::print(wayseal::status_name(courier.last_failure));
    board::print_field("http", courier.last_http_status);
    board::print("\n");
  }
  if (now < next_) return;
  next_ = wayseal::after_ms(now, interval_ms_);
  print_counts("status");
}

void StatusLine::print_counts(const char* kind) {
  const wayseal::ClientStats stats = client_.stats();
  for (uint8_t bus = 0; bus < wayseal::kBusesMax; ++bus) {
    wayseal::BusSnapshot seen;
    if (client_.recorder().bus(bus, seen)) buses_[bus] = seen.counters;
  }
  board::print(kind);
  board::print_field("ms", board::ticks().ms);
  uint64_t frames = 0;
  uint64_t dropped = 0;
  for (const wayseal::BusCounters& bus : buses_) {
    frames += bus.frames;
    dropped += bus.frames_dropped;
  }
  board::print_field("frames", frames);
  board::print_field("frames_dropped", dropped);
  board::print_field("samples", stats.collector.samples);
  board::print_field("samples_dropped", stats.collector.samples_dropped);
  board::print_field("records_sealed", stats.sealer.records_sealed);
  board::print_field("records_waiting", stats.spool.waiting_records);
  board::print_field("records_settled", stats.spool.settled);
  board::print_field("records_evicted", stats.spool.evicted);
  board::print_field("connections", stats.courier.connections);
  board::print_field("stack", board::stack_used());
  board::print_field("arena", arena_peak());
  board::print("\n");
}

void StatusLine::print_summary() { print_counts("summary"); }

}  // namespace image
