// SPDX-License-Identifier: Apache-2.0
#include "batch.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace cloud {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  std::optional<uint64_t> varint() { return number(64); }

  struct Token {
    bool repeat;
    uint64_t number;
  };
  /// A varint of up to 65 bits whose lowest bit is the kind.
  std::optional<Token> token() {
    if (rest_.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    Token token{(first & 1) != 0, static_cast<uint64_t>((first >> 1) & 0x3F)};
    if ((first & 0x80) == 0) return token;
    const auto upper = number(58);
    if (!upper) return std::nullopt;
    token.number |= *upper << 6;
    return token;
  }

 private:
  /// An ordinary varint whose value fits `bits`.
  std::optional<uint64_t> number(unsigned bits) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (rest_.empty()) return std::nullopt;
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      const uint64_t part = byte & 0x7F;
      if (part != 0 && (shift >= bits || (bits - shift < 7 && (part >> (bits - shift)) != 0)))
        return std::nullopt;
      if (shift < 64) value |= part << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

uint64_t unzigzag(uint64_t z) { return (z >> 1) ^ (~(z & 1) + 1); }

std::optional<std::vector<int64_t>> read_times(const wayseal::v1::Batch& batch,
                                               const wayseal::v1::Series& series) {
  std::vector<int64_t> times;
  Reader reader(series.times());
  auto time = static_cast<uint64_t>(batch.base_time_us());
  uint64_t step = 0;
  while (!reader.done()) {
    const auto coded = reader.varint();
    if (!coded) return std::nullopt;
    const uint64_t delta = step + unzigzag(*coded);
    time += delta;
    step = times.empty() ? 0 : delta;
    times.push_back(static_cast<int64_t>(time));
  }
  return times;
}

/// Walks over the rows that have a value, as `runs` says.
class Rows {
 public:
  Rows(std::string_view runs, size_t rows) : runs_(runs), rows_(rows) { next_run(); }
  bool bad() const { return bad_; }
  /// Row of the next value; nothing when none is left or the runs are malformed.
  std::optional<size_t> next() {
    while (!bad_ && present_ == 0 && limited_) {
      row_ += absent_;
      next_run();
    }
    if (bad_ || row_ >= rows_) return std::nullopt;
    if (limited_) --present_;
    return row_++;
  }
  /// Whether all values that the runs promise have been taken.
  bool complete() const { return !bad_ && runs_.done() && (!limited_ || present_ == 0); }

 private:
  void next_run() {
    limited_ = !runs_.done();
    if (!limited_) return;
    const auto present = runs_.varint();
    const auto absent = present ? runs_.varint() : std::nullopt;
    bad_ = !absent || *absent == 0 || (*present == 0 && !first_) || *present > rows_ || *absent > rows_;
    first_ = false;
    present_ = bad_ ? 0 : static_cast<size_t>(*present);
    absent_ = bad_ ? 0 : static_cast<size_t>(*absent);
  }

  Reader runs_;
  size_t rows_;
  size_t row_ = 0;
  size_t present_ = 0;
  size_t absent_ = 0;
  bool limited_ = false;
  bool first_ = true;
  bool bad_ = false;
};

/// Calls `on_value(row, raw)`. \return the number of values; nothing for a malformed column.
template <typename F>
std::optional<uint64_t> read_column(const wayseal::v1::Column& column, size_t row_count, F&& on_value) {
  Reader reader(column.values());
  Rows rows(column.runs(), row_count);
  uint64_t raw = 0;
  uint64_t count = 0;
  while (!reader.done()) {
    const auto token = reader.token();
    if (!token || token->number == 0 || (token->repeat && token->number > 65535)) return std::nullopt;
    if (!token->repeat) raw += unzigzag(token->number);
    const uint64_t times = token->repeat ? token->number : 1;
    for (uint64_t i = 0; i < times; ++i) {
      const auto row = rows.next();
      if (!row) return std::nullopt;
      on_value(*row, raw);
    }
    count += times;
  }
  if (!rows.complete()) return std::nullopt;
  return count;
}

bool distinct_names(const wayseal::v1::Batch& batch) {
  std::set<uint32_t> groups;
  for (const auto& series : batch.series()) {
    if (!groups.insert(series.group()).second) return false;
    std::set<uint32_t> signals;
    for (const auto& column : series.columns()) {
      if (!signals.insert(column.signal()).second) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<BatchSummary> summarise(const wayseal::v1::Batch& batch) {
  if (!distinct_names(batch)) return std::nullopt;
  BatchSummary summary{0, batch.base_time_us(), batch.base_time_us()};
  bool first = true;
  for (const auto& series : batch.series()) {
    const auto times = read_times(batch, series);
    if (!times) return std::nullopt;
    for (const auto& column : series.columns()) {
      const auto count = read_column(column, times->size(), [](size_t, uint64_t) {});
      if (!count) return std::nullopt;
      summary.samples += *count;
    }
    if (times->empty()) continue;
    const auto [low, high] = std::minmax_element(times->begin(), times->end());
    summary.from_us = first ? *low : std::min(summary.from_us, *low);
    summary.to_us = first ? *high : std::max(summary.to_us, *high);
    first = false;
  }
  return summary;
}

bool read_samples(const wayseal::v1::Batch& batch, const SampleSink& sink) {
  if (!distinct_names(batch)) return false;
  for (const auto& series : batch.series()) {
    const auto times = read_times(batch, series);
    if (!times) return false;
    for (const auto& column : series.columns()) {
      const auto count = read_column(column, times->size(), [&](size_t row, uint64_t raw) {
        sink(series.group(), column.signal(), (*times)[row], raw);
      });
      if (!count) return false;
    }
  }
  return true;
}

}  // namespace cloud
