// SPDX-License-Identifier: Apache-2.0
/// \file
/// From decoded samples to batches in the record queue.
#ifndef WAYSEAL_COLLECT_COLLECTOR_HPP
#define WAYSEAL_COLLECT_COLLECTOR_HPP

#include "wayseal/collect/chunk_pool.hpp"
#include "wayseal/record/record_queue.hpp"
#include "wayseal/record/snapshot.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal {

/// How batches are closed and dated.
struct CollectorConfig {
  /// The longest time from the first to the last row of a batch, by the frames' times, and that a batch stays
  /// open, by `tick`. In milliseconds, 1 to 3,600,000. This is also what a power loss takes of the newest data,
  /// besides the queue.
  int64_t batch_duration_ms = 10 * 1000;
  /// Of the frames; CanBus::time_base.
  TimeBase time_base = TimeBase::kMonotonic;
};

/// All values only grow.
struct CollectorStats {
  uint64_t samples = 0;          ///< Kept: in a batch, closed or open.
  uint64_t samples_dropped = 0;  ///< The rule wanted them, the batch was full, and so was the queue.
  uint64_t batches = 0;          ///< Closed, and handed to the queue.
  /// Always 0 unless a batch could not be coded, which would be a defect. Its samples count as dropped as well.
  uint64_t batches_dropped = 0;
};

namespace detail {

/// What is known of one signal. 40 bytes.
struct Column {
  static constexpr uint16_t kUnopened = 0xFFFF;
  enum Flag : uint8_t { kCollected = 1, kOnChange = 2, kInterval = 4, kKept = 8 };

  uint64_t last = 0;          ///< The last value kept.
  int64_t kept_us = 0;        ///< Its time. Only for signals with a rule.
  ChunkChain values;          ///< Tokens, without the repeat that is being counted.
  ChunkChain runs;            ///< Pairs of rows with and without a value.
  uint16_t rows = kUnopened;  ///< The row after the last value; kUnopened when the batch has none.
  uint16_t run_start = 0;     ///< First row of the run of values that is not in `runs` yet.
  uint16_t repeat = 0;        ///< Values since the last token, all equal to `last`.
  uint8_t flags = 0;
};

/// The rows of one group. 32 bytes.
struct Rows {
  uint64_t previous_us = 0;
  uint64_t step_us = 0;
  ChunkChain times;
  uint16_t count = 0;
  uint8_t needed = 0;  ///< Bytes of a frame that holds every signal.
  bool plain = false;  ///< Every signal is collected, and none has a rule.
  bool in_step =
      false;  ///< Every signal has a value in the last row, so that the next needs no look at its columns.
};

}  // namespace detail

/// A sink of `decode`: keeps what the table's rules ask for, column by column, and writes a `Batch` into the
/// queue when
/// - the next sample might not fit the record or the memory any more,
/// - the batch's longest duration is reached, or
/// - `flush` is called.
///
/// When the queue is full at that moment nothing is thrown away: a batch that has reached its duration goes on
/// growing, a batch that is full waits as it is, and each sample that then arrives is dropped and counted,
/// until the queue has room. So what is kept is what came first, and the loss is one interval that ends when
/// the cloud side catches up.
///
/// A change, for signals kept on change, is a raw value unlike the last one *kept*, over batch borders: a
/// change that was dropped or fell into the minimum interval is seen again with the next frame. The interval
/// counts frame times; a time before that of the last value kept ends it. A signal with both rules must fulfil
/// both.
///
/// Cost: 200 bytes (168 on a 32-bit MCU), and `memory_needed` bytes given by the caller: 32 for each group, 40
/// for each signal, 32 for each chunk. Threads: the bus side's only; `stats` as well. Blocking: never. The cost
/// of a sample does not depend on how many there are, except when a batch is closed.
class Collector {
 public:
  /// Chunks that suffice to fill a record of `payload_bytes`, whatever the signals do.
  static constexpr size_t chunks_needed(size_t groups, size_t signals, size_t payload_bytes = kPayloadMax) {
    const size_t chunks = payload_bytes / detail::ChunkPool::kDataSize + groups + 2 * signals + kChunkReserve;
    return chunks < detail::ChunkPool::kChunksMax ? chunks : detail::ChunkPool::kChunksMax;
  }

  /// Bytes of memory for a table with that many groups and signals. With fewer chunks than `chunks_needed`
  /// batches are closed earlier; nothing is lost by it while the queue has room. `chunks` is at least kChunkReserve.
  static constexpr size_t memory_needed(size_t groups, size_t signals, size_t chunks) {
    return kAlignment + groups * sizeof(detail::Rows) + signals * sizeof(detail::Column) +
           chunks * detail::ChunkPool::kChunkSize;
  }

  /// Least number of chunks: with it a batch holds a handful of samples.
  static constexpr size_t kChunkReserve = 8;

  /// Borrows both; `queue.payload_max()` should be kPayloadMax, and is at least 256 (`start` checks).
  Collector(RecordQueue& queue, const TimeSnapshot& time) : queue_(queue), time_(time) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Prepares for a table. What an earlier table has left open is closed first, if the queue has room.
  /// \param table, memory stay alive and untouched for as long as this object is used. Memory of any alignment;
  ///        what exceeds groups and signals becomes chunks.
  /// \return kOk; kBufferTooSmall (`memory_needed` with kChunkReserve chunks is the least, or the queue's slots
  ///         are too small); kInvalidArgument for a duration out of range; kFull: an open batch waits for the
  ///         queue.
  Status start(const SignalTable& table, MutableBytes memory, const CollectorConfig& config);

  bool started() const { return columns_ != nullptr; }

  /// The samples that follow are of a frame of this time. Only when started, as the next three.
  void begin_frame(int64_t time_ns) {
    frame_us_ = floor_us(time_ns);
    if (batch_open_ && too_far(frame_us_)) close_if_possible();
  }

  /// Called by `decode`.
  /// \param decoded of the table given to `start`; not kept.
  void group(const DecodedGroup& decoded);

  /// The same in pieces, for samples that come from elsewhere: a group, then signals of it, each once at most.
  /// \param group, signal indices of the table given to `start`; not checked. \param raw as `decode` gives it.
  void begin_group(uint16_t group) {
    group_ = group;
    row_open_ = false;
    rows_[group].in_step = false;
  }
  void sample(uint16_t signal, uint64_t raw);

  /// Says what time it is, in the Clock's time, and closes a batch that has been open too long, or since before a
  /// suspend: its times are dated by the clock they were taken with. Call it at each step, before the frames.
  /// \param continuity Clock::continuity. A batch is dated as trusted only by an offset that names the same number.
  /// \return kOk; kFull when a batch is due and the queue is full. It stays open; after a suspend nothing is added to
  ///         it any more, and samples are dropped and counted until there is room.
  Status tick(MonotonicTime now, uint64_t continuity);

  /// When `tick` will close the open batch, if nothing else does before; kNever when none is open.
  MonotonicTime next_due() const {
    return batch_open_ ? MonotonicTime{opened_.ns + duration_us_ * kNsPerUs} : kNever;
  }

  /// Closes the open batch now. \return kOk, also when there is nothing; kFull: it stays open.
  Status flush();

  /// Whether one more frame can be taken without loss, whatever it holds: the open batch can be handed over.
  bool has_room() {
    // Only a batch of ours takes room away.
    if (!has_room_) has_room_ = queue_.size() < queue_.capacity();
    return has_room_;
  }

  CollectorStats stats() const;

 private:
  static constexpr size_t kAlignment = 32;
  // Upper bounds of what things add to the coded batch.
  static constexpr size_t kBatchHeaderMax = 9 + 11 + 2 + 11;
  static constexpr size_t kSeriesFrameMax = 1 + 3 + 1 + 3 + 1 + 3;
  static constexpr size_t kTimeMax = 10;
  static constexpr size_t kTokenMax = 10;
  static constexpr size_t kRepeatMax = 3;
  static constexpr size_t kRunsMax = 2 * 3;
  static constexpr size_t kRunsFrameMax = 6;
  static constexpr size_t kColumnFrameMax = 4 + (1 + 3) + kRepeatMax;
  static constexpr size_t kLengthGrowthMax = 2;  // of the lengths around a string that grows
  static constexpr size_t kRowValueMax = 1 + kRepeatMax + kTokenMax + kLengthGrowthMax;
  static constexpr size_t kSampleMax =
      kColumnFrameMax + kRunsFrameMax + kRunsMax + kRowValueMax + kLengthGrowthMax;
  static_assert(kPayloadMax < detail::Column::kUnopened, "a row takes a byte at least");

  static int64_t floor_us(int64_t ns) {
    if (ns >= 0) return static_cast<int64_t>(static_cast<uint64_t>(ns) / static_cast<uint64_t>(kNsPerUs));
    return (ns + 1) / kNsPerUs - 1;
  }
  bool too_far(int64_t us) const {
    const int64_t span = us - base_us_;
    return span >= duration_us_ || span <= -duration_us_;
  }

  bool wanted(const detail::Column& column, uint16_t signal, uint64_t raw) const;
  void take_with_care(const DecodedGroup& group, detail::Rows& rows);
  void take_value(detail::Column& column, uint64_t raw);
  bool fits_row(const DecodedGroup& group, const detail::Rows& rows) const;
  bool make_row();
  void open_row();
  void add_time(detail::Rows& rows, uint16_t group);
  void admit(detail::Column& column, uint16_t signal);
  void extend(detail::ChunkChain& chain);
  void put(detail::ChunkChain& chain, uint8_t byte);
  void put_varint(detail::ChunkChain& chain, uint64_t value);
  void put_varint_by_bytes(detail::ChunkChain& chain, uint64_t value);
  void put_token(detail::Column& column, uint64_t zigzag);
  void put_long_token(detail::ChunkChain& chain, uint64_t zigzag);
  bool has_room_for_row() const;
  UtcOffset date_batch() const;
  void close_if_possible();
  Status close();
  void begin_batch();

  RecordQueue& queue_;
  const TimeSnapshot& time_;
  const SignalTable* table_ = nullptr;
  detail::Column* columns_ = nullptr;
  detail::Rows* rows_ = nullptr;
  detail::ChunkPool pool_;
  UtcOffset opened_offset_;  // what was known when the open batch began
  uint64_t continuity_ = 0;
  uint64_t batch_continuity_ = 0;  // of the open batch

  int64_t frame_us_ = 0;
  int64_t base_us_ = 0;
  int64_t duration_us_ = 0;
  MonotonicTime now_;
  MonotonicTime opened_;
  uint64_t samples_dropped_ = 0;
  uint64_t samples_closed_ = 0;
  uint64_t batches_ = 0;
  uint64_t batches_dropped_ = 0;
  size_t size_bound_ = 0;  // never less than the coded size of the open batch
  size_t size_limit_ = 0;  // above it there may be no room for one more sample; 0 when chunks are short
  uint32_t samples_ = 0;
  uint16_t group_ = 0;
  uint16_t row_ = 0;
  bool row_open_ = false;
  bool batch_open_ = false;
  bool has_room_ = false;  // of the queue: known to have some
  TimeBase time_base_ = TimeBase::kMonotonic;
};

}  // namespace wayseal

#endif
