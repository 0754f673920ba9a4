// SPDX-License-Identifier: Apache-2.0
#include "unit/collect/batch_reader.hpp"

#include <stdexcept>

#include "record.pb.h"

namespace wayseal::test {
namespace {

[[noreturn]] void fail(const char* why) { throw std::runtime_error(why); }

class Varints {
 public:
  explicit Varints(const std::string& bytes) : bytes_(bytes) {}
  bool more() const { return at_ < bytes_.size(); }

  /// Up to 70 bits, of which the lowest is given apart.
  uint64_t next_above(unsigned& lowest) {
    const uint8_t first = byte();
    lowest = first & 1U;
    uint64_t value = (first & 0x7FU) >> 1;
    unsigned shift = 6;
    for (uint8_t b = first; (b & 0x80U) != 0; shift += 7) {
      b = byte();
      const uint64_t part = b & 0x7FU;
      if (shift > 62 || (shift == 62 && part > 3)) fail("varint over its range");
      if (b == 0) fail("varint longer than needed");
      value |= part << shift;
    }
    return value;
  }

  uint64_t next() {
    unsigned lowest = 0;
    const uint64_t above = next_above(lowest);
    if ((above >> 63) != 0) fail("varint over its range");
    return (above << 1) | lowest;
  }

 private:
  uint8_t byte() {
    if (!more()) fail("varint cut off");
    return static_cast<uint8_t>(bytes_[at_++]);
  }

  const std::string& bytes_;
  size_t at_ = 0;
};

uint64_t unzigzag(uint64_t z) { return (z >> 1) ^ (0 - (z & 1)); }

std::vector<int64_t> read_times(const std::string& bytes, int64_t base) {
  std::vector<int64_t> times;
  Varints varints(bytes);
  auto time = static_cast<uint64_t>(base);
  uint64_t step = 0;
  while (varints.more()) {
    const uint64_t delta = step + unzigzag(varints.next());
    time += delta;
    step = times.empty() ? 0 : delta;
    times.push_back(static_cast<int64_t>(time));
  }
  return times;
}

std::vector<uint64_t> read_values(const std::string& bytes, size_t rows) {
  std::vector<uint64_t> values;
  Varints varints(bytes);
  uint64_t value = 0;
  while (varints.more()) {
    unsigned repeat = 0;
    const uint64_t number = varints.next_above(repeat);
    if (number == 0 || (repeat != 0 && number > 65535)) fail("token out of range");
    const auto times = static_cast<size_t>(repeat != 0 ? number : 1);  // at most 65535
    if (values.size() + times > rows) fail("more values than rows");
    if (repeat == 0) value += unzigzag(number);
    values.insert(values.end(), times, value);
  }
  return values;
}

std::vector<ReadSample> read_column(const wayseal::v1::Column& column, const std::vector<int64_t>& times) {
  const std::vector<uint64_t> values = read_values(column.values(), times.size());
  std::vector<ReadSample> samples;
  Varints runs(column.runs());
  size_t row = 0;
  while (runs.more()) {
    const uint64_t present = runs.next();
    const uint64_t absent = runs.next();
    if (absent == 0 || (present == 0 && row != 0)) fail("empty run");
    for (uint64_t i = 0; i < present; ++i, ++row) {
      if (row >= times.size() || samples.size() >= values.size()) fail("runs hold more values than there are");
      samples.push_back({times[row], values[samples.size()]});
    }
    if (absent > times.size() - row) fail("runs longer than the series");
    row += static_cast<size_t>(absent);
  }
  while (samples.size() < values.size()) {
    if (row >= times.size()) fail("more values than rows left");
    samples.push_back({times[row++], values[samples.size()]});
  }
  return samples;
}

}  // namespace

ReadBatch read_batch(const std::string& payload) {
  wayseal::v1::Batch message;
  if (!message.ParseFromString(payload)) fail("no protobuf Batch");
  ReadBatch batch;
  batch.table_id = message.table_id();
  batch.base_time_us = message.base_time_us();
  batch.utc_offset_us = message.utc_offset_us();
  batch.quality = message.time_quality();
  for (const auto& series : message.series()) {
    const std::vector<int64_t> times = read_times(series.times(), message.base_time_us());
    for (const auto& column : series.columns()) {
      auto& samples = batch.signals[{series.group(), column.signal()}];
      if (!samples.empty()) fail("signal twice");
      samples = read_column(column, times);
      batch.samples += samples.size();
    }
  }
  return batch;
}

}  // namespace wayseal::test
