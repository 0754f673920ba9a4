// SPDX-License-Identifier: Apache-2.0
// Stored batches as values with names and units.
#ifndef WAYSEAL_CLOUD_SAMPLES_HPP
#define WAYSEAL_CLOUD_SAMPLES_HPP

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tables.hpp"

namespace cloud {

enum class TimeQuality { kUntrusted, kTrusted, kRecorded };

struct Sample {
  int64_t time_us = 0;  ///< UTC, unless untrusted: then since an arbitrary start.
  TimeQuality quality = TimeQuality::kUntrusted;
  const SignalName* name = nullptr;
  uint64_t raw = 0;
  double value = 0;
  std::string text;
};

/// Samples of one batch, by time. \return nothing when the batch cannot be read; `unknown_table` when only its
/// table is
/// not there.
struct BatchSamples {
  std::vector<Sample> samples;
  bool unknown_table = false;
  bool undecodable = false;
};
BatchSamples read_batch(Tables& tables, const Blob& payload);

struct SampleQuery {
  std::string vehicle;
  int64_t since_us = INT64_MIN;
  int64_t until_us = INT64_MAX;
  std::set<std::string> signals;  ///< `Signal` or `Message.Signal`; empty: all.
};

/// Whether a sample's name is asked for.
bool wanted(const std::set<std::string>& signals, const SignalName& name);

struct QueryResult {
  uint64_t samples = 0;
  uint64_t batches = 0;
  uint64_t batches_without_table = 0;
  uint64_t batches_undecodable = 0;
};

/// Gives the samples of a vehicle in a span of time, batch by batch in the order of time. Where the vehicle
/// had no
/// time, the span is compared with the time of arrival.
QueryResult query(Database& database, const SampleQuery& what,
                  const std::function<void(const Sample&)>& on_sample);

/// `all`, `2026-11-22T16:00:00Z`, `2026-11-22`, seconds since 1970, or `-90s`, `-10m`, `-2h`, `-1d` before now.
/// Throws std::runtime_error for anything else.
int64_t parse_time_us(const std::string& text);

/// Shortest decimal text that reads back as the same number.
std::string number_text(double value);

}  // namespace cloud

#endif
