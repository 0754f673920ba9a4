// SPDX-License-Identifier: Apache-2.0
#include "can/uart_can_bus.hpp"

namespace can {
namespace {

using wayseal::BusState;
using wayseal::CanFrame;

// Pieces that are no frame must not keep `receive` busy: for each frame that is asked for it looks at so many.
constexpr size_t kPiecesAFrame = 4;

uint8_t within(uint8_t value, uint8_t low, uint8_t high) {
  if (value < low) return low;
  return value > high ? high : value;
}

/// What a counter of the sender has grown by. One that went back has begun anew, from 0.
uint32_t growth(uint32_t& last, uint32_t now) {
  const uint32_t grown = now < last ? now : now - last;
  last = now;
  return grown;
}

}  // namespace

UartCanBus::UartCanBus(PieceRing& ring, const wayseal::Clock& clock, const UartCanConfig& config)
    : ring_(ring),
      clock_(clock),
      bus_count_(within(config.bus_count, 1, kBusesMax)),
      silence_ms_(config.silence_ms) {}

wayseal::Status UartCanBus::do_set_filters(wayseal::Span<const wayseal::CanFilter> filters) {
  return filters.empty() ? wayseal::Status::kOk : wayseal::Status::kUnsupported;
}

wayseal::Result<size_t> UartCanBus::do_receive(wayseal::Span<CanFrame> frames) {
  Piece piece;
  size_t count = 0;
  for (size_t left = frames.size() * kPiecesAFrame; left != 0 && count < frames.size(); --left) {
    if (!ring_.take(piece)) break;
    if (take_piece(piece, frames[count])) ++count;
  }
  count_losses();
  if (count == 0 && silence_ms_ != 0) notice_silence();
  if (count == 0 && all_down()) return wayseal::Status::kDisconnected;
  return count;
}

bool UartCanBus::take_piece(const Piece& piece, CanFrame& frame) {
  Message message;
  message.frame = &frame;
  const PieceFault fault = parse_piece({piece.bytes, piece.size}, message);
  if (fault == PieceFault::kDamaged || message.bus >= bus_count_) {
    ++buses_[0].counters.unreadable;
    return false;
  }
  Bus& bus = buses_[message.bus];
  last_heard_ = {piece.time_ns};
  if (fault != PieceFault::kNone || message.kind == MessageKind::kRemote) {
    ++bus.counters.unreadable;
    return false;
  }
  if (message.kind == MessageKind::kReport) {
    take_report(bus, message.report);
    return false;
  }
  take_frame(bus, piece.time_ns, frame);
  return true;
}

void UartCanBus::take_frame(Bus& bus, int64_t time_ns, CanFrame& frame) {
  if (bus.state == BusState::kDown || bus.state == BusState::kEnded) bus.state = BusState::kActive;
  if (bus.counters.frames != 0 && time_ns < bus.last_time_ns) ++bus.counters.time_steps_back;
  bus.last_time_ns = time_ns;
  frame.time_ns = time_ns;
  ++bus.counters.frames;
}

void UartCanBus::take_report(Bus& bus, const BusReport& report) {
  bus.counters.frames_dropped += growth(bus.sender_drops, report.frames_dropped);
  bus.counters.error_frames += growth(bus.sender_errors, report.error_frames);
  set_state(bus, report.state);
}

void UartCanBus::set_state(Bus& bus, BusState state) {
  if (bus.state == state) return;
  if (state == BusState::kBusOff) ++bus.counters.bus_off_events;
  if (state == BusState::kDown) ++bus.counters.down_events;
  bus.state = state;
}

void UartCanBus::count_losses() {
  const RingLosses losses = ring_.losses();
  for (uint8_t i = 0; i < bus_count_; ++i) {
    Bus& bus = buses_[i];
    bus.counters.frames_dropped += losses.frames_dropped[i] - bus.ring_drops;
    bus.ring_drops = losses.frames_dropped[i];
  }
  buses_[0].counters.unreadable += losses.too_long - ring_too_long_;
  ring_too_long_ = losses.too_long;
}

void UartCanBus::notice_silence() {
  if (clock_.now() < wayseal::after_ms(last_heard_, silence_ms_)) return;
  for (uint8_t i = 0; i < bus_count_; ++i) {
    if (buses_[i].state != BusState::kEnded) set_state(buses_[i], BusState::kDown);
  }
}

bool UartCanBus::all_down() const {
  for (uint8_t i = 0; i < bus_count_; ++i) {
    if (buses_[i].state != BusState::kDown) return false;
  }
  return true;
}

wayseal::BusState UartCanBus::do_state(uint8_t bus) const {
  return bus < bus_count_ ? buses_[bus].state : BusState::kDown;
}

wayseal::BusCounters UartCanBus::do_counters(uint8_t bus) const {
  return bus < bus_count_ ? buses_[bus].counters : wayseal::BusCounters{};
}

}  // namespace can
