// SPDX-License-Identifier: Apache-2.0
/// \file
/// The bus side: from the CAN bus to batches in the record queue.
#ifndef WAYSEAL_FLOW_RECORDER_HPP
#define WAYSEAL_FLOW_RECORDER_HPP

#include <atomic>

#include "wayseal/collect/collector.hpp"
#include "wayseal/core/config.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/record/loss_report.hpp"

namespace wayseal {

/// What the Recorder does while the record queue is full.
enum class WhenFull : uint8_t {
  kDropAndCount,  ///< Goes on reading, since a bus does not wait. Samples that fit nowhere are counted.
  /// Stops reading. Only for recordings: a live bus would lose frames in the driver instead. Needs
  /// Collector::chunks_needed: with less memory one frame may fill more batches than there is room for, and samples are
  /// dropped and counted.
  kWait,
};

struct RecorderConfig {
  /// See CollectorConfig.
  int64_t batch_duration_ms = 10 * 1000;
  WhenFull when_full = WhenFull::kDropAndCount;
  /// `step` takes at most this many times kReceiveFramesMax frames. 1 to 255.
  uint8_t rounds_per_step = 8;
};

/// How often Recorder::next_due asks for a look at a queue that is full. The cloud side may empty it on another thread.
inline constexpr int64_t kFullQueueWaitMs = 1000;

/// One bus as the cloud side may see it.
struct BusSnapshot {
  BusState state = BusState::kDown;
  BusCounters counters;
  uint64_t frames_unknown = 0;  ///< Of no message in the table.
};

/// Reads, decodes, collects. Touches neither token, storage nor network, so nothing that waits can make it wait
/// (invariant 9).
///
/// Threads: the bus side's, except where noted. Blocking: never. About 6 KiB: a buffer of kReceiveFramesMax
/// frames, and a snapshot for each of kBusesMax buses; beside it the memory for `start`
/// (Collector::memory_needed).
class Recorder {
 public:
  /// Borrows all. `time` is published by the cloud side; `clock` tells of suspends, so that no batch spans one.
  Recorder(CanBus& bus, RecordQueue& queue, const TimeSnapshot& time, const Clock& clock)
      : bus_(bus), collector_(queue, time), clock_(clock) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Starts to collect by a table. Allowed again, for another table.
  /// \param table, memory borrowed until the next `start`; see Collector::start.
  /// \return as Collector::start; kInvalidArgument also for rounds_per_step 0.
  Status start(const SignalTable& table, MutableBytes memory, const RecorderConfig& config);

  /// Asks the bus to deliver only what the table knows: one filter a message, J1939 by parameter group.
  /// \param scratch for building the filters, needed during the call only. With fewer elements than the table
  ///        has messages every frame is asked for; a filter that takes all is right, only slower.
  /// \return as CanBus::set_filters: with kUnsupported everything is delivered, which is fine; kBadState before
  ///         `start`.
  Status apply_filters(Span<CanFilter> scratch);

  /// Takes what has arrived, up to rounds_per_step * kReceiveFramesMax frames, and closes batches that are due.
  /// \param now the Clock port's time.
  /// \return kOk: nothing more waits (wait for the bus, a second at most, then call again);
  ///         kWouldBlock: more waits, call again at once;
  ///         kFull: the queue is full. With kDropAndCount frames were read all the same and samples may have
  ///         been dropped; with kWait frames wait. Let the cloud side run, then call again;
  ///         kDisconnected: every bus is down; call again after a while;
  ///         kBadState before `start`.
  Status step(MonotonicTime now);

  /// Bus thread, right after `step`: by when the next one is due if no frame comes before. The buses are not looked at: wake
  /// for their frames by the controller's own means.
  /// \return `now` when frames wait that were received already, and when a batch is due;
  ///         kFullQueueWaitMs later while those wait for a full queue; kNever when no batch is open.
  MonotonicTime next_due(MonotonicTime now);

  /// Hands over what has been collected so far: before sleep, at the end of a recording. Takes no further
  /// frames.
  /// \return kOk; kFull: call again when the cloud side has made room; kBadState before `start`.
  Status flush();

  /// Whether every bus has come to its end (BusState::kEnded) and no frame is left. Then `flush`.
  bool ended() const;

  /// Any thread. About one bus, as of the last step. \return false for an index out of range, or when it was
  /// just being replaced: keep what you had, ask again at your next step.
  bool bus(uint8_t index, BusSnapshot& out) const;
  /// Any thread. \return false when it was just being replaced.
  bool stats(CollectorStats& out) const { return stats_.load(out); }
  /// Any thread. Buses that `bus` knows as of the last step, at most kBusesMax. (A recording shows its buses
  /// little by little.)
  uint8_t bus_count() const { return static_cast<uint8_t>(bus_count_.load(std::memory_order_acquire)); }

 private:
  Status take_frames(MonotonicTime now);
  bool take_pending();
  void take(const CanFrame& frame);
  void publish();

  CanBus& bus_;
  Collector collector_;
  const Clock& clock_;
  const SignalTable* table_ = nullptr;
  WhenFull when_full_ = WhenFull::kDropAndCount;
  uint8_t rounds_per_step_ = 1;
  size_t pending_ = 0;  // frames_[pending_] to frames_[received_ - 1] have not been taken
  size_t received_ = 0;
  std::atomic<uint32_t> bus_count_{0};
  uint64_t frames_unknown_[kBusesMax] = {};
  Snapshot<BusSnapshot> buses_[kBusesMax];
  Snapshot<CollectorStats> stats_;
  CanFrame frames_[kReceiveFramesMax];
};

/// A bus's counters in the form of a loss report.
BusLoss bus_loss(uint8_t bus, const BusSnapshot& snapshot);

}  // namespace wayseal

#endif
