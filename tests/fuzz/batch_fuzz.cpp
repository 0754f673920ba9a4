// SPDX-License-Identifier: Apache-2.0
// Covers the backend's way from payload to samples: libprotobuf's Batch and LossReport, cloud::summarise,
// cloud::read_samples; and the strict reader of the tests.
//
// The summary says what the samples are: both readers of the backend take the same batches, with the same count and
// range of times. What the strict reader takes as well has the same samples there.
//
// Input: the payload.
#include <algorithm>
#include <map>
#include <stdexcept>

#include "batch.hpp"
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "unit/collect/batch_reader.hpp"

namespace {

using namespace wayseal;
using Samples = std::map<test::SignalKey, std::vector<test::ReadSample>>;

struct Read {
  Samples samples;
  uint64_t count = 0;
  int64_t from_us = INT64_MAX;
  int64_t to_us = INT64_MIN;
};

void compare_with_strict(const std::string& payload, const Read& read) {
  test::ReadBatch strict;
  try {
    strict = test::read_batch(payload);
  } catch (const std::runtime_error&) {
    return;  // it also refuses what is merely longer than needed
  }
  for (auto signal = strict.signals.begin(); signal != strict.signals.end();) {
    signal = signal->second.empty() ? strict.signals.erase(signal) : std::next(signal);
  }
  fuzz::require(strict.signals == read.samples, "two readers of the protocol read the same samples");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  const std::string payload(reinterpret_cast<const char*>(data), size);
  v1::LossReport report;
  static_cast<void>(report.ParseFromString(payload));
  v1::Batch batch;
  if (!batch.ParseFromString(payload)) return 0;

  Read read;
  const bool good =
      cloud::read_samples(batch, [&](uint32_t group, uint32_t signal, int64_t time_us, uint64_t raw) {
        read.samples[{group, signal}].push_back({time_us, raw});
        ++read.count;
        read.from_us = std::min(read.from_us, time_us);
        read.to_us = std::max(read.to_us, time_us);
      });
  const auto summary = cloud::summarise(batch);
  fuzz::require(summary.has_value() == good, "what can be summarised can be read, and the other way round");
  if (!summary) return 0;
  fuzz::require(summary->samples == read.count, "the summary counts the samples");
  fuzz::require(read.count <= uint64_t{size} * 65535, "no more samples than the columns can hold");
  if (read.count != 0) {
    fuzz::require(summary->from_us <= read.from_us && read.to_us <= summary->to_us,
                  "all samples lie in its range");
  }
  compare_with_strict(payload, read);
  return 0;
}
