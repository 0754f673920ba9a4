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
// Differences, as zigzag, below this take two bytes at most.
constexpr uint64_t kTwoByteTokens = 1U << 13;
constexpr int64_t kDurationMaxMs = 60 * 60 * 1000;

size_t varint_size(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

/// The token of a repeat takes another byte from these numbers of rows on.
constexpr uint16_t kRepeatSteps[] = {64, 8192};

bool is_repeat_step(uint16_t rows) {
  static_assert(kRepeatSteps[0] == 64 && kRepeatSteps[1] % 64 == 0, "most rows take one look");
  return rows % 64 == 0 && (rows == kRepeatSteps[0] || rows == kRepeatSteps[1]);
}

/// Of a token for as many values as there are rows.
size_t repeat_size(uint16_t rows) {
  return size_t{1} + (rows >= kRepeatSteps[0] ? 1 : 0) + (rows >= kRepeatSteps[1] ? 1 : 0);
}

uint8_t rule_flags(const SignalRule& rule) {
  if (!rule.collected) return 0;
  uint8_t flags = Column::kCollected;
  if (rule.on_change) flags |= Column::kOnChange;
  if (rule.min_interval_ms != 0) flags |= Column::kInterval;
  return flags;
}

/// Before the first row.
Rows new_rows(const SignalTable& table, uint16_t group, const Column* columns) {
  Rows rows;
  rows.plain = true;
  const GroupInfo info = table.group(group);
  for (uint16_t i = 0; i < info.signal_count; ++i) {
    const auto signal = static_cast<uint16_t>(info.first_signal + i);
    const uint8_t needed = table.geometry_record(signal)[table_format::geometry::kNeeded];
    if (needed > rows.needed) rows.needed = needed;
    if (columns[signal].flags != Column::kCollected) rows.plain = false;
  }
  return rows;
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
  for (size_t i = 0; i < groups; ++i) rows_[i] = new_rows(table, static_cast<uint16_t>(i), columns_);
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
}

bool Collector::wanted(const Column& column, uint16_t signal, uint64_t raw) const {
  if (column.flags == Column::kCollected) return true;
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

inline void Collector::put_varint(ChunkChain& chain, uint64_t value) {
  const size_t room = ChunkPool::room(chain);
  if (room >= ChunkPool::kVarintMax || (room >= 2 && value < (1U << 14))) {
    pool_.put_varint(chain, value);
  } else {
    put_varint_by_bytes(chain, value);
  }
}

/// Whether the whole row can be added without looking for room, rules or gaps at each value.
inline bool Collector::fits_row(const DecodedGroup& group, const Rows& rows) const {
  if (!rows.in_step || group.length() < rows.needed) return false;
  const size_t values = group.signal_count();
  return size_bound_ + kTimeMax + kLengthGrowthMax + values * kRowValueMax <= size_limit_ &&
         pool_.left() >= 1 + values + kChunkReserve;
}

/// One more row.
inline void Collector::add_time(Rows& rows, uint16_t group) {
  const uint64_t delta = static_cast<uint64_t>(frame_us_) - rows.previous_us;
  const uint64_t change = delta - rows.step_us;
  const uint16_t before = rows.times.bytes;
  put_varint(rows.times, (change << 1) ^ (0 - (change >> 63)));
  size_bound_ += static_cast<uint16_t>(rows.times.bytes - before);
  rows.previous_us = static_cast<uint64_t>(frame_us_);
  rows.step_us = rows.count == 0 ? 0 : delta;
  ++rows.count;
  // A repeat that is being counted is never longer than the rows are many.
  if (is_repeat_step(rows.count)) size_bound_ += table_->group(group).signal_count;
}

inline void Collector::take_value(Column& column, uint64_t raw) {
  const uint64_t difference = raw - column.last;
  if (difference == 0) {
    ++column.repeat;
    return;
  }
  column.last = raw;
  const uint64_t zigzag = (difference << 1) ^ (0 - (difference >> 63));
  if (column.repeat != 0 || zigzag > 0x3F || ChunkPool::at_end(column.values)) {
    put_token(column, zigzag);
  } else {
    pool_.put(column.values, static_cast<uint8_t>(zigzag << 1));
    ++size_bound_;
  }
}

/// Nearly all of what the bus side does, with a table that keeps everything.
void Collector::group(const DecodedGroup& decoded) {
  const DecodedGroup group = decoded;  // a copy of its own stays in registers
  Rows& rows = rows_[group.index()];
  if (!fits_row(group, rows)) {
    take_with_care(decoded, rows);
    return;
  }
  add_time(rows, group.index());
  const uint16_t end_row = rows.count;
  const size_t count = group.signal_count();
  Column* const columns = columns_ + group.first_signal();
  for (size_t i = 0; i < count; ++i) {
    columns[i].rows = end_row;
    take_value(columns[i], group.raw(i));
  }
  samples_ += static_cast<uint32_t>(count);
}

void Collector::take_with_care(const DecodedGroup& group, Rows& rows) {
  begin_group(group.index());
  const Column* const columns = columns_ + group.first_signal();
  for (size_t i = 0; i < group.signal_count(); ++i) {
    if (group.holds(i)) sample(static_cast<uint16_t>(group.first_signal() + i), group.raw(i));
  }
  if (!rows.plain) return;
  for (size_t i = 0; i < group.signal_count(); ++i) {
    if (columns[i].rows != rows.count) return;
  }
  rows.in_step = true;
}

void Collector::sample(uint16_t signal, uint64_t raw) {
  Column& column = columns_[signal];
  if (!wanted(column, signal, raw)) return;
  if ((!row_open_ || size_bound_ > size_limit_) && !make_row()) {
    ++samples_dropped_;
    return;
  }
  if (column.rows != row_) admit(column, signal);
  column.rows = static_cast<uint16_t>(row_ + 1);
  take_value(column, raw);
  ++samples_;
  if (column.flags == Column::kCollected) return;
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
    batch_continuity_ = continuity_;
    (void)time_.load(opened_offset_);  // when it is just being replaced, the one before serves
  }
  Rows& rows = rows_[group_];
  if (rows.count == 0) {
    rows.previous_us = static_cast<uint64_t>(base_us_);
    rows.step_us = 0;
    size_bound_ += kSeriesFrameMax;
  }
  row_ = rows.count;
  row_open_ = true;
  add_time(rows, group_);
}

/// First value of a column in this batch, or first one after rows without.
void Collector::admit(Column& column, uint16_t signal) {
  if (column.rows == Column::kUnopened) {
    const uint16_t index = static_cast<uint16_t>(signal - table_->group(group_).first_signal);
    // Tags and lengths of Column and values, with lengths below 128; the index; a repeat not written yet.
    size_bound_ += 4 + (index == 0 ? 0 : 1 + varint_size(index)) + repeat_size(row_);
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
  ChunkChain& values = column.values;
  const uint16_t before = values.bytes;
  const size_t room = ChunkPool::room(values);
  const bool is_short = zigzag < kTwoByteTokens && column.repeat < kRepeatSteps[0] && room >= 1 + 2;
  if (is_short || ((zigzag >> 63) == 0 && room >= kRepeatMax + kTokenMax)) {
    if (column.repeat != 0) pool_.put_varint(values, (uint64_t{column.repeat} << 1) | 1);
    pool_.put_varint(values, zigzag << 1);
  } else {
    if (column.repeat != 0) put_varint(values, (uint64_t{column.repeat} << 1) | 1);
    put_long_token(values, zigzag);
  }
  column.repeat = 0;
  size_bound_ += static_cast<uint16_t>(values.bytes - before);
}

/// A varint of zigzag << 1, which may have 65 bits.
void Collector::put_long_token(ChunkChain& chain, uint64_t zigzag) {
  if ((zigzag >> 63) == 0) {
    put_varint(chain, zigzag << 1);
    return;
  }
  // The lowest six bits, then the rest.
  put(chain, static_cast<uint8_t>(((zigzag & 0x3F) << 1) | 0x80));
  put_varint(chain, zigzag >> 6);
}

void Collector::put_varint_by_bytes(ChunkChain& chain, uint64_t value) {
  while (value >= 0x80) {
    put(chain, static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  put(chain, static_cast<uint8_t>(value));
}

void Collector::close_if_possible() {
  if (close() != Status::kOk) return;  // it goes on growing
}

/// The newest offset of the clock that the open batch was taken with.
UtcOffset Collector::date_batch() const {
  if (time_base_ == TimeBase::kRecorded) return {TimeQuality::kRecorded, 0, 0};
  UtcOffset offset = opened_offset_;
  (void)time_.load(offset);
  if (offset.continuity == batch_continuity_) return offset;
  return opened_offset_.continuity == batch_continuity_ ? opened_offset_ : UtcOffset();
}

Status Collector::close() {
  const Result<MutableBytes> slot = queue_.reserve();
  if (!slot.ok()) return slot.status();
  detail::BatchEncoder encoder(*table_, pool_, rows_, columns_);
  const size_t size = encoder.encode(base_us_, date_batch(), slot.value());
  if (size != 0 && queue_.commit(ContentType::kBatch, size, samples_) == Status::kOk) {
    ++batches_;
    samples_closed_ += samples_;
  } else {
    ++batches_dropped_;
    samples_dropped_ += samples_;
  }
  encoder.clear();
  begin_batch();
  has_room_ = false;
  return Status::kOk;
}

Status Collector::tick(MonotonicTime now, uint64_t continuity) {
  now_ = now;
  continuity_ = continuity;
  if (batch_open_ && batch_continuity_ != continuity && time_base_ == TimeBase::kMonotonic) {
    const Status closed = close();
    if (closed != Status::kOk) size_limit_ = 0;
    return closed;
  }
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
