// SPDX-License-Identifier: Apache-2.0
#include "collect/batch_encoder.hpp"

#include <pb_encode.h>

#include "record.pb.h"

namespace wayseal::detail {
namespace {

size_t varint_size(uint32_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

/// The token of a repeat that has not been written yet.
uint32_t repeat_token(uint16_t repeat) { return (uint32_t{repeat} << 1) | 1; }

size_t values_length(const Column& column) {
  return column.values.bytes + (column.repeat == 0 ? 0 : varint_size(repeat_token(column.repeat)));
}

/// Of a length-delimited field whose tag takes one byte.
size_t field_size(size_t length) { return 1 + varint_size(static_cast<uint32_t>(length)) + length; }

size_t index_size(uint16_t index) { return index == 0 ? 0 : 1 + varint_size(index); }

size_t column_length(uint16_t index, const Column& column) {
  const size_t runs = column.runs.bytes == 0 ? 0 : field_size(column.runs.bytes);
  return index_size(index) + field_size(values_length(column)) + runs;
}

bool put_length(pb_ostream_t& stream, uint32_t tag, size_t length) {
  return pb_encode_tag(&stream, PB_WT_STRING, tag) && pb_encode_varint(&stream, length);
}

bool put_index(pb_ostream_t& stream, uint32_t tag, uint16_t index) {
  if (index == 0) return true;
  return pb_encode_tag(&stream, PB_WT_VARINT, tag) && pb_encode_varint(&stream, index);
}

}  // namespace

bool BatchEncoder::put_header(pb_ostream_t& stream, int64_t base_us, const UtcOffset& offset) const {
  const uint64_t id = table_.id();
  return pb_encode_tag(&stream, PB_WT_64BIT, wayseal_v1_Batch_table_id_tag) &&
         pb_encode_fixed64(&stream, &id) &&
         pb_encode_tag(&stream, PB_WT_VARINT, wayseal_v1_Batch_base_time_us_tag) &&
         pb_encode_svarint(&stream, base_us) &&
         put_index(stream, wayseal_v1_Batch_time_quality_tag, static_cast<uint16_t>(offset.quality)) &&
         pb_encode_tag(&stream, PB_WT_VARINT, wayseal_v1_Batch_utc_offset_us_tag) &&
         pb_encode_svarint(&stream, offset.utc_offset_us);
}

bool BatchEncoder::put_string(pb_ostream_t& stream, uint32_t tag, const ChunkChain& chain,
                              uint16_t repeat) const {
  const size_t extra = repeat == 0 ? 0 : varint_size(repeat_token(repeat));
  if (!put_length(stream, tag, chain.bytes + extra)) return false;
  size_t left = chain.bytes;
  uint16_t index = chain.first;
  while (left > 0) {
    const size_t part = left < ChunkPool::kDataSize ? left : ChunkPool::kDataSize;
    if (!pb_write(&stream, pool_.data(index), part)) return false;
    left -= part;
    if (left > 0) index = pool_.link(index);
  }
  return repeat == 0 || pb_encode_varint(&stream, repeat_token(repeat));
}

bool BatchEncoder::put_column(pb_ostream_t& stream, uint16_t index, const Column& column) const {
  if (!put_length(stream, wayseal_v1_Series_columns_tag, column_length(index, column)) ||
      !put_index(stream, wayseal_v1_Column_signal_tag, index) ||
      !put_string(stream, wayseal_v1_Column_values_tag, column.values, column.repeat)) {
    return false;
  }
  return column.runs.bytes == 0 || put_string(stream, wayseal_v1_Column_runs_tag, column.runs, 0);
}

bool BatchEncoder::put_series(pb_ostream_t& stream, uint16_t group) const {
  const GroupInfo info = table_.group(group);
  const Column* const columns = columns_ + info.first_signal;
  size_t length = index_size(group) + field_size(rows_[group].times.bytes);
  for (uint16_t i = 0; i < info.signal_count; ++i) {
    if (columns[i].rows != Column::kUnopened) length += field_size(column_length(i, columns[i]));
  }
  bool good = put_length(stream, wayseal_v1_Batch_series_tag, length) &&
              put_index(stream, wayseal_v1_Series_group_tag, group) &&
              put_string(stream, wayseal_v1_Series_times_tag, rows_[group].times, 0);
  for (uint16_t i = 0; good && i < info.signal_count; ++i) {
    if (columns[i].rows != Column::kUnopened) good = put_column(stream, i, columns[i]);
  }
  return good;
}

size_t BatchEncoder::encode(int64_t base_us, const UtcOffset& offset, MutableBytes out) const {
  pb_ostream_t stream = pb_ostream_from_buffer(out.data(), out.size());
  bool good = put_header(stream, base_us, offset);
  const uint16_t groups = table_.group_count();
  for (uint16_t group = 0; good && group < groups; ++group) {
    if (rows_[group].count != 0) good = put_series(stream, group);
  }
  return good ? stream.bytes_written : 0;
}

void BatchEncoder::clear() {
  const uint16_t groups = table_.group_count();
  for (uint16_t group = 0; group < groups; ++group) {
    if (rows_[group].count == 0) continue;
    Rows& rows = rows_[group];
    rows.times = {};
    rows.count = 0;
    rows.in_step = false;
    const GroupInfo info = table_.group(group);
    for (uint16_t i = 0; i < info.signal_count; ++i) {
      Column& column = columns_[info.first_signal + i];
      column.values = {};
      column.runs = {};
      column.rows = Column::kUnopened;
      column.repeat = 0;
    }
  }
}

}  // namespace wayseal::detail
