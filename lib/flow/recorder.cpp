// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/recorder.hpp"

#include "wayseal/signal/decoder.hpp"
#include "wayseal/signal/filters.hpp"

namespace wayseal {

inline void Recorder::take(const CanFrame& frame) {
  collector_.begin_frame(frame.time_ns);
  if (decode(*table_, frame, collector_) == Status::kOk) return;
  if (frame.bus < kBusesMax) ++frames_unknown_[frame.bus];
}

Status Recorder::start(const SignalTable& table, MutableBytes memory, const RecorderConfig& config) {
  if (config.rounds_per_step == 0) return Status::kInvalidArgument;
  CollectorConfig collecting;
  collecting.batch_duration_ms = config.batch_duration_ms;
  collecting.time_base = bus_.time_base();
  WAYSEAL_TRY(collector_.start(table, memory, collecting));
  table_ = &table;
  when_full_ = config.when_full;
  rounds_per_step_ = config.rounds_per_step;
  publish();
  return Status::kOk;
}

Status Recorder::apply_filters(Span<CanFilter> scratch) {
  if (table_ == nullptr) return Status::kBadState;
  const Result<size_t> count = make_filters(*table_, scratch);
  return bus_.set_filters(count.ok() ? Span<const CanFilter>(scratch.data(), count.value())
                                     : Span<const CanFilter>());
}

Status Recorder::step(MonotonicTime now) {
  if (table_ == nullptr) return Status::kBadState;
  const Status due = collector_.tick(now, clock_.continuity());
  const Status taken = take_frames(now);
  publish();
  return taken == Status::kOk ? due : taken;
}

Status Recorder::take_frames(MonotonicTime now) {
  if (!take_pending()) return Status::kFull;
  for (unsigned round = 0; round < rounds_per_step_; ++round) {
    if (when_full_ == WhenFull::kWait && !collector_.has_room()) return Status::kFull;
    const Result<size_t> received = bus_.receive(frames_);
    if (!received.ok()) return received.status();
    // After a suspend in the meantime these belong to the clock of now. When the batch before cannot be closed yet,
    // they are counted as dropped.
    static_cast<void>(collector_.tick(now, clock_.continuity()));
    pending_ = 0;
    received_ = received.value();
    if (!take_pending()) return Status::kFull;
    if (received_ < kReceiveFramesMax) return Status::kOk;
  }
  return Status::kWouldBlock;
}

/// \return false when frames are left because the queue is full. The one loop over frames: all that it calls is part of it,
/// unless the build is for size.
#ifndef __OPTIMIZE_SIZE__
[[gnu::flatten]]
#endif
bool Recorder::take_pending() {
  while (pending_ < received_) {
    if (when_full_ == WhenFull::kWait && !collector_.has_room()) return false;
    take(frames_[pending_++]);
  }
  return true;
}

MonotonicTime Recorder::next_due(MonotonicTime now) {
  if (table_ == nullptr) return kNever;
  const MonotonicTime due = pending_ < received_ ? now : later(collector_.next_due(), now);
  if (now < due || collector_.has_room()) return due;
  return after_ms(now, kFullQueueWaitMs);
}

Status Recorder::flush() {
  if (table_ == nullptr) return Status::kBadState;
  if (!take_pending()) return Status::kFull;
  WAYSEAL_TRY(collector_.flush());
  publish();
  return Status::kOk;
}

bool Recorder::ended() const {
  if (pending_ < received_) return false;
  const uint8_t count = bus_.bus_count();
  for (uint8_t i = 0; i < count; ++i) {
    if (bus_.state(i) != BusState::kEnded) return false;
  }
  return true;
}

bool Recorder::bus(uint8_t index, BusSnapshot& out) const {
  return index < bus_count() && buses_[index].load(out);
}

void Recorder::publish() {
  const uint8_t known = bus_.bus_count();
  const uint8_t count = known < kBusesMax ? known : uint8_t{kBusesMax};
  for (uint8_t i = 0; i < count; ++i) {
    BusSnapshot snapshot;
    snapshot.state = bus_.state(i);
    snapshot.counters = bus_.counters(i);
    snapshot.frames_unknown = frames_unknown_[i];
    buses_[i].publish(snapshot);
  }
  bus_count_.store(count, std::memory_order_release);
  stats_.publish(collector_.stats());
}

BusLoss bus_loss(uint8_t bus, const BusSnapshot& snapshot) {
  BusLoss loss;
  loss.bus = bus;
  loss.frames = snapshot.counters.frames;
  loss.frames_dropped = snapshot.counters.frames_dropped;
  loss.error_frames = snapshot.counters.error_frames;
  loss.bus_off_events = snapshot.counters.bus_off_events;
  loss.down_events = snapshot.counters.down_events;
  loss.frames_unknown = snapshot.frames_unknown;
  return loss;
}

}  // namespace wayseal
