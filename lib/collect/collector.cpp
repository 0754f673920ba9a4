// SPDX-License-Identifier: Apache-2.0
#include "wayseal/collect/collector.hpp"

#include <new>

#include "collect/batch_encoder.hpp"

namespace wayseal {

using detail::ChunkChain;
using detail::ChunkPool;
using detail::Column;
using detail::Rows;

namespace {

constexpr size_t kPayloadMin = 256;
constexpr int64_t kDurationMaxMs = 60 * 60 * 1000;

size_t varint_size(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

uint8_t rule_flags(const SignalRule& rule) {
  if (!rule.collected) return 0;
  uint8_t flags = Column::kCollected;
  if (rule.on_change) flags |= Column::kOnChange;
  if (rule.min_interval_ms != 0) flags |= Column::kInterval;
  return flags;
}

uint8_t* align_up(uint8_t* memory, size_t alignment) {
  const size_t beyond = reinterpret_cast<uintptr_t>(memory) % alignment;
  return beyond == 0 ? memory : memory + (alignment - beyond);
}

}  // namespace

Status Collector::start(const SignalTable& table, MutableBytes memory, const CollectorConfig& config) {
  if (config.batch_duration_ms < 1 || config.batch_duration_ms > kDurationMaxMs)
    return Status::kInvalidArgument;
  const size_t groups = table.group_count();
  const size_t signals = table.signal_count();
  const size_t least = memory_needed(groups, signals, kChunkReserve);
  if (memory.size() < least || queue_.payload_max() < kPayloadMin) return Status::kBufferTooSmall;
  WAYSEAL_TRY(flush());

  static_assert(alignof(Column) <= kAlignment && alignof(Rows) <= kAlignment,
                "the memory is aligned to kAlignment");
  uint8_t* at = align_up(memory.data(), kAlignment);
  const size_t room = kChunkReserve + (memory.size() - least) / ChunkPool::kChunkSize;
  const size_t chunks = room < ChunkPool::kChunksMax ? room : ChunkPool::kChunksMax;
  pool_.use(at, chunks);
  at += chunks * ChunkPool::kChunkSize;
  columns_ = new (at) Column[signals];
  at += signals * sizeof(Column);
  rows_ = new (at) Rows[groups];
  for (size_t i = 0; i < signals; ++i) columns_[i].flags = rule_flags(table.rule(static_cast<uint16_t>(i)));
  table_ = &table;
  duration_us_ = config.batch_duration_ms * (kNsPerMs / kNsPerUs);
  time_base_ = config.time_base;
  begin_batch();
  return Status::kOk;
}

void Collector::begin_batch() {
  pool_.clear();
  size_bound_ = kBatchHeaderMax;
  size_limit_ = queue_.payload_max() - kSampleMax;
  samples_ = 0;
  batch_open_ = false;
  row_open_ = false;
  expected_row_ = kNoRow;
}

bool Collector::wanted(const Column& column, uint16_t signal, uint64_t raw) const {
  if ((column.flags & Column::kCollected) == 0) return false;
  if ((column.flags & Column::kKept) == 0) return true;
  if ((column.flags & Column::kOnChange) != 0 && raw == column.last) return false;
  if ((column.flags & Column::kInterval) == 0) return true;
  const int64_t elapsed_us = frame_us_ - column.kept_us;
  return elapsed_us < 0 || elapsed_us >= int64_t{table_->rule(signal).min_interval_ms} * (kNsPerMs / kNsPerUs);
}

bool Collector::has_room_for_row() const {
  // A chunk for the time, and afterwards as many as keep size_limit_ from being cleared.
  return size_bound_ + kSeriesFrameMax + kTimeMax <= size_limit_ && pool_.left() >= kChunkReserve;
}

/// A sample under a rule, the first one of a row or of a column, one after a gap, or one for which there may be
/// no room.
void Collector::sample_with_care(Column& column, uint16_t signal, uint64_t raw) {
  const bool plain = column.flags == Column::kCollected;
  if (!plain && !wanted(column, signal, raw)) return;
  if ((!row_open_ || size_bound_ > size_limit_) && !make_row()) {
    ++samples_dropped_;
    return;
  }
  if (column.rows != row_) admit(column, signal);
  take(column, raw);
  if (size_bound_ > size_limit_) expected_row_ = kNoRow;
  if (plain) return;
  column.kept_us = frame_us_;
  column.flags = static_cast<uint8_t>(column.flags | Column::kKept);
}

/// Opens a row for the current group, in the next batch when this one is full, also in the middle of a row: the
/// rest of it then stands in a row with the same time.
bool Collector::make_row() {
  if (row_open_ || !has_room_for_row()) {
    if (close() != Status::kOk) return false;
  }
  open_row();
  return true;
}

void Collector::open_row() {
  if (!batch_open_) {
    batch_open_ = true;
    base_us_ = frame_us_;
    opened_ = now_;
  }
  Rows& rows = rows_[group_];
  if (rows.count == 0) {
    rows.previous_us = static_cast<uint64_t>(base_us_);
    rows.step_us = 0;
    size_bound_ += kSeriesFrameMax;
  }
  const uint64_t delta = static_cast<uint64_t>(frame_us_) - rows.previous_us;
  const uint64_t change = delta - rows.step_us;
  const uint16_t before = rows.times.bytes;
  put_varint(rows.times, (change << 1) ^ (0 - (change >> 63)));
  size_bound_ += static_cast<uint16_t>(rows.times.bytes - before);
  rows.previous_us = static_cast<uint64_t>(frame_us_);
  rows.step_us = rows.count == 0 ? 0 : delta;
  row_ = rows.count++;
  row_open_ = true;
  expected_row_ = row_;
}

/// First value of a column in this batch, or first one after rows without.
void Collector::admit(Column& column, uint16_t signal) {
  if (column.rows == Column::kUnopened) {
    const uint16_t index = static_cast<uint16_t>(signal - table_->group(group_).first_signal);
    // Tags and lengths of Column and values, with lengths below 128; the index.
    size_bound_ += 4 + (index == 0 ? 0 : 1 + varint_size(index));
    column.last = 0;
    column.rows = 0;
    column.run_start = 0;
    if (row_ == 0) return;
  }
  if (column.runs.bytes == 0) size_bound_ += kRunsFrameMax;
  const uint16_t before = column.runs.bytes;
  put_varint(column.runs, static_cast<uint16_t>(column.rows - column.run_start));
  put_varint(column.runs, static_cast<uint16_t>(row_ - column.rows));
  size_bound_ += static_cast<uint16_t>(column.runs.bytes - before);
  column.run_start = row_;
}

/// The token of a repeat grows at these counts.
void Collector::charge_repeat(uint16_t count) {
  if (count == 1 || count == 64 || count == 8192) ++size_bound_;
  if (size_bound_ > size_limit_) expected_row_ = kNoRow;
}

void Collector::extend(ChunkChain& chain) {
  // The lengths in front of a string of this length and of what it lies in may grow by a byte each.
  if (chain.bytes == 3 * ChunkPool::kDataSize || chain.bytes == 544 * ChunkPool::kDataSize) size_bound_ += 2;
  pool_.extend(chain);
  // From here on, the rest of the sample that is being added takes two more chunks at most.
  if (pool_.left() < kChunkReserve - 2) size_limit_ = 0;
}

void Collector::put(ChunkChain& chain, uint8_t byte) {
  if (ChunkPool::at_end(chain)) extend(chain);
  pool_.put(chain, byte);
}

void Collector::put_token(Column& column, uint64_t zigzag) {
  if (column.repeat != 0) {
    put_varint(column.values, (uint64_t{column.repeat} << 1) | 1);  // charged while it was counted
    column.repeat = 0;
  }
  const uint16_t before = column.values.bytes;
  if ((zigzag >> 63) == 0) {
    put_varint(column.values, zigzag << 1);
  } else {
    // A varint of zigzag << 1, whose 65th bit does not fit a register: the lowest six bits, then the rest.
    put(column.values, static_cast<uint8_t>(((zigzag & 0x3F) << 1) | 0x80));
    put_varint(column.values, zigzag >> 6);
  }
  size_bound_ += static_cast<uint16_t>(column.values.bytes - before);
}

void Collector::put_varint(ChunkChain& chain, uint64_t value) {
  if (ChunkPool::room(chain) >= ChunkPool::kVarintMax) {
    pool_.put_varint(chain, value);
    return;
  }
  while (value >= 0x80) {
    put(chain, static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  put(chain, static_cast<uint8_t>(value));
}

void Collector::close_if_possible() {
  if (close() != Status::kOk) return;  // it goes on growing
}

Status Collector::close() {
  const Result<MutableBytes> slot = queue_.reserve();
  if (!slot.ok()) return slot.status();
  if (time_base_ == TimeBase::kRecorded) {
    offset_ = {TimeQuality::kRecorded, 0};
  } else {
    (void)time_.load(offset_);  // when it is just being replaced, the one before serves
  }
  detail::BatchEncoder encoder(*table_, pool_, rows_, columns_);
  const size_t size = encoder.encode(base_us_, offset_, slot.value());
  if (size != 0 && queue_.commit(ContentType::kBatch, size, samples_) == Status::kOk) {
    ++batches_;
    samples_closed_ += samples_;
  } else {
    ++batches_dropped_;
    samples_dropped_ += samples_;
  }
  encoder.clear();
  begin_batch();
  return Status::kOk;
}

Status Collector::tick(MonotonicTime now) {
  now_ = now;
  if (!batch_open_ || now.ns - opened_.ns < duration_us_ * kNsPerUs) return Status::kOk;
  return close();
}

Status Collector::flush() { return batch_open_ ? close() : Status::kOk; }

CollectorStats Collector::stats() const {
  CollectorStats stats;
  stats.samples = samples_closed_ + samples_;
  stats.samples_dropped = samples_dropped_;
  stats.batches = batches_;
  stats.batches_dropped = batches_dropped_;
  return stats;
}

}  // namespace wayseal
