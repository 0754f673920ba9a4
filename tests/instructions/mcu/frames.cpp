// SPDX-License-Identifier: Apache-2.0
// What a CAN frame costs: a Recorder over a bus in memory, batches closed into its queue, which is emptied outside the windows.
// Interrupts are off, so that the counts are the same in every run.
#include <cstring>
#include <new>

#include "markers.hpp"
#include "wayseal/core/config.hpp"
#include "wayseal/flow/recorder.hpp"

extern "C" {
extern const uint8_t frames_table_start[];
extern const uint8_t frames_table_end[];
}

namespace {

using wayseal::CanFrame;
using wayseal::Status;

constexpr uint8_t kRoundsPerStep = 8;
constexpr uint32_t kStepFrames = kRoundsPerStep * wayseal::kReceiveFramesMax;
constexpr int64_t kFrameNs = 1'250'000;  // 800 frames a second
constexpr uint32_t kFramesOfCase = 64 * kStepFrames;

/// How the bytes of one frame differ from those of the frame before.
enum class Values : uint8_t {
  kMoving,  ///< A counter, two values that drift, the others seldom: a bus as it is.
  kRandom,  ///< Every bit.
};

struct Traffic {
  const char* name;
  CanFrame frame;  ///< Identifier and length.
  Values values;
  uint32_t frames_a_step;
};

class FixedClock final : public wayseal::Clock {
  wayseal::MonotonicTime do_now() const override { return {}; }
  uint64_t do_continuity() const override { return 1; }
};

/// Hands out copies of frames that were made before.
class MemoryBus final : public wayseal::CanBus {
 public:
  void fill(const Traffic& traffic) {
    waiting_ = traffic.frames_a_step;
    at_ = 0;
    for (uint32_t i = 0; i < waiting_; ++i) frames_[i] = make(traffic);
  }
  void restart() { count_ = 0; }
  int64_t time_ns() const { return int64_t{count_} * kFrameNs; }

 private:
  CanFrame make(const Traffic& traffic) {
    CanFrame frame = traffic.frame;
    ++count_;
    frame.time_ns = time_ns() + static_cast<int64_t>(random() % 40'000);
    for (uint8_t i = 0; i < frame.length; ++i) {
      frame.data[i] = static_cast<uint8_t>(traffic.values == Values::kRandom ? random() >> 16 : moving(i));
    }
    return frame;
  }
  uint32_t moving(uint32_t byte) const {
    switch (byte % 8) {
      case 0: return count_ * 3;                // the low byte of a value that drifts
      case 1: return (count_ * 3) >> 8;         // its high byte
      case 2: return (count_ % 7) * 5;          // jitter
      case 5: return 100 + (count_ >> 2) % 50;  // slower
      case 7: return count_;                    // a counter
      default: return 17 + (count_ >> 7);       // all but constant
    }
  }
  uint32_t random() {
    state_ = state_ * 1664525U + 1013904223U;
    return state_ >> 3;
  }

  Status do_set_filters(wayseal::Span<const wayseal::CanFilter>) override { return Status::kOk; }
  wayseal::Result<size_t> do_receive(wayseal::Span<CanFrame> frames) override {
    const size_t left = waiting_ - at_;
    const size_t count = left < frames.size() ? left : frames.size();
    std::memcpy(static_cast<void*>(frames.data()), frames_ + at_, count * sizeof(CanFrame));
    at_ += count;
    counters_.frames += count;
    return count;
  }
  uint8_t do_bus_count() const override { return 1; }
  wayseal::BusState do_state(uint8_t) const override { return wayseal::BusState::kActive; }
  wayseal::BusCounters do_counters(uint8_t) const override { return counters_; }
  wayseal::TimeBase do_time_base() const override { return wayseal::TimeBase::kMonotonic; }

  CanFrame frames_[kStepFrames];
  size_t waiting_ = 0;
  size_t at_ = 0;
  uint32_t count_ = 0;
  uint32_t state_ = 1;
  wayseal::BusCounters counters_;
};

constexpr size_t kGroups = 32;
constexpr size_t kSignals = 80;
alignas(8) uint8_t collector_memory[wayseal::Collector::memory_needed(
    kGroups, kSignals, wayseal::Collector::chunks_needed(kGroups, kSignals))];
uint8_t queue_memory[wayseal::RecordQueue::memory_needed(8)];

CanFrame frame_of(uint32_t id, uint8_t length, uint8_t flags) {
  CanFrame frame;
  frame.id = id;
  frame.length = length;
  frame.flags = flags;
  return frame;
}

uint32_t drain(wayseal::RecordQueue& queue) {
  uint32_t contents = 0;
  wayseal::QueuedContent content;
  for (; queue.front(content); queue.pop()) ++contents;
  return contents;
}

/// \return false when something other than what is to be counted happened.
bool run(const Traffic& traffic, wayseal::Recorder& recorder, MemoryBus& bus, wayseal::RecordQueue& queue) {
  uint32_t batches = 0;
  wayseal::CollectorStats before;
  if (!recorder.stats(before)) return false;
  for (uint32_t frames = 0; frames < kFramesOfCase; frames += traffic.frames_a_step) {
    bus.fill(traffic);
    const wayseal::MonotonicTime now{bus.time_ns()};
    count_begin();
    const Status status = recorder.step(now);
    count_end();
    if (status != Status::kOk && status != Status::kWouldBlock) return false;
    batches += drain(queue);
  }
  wayseal::CollectorStats after;
  if (!recorder.stats(after) || after.samples_dropped != before.samples_dropped) return false;
  end_case(traffic.name, kFramesOfCase);
  board::print("info");
  board::print_field("batches", batches);
  board::print_field("samples", after.samples - before.samples);
  board::print("\n");
  return true;
}

}  // namespace

int main() {
  const board::InterruptLock lock;
  static wayseal::SignalTable table;
  if (table.load({frames_table_start, static_cast<size_t>(frames_table_end - frames_table_start)}) !=
      Status::kOk)
    return 1;
  count_begin();
  count_end();
  end_case("empty", 1);

  constexpr uint8_t kExtended = CanFrame::kExtendedId;
  const Traffic traffics[] = {
      {"8_bytes_8_signals", frame_of(288, 8, 0), Values::kMoving, kStepFrames},
      {"8_bytes_8_signals_random", frame_of(288, 8, 0), Values::kRandom, kStepFrames},
      {"8_bytes_8_signals_one_a_step", frame_of(288, 8, 0), Values::kMoving, 1},
      {"unknown", frame_of(0x7FF, 8, 0), Values::kMoving, kStepFrames},
      {"29_bits_j1939", frame_of(0x18F00421, 8, kExtended), Values::kMoving, kStepFrames},
      {"fd_64_bytes_32_signals", frame_of(512, 64, CanFrame::kFd), Values::kMoving, kStepFrames},
  };
  static MemoryBus bus;
  static FixedClock clock;
  static wayseal::TimeSnapshot time;
  for (const Traffic& traffic : traffics) {
    wayseal::RecordQueue queue(queue_memory);
    bus.restart();
    // One object for all cases, made anew in its place: it is too large for the stack.
    alignas(wayseal::Recorder) static uint8_t place[sizeof(wayseal::Recorder)];
    auto& recorder = *new (place) wayseal::Recorder(bus, queue, time, clock);
    wayseal::RecorderConfig config;
    config.rounds_per_step = kRoundsPerStep;
    if (recorder.start(table, collector_memory, config) != Status::kOk) return 2;
    if (!run(traffic, recorder, bus, queue)) return 3;
  }
  return 0;
}
