// SPDX-License-Identifier: Apache-2.0
#include "samples.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <stdexcept>

#include "batch.hpp"

namespace cloud {

namespace {
TimeQuality quality_of(wayseal::v1::Batch::TimeQuality quality) {
  if (quality == wayseal::v1::Batch::TIME_TRUSTED) return TimeQuality::kTrusted;
  return quality == wayseal::v1::Batch::TIME_RECORDED ? TimeQuality::kRecorded : TimeQuality::kUntrusted;
}
}  // namespace

BatchSamples read_batch(Tables& tables, const Blob& payload) {
  BatchSamples result;
  wayseal::v1::Batch batch;
  if (!batch.ParseFromString(payload)) {
    result.undecodable = true;
    return result;
  }
  const Table* table = tables.find(batch.table_id());
  if (table == nullptr) {
    result.unknown_table = true;
    return result;
  }
  const TimeQuality quality = quality_of(batch.time_quality());
  const int64_t offset = quality == TimeQuality::kTrusted ? batch.utc_offset_us() : 0;
  bool known = true;
  const bool whole = read_samples(batch, [&](uint32_t group, uint32_t signal, int64_t time_us, uint64_t raw) {
    const auto index = table->index(group, signal);
    known = known && index.has_value();
    int64_t utc_us = 0;
    known = known && !__builtin_add_overflow(time_us, offset, &utc_us);
    if (!index) return;
    result.samples.push_back(
        {utc_us, quality, &table->name(*index), raw, table->physical(*index, raw), table->text(*index, raw)});
  });
  result.undecodable = !whole || !known;
  if (result.undecodable) result.samples.clear();
  std::stable_sort(result.samples.begin(), result.samples.end(),
                   [](const Sample& a, const Sample& b) { return a.time_us < b.time_us; });
  return result;
}

bool wanted(const std::set<std::string>& signals, const SignalName& name) {
  return signals.empty() || signals.count(name.signal) != 0 ||
         signals.count(name.message + "." + name.signal) != 0;
}

QueryResult query(Database& database, const SampleQuery& what,
                  const std::function<void(const Sample&)>& on_sample) {
  QueryResult result;
  Tables tables(database);
  database.each(
      "SELECT records.payload, records.from_us IS NULL FROM records JOIN sessions ON sessions.id = "
      "records.session "
      "JOIN vehicles ON vehicles.id = sessions.vehicle WHERE vehicles.name = ?1 AND records.type = 1 "
      "AND IFNULL(records.to_us, arrival_ms * 1000) >= ?2 AND IFNULL(records.from_us, arrival_ms * 1000) <= ?3 "
      "ORDER BY IFNULL(records.from_us, arrival_ms * 1000), records.session, records.sequence",
      [&](const Row& row) {
        const bool by_arrival = row.integer(1) != 0;
        const BatchSamples batch = read_batch(tables, row.bytes(0));
        ++result.batches;
        if (batch.unknown_table) ++result.batches_without_table;
        if (batch.undecodable) ++result.batches_undecodable;
        for (const Sample& sample : batch.samples) {
          if (!by_arrival && (sample.time_us < what.since_us || sample.time_us > what.until_us)) continue;
          if (!wanted(what.signals, *sample.name)) continue;
          ++result.samples;
          on_sample(sample);
        }
      },
      Text{what.vehicle}, what.since_us, what.until_us);
  return result;
}

namespace {

std::optional<int64_t> parse_relative(const std::string& text) {
  if (text.size() < 3 || text[0] != '-') return std::nullopt;
  int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data() + 1, end, count);
  if (error != std::errc() || stop != end || count < 0 || count > 1000000000) return std::nullopt;
  switch (text.back()) {
    case 's': return now_ms() * 1000 - count * 1000000;
    case 'm': return now_ms() * 1000 - count * 60 * 1000000;
    case 'h': return now_ms() * 1000 - count * 3600 * 1000000;
    case 'd': return now_ms() * 1000 - count * 86400 * 1000000;
    default: return std::nullopt;
  }
}

std::optional<int64_t> parse_iso(const std::string& text) {
  for (const char* const form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* const stop = strptime(text.c_str(), form, &parts);
    if (stop != nullptr && *stop == '\0') return static_cast<int64_t>(timegm(&parts)) * 1000000;
  }
  return std::nullopt;
}

}  // namespace

int64_t parse_time_us(const std::string& text) {
  if (text == "all") return INT64_MIN;
  if (const auto relative = parse_relative(text)) return *relative;
  if (const auto iso = parse_iso(text)) return *iso;
  double seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && stop == text.data() + text.size() && std::fabs(seconds) < 9e12) {
    return std::llround(seconds * 1e6);
  }
  throw std::runtime_error("'" + text +
                           "' is no time: write all, 2026-11-22T16:00:00Z, 2026-11-22, seconds since "
                           "1970, or -90s, -10m, -2h, -1d");
}

std::string number_text(double value) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : std::string("nan");
}

}  // namespace cloud
