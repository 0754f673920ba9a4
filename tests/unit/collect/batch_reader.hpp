// SPDX-License-Identifier: Apache-2.0
/// \file
/// Reads batches as PROTOCOL.md, "Columns", says, with libprotobuf and nothing of the library's: the other side
/// of the wire.
#ifndef WAYSEAL_TESTS_COLLECT_BATCH_READER_HPP
#define WAYSEAL_TESTS_COLLECT_BATCH_READER_HPP

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wayseal::test {

/// One value of one signal.
struct ReadSample {
  int64_t time_us = 0;
  uint64_t raw = 0;
  friend bool operator==(const ReadSample& a, const ReadSample& b) {
    return a.time_us == b.time_us && a.raw == b.raw;
  }
};

/// A signal: its group, and its index within the group.
using SignalKey = std::pair<uint32_t, uint32_t>;

struct ReadBatch {
  uint64_t table_id = 0;
  int64_t base_time_us = 0;
  int64_t utc_offset_us = 0;
  int quality = 0;
  size_t samples = 0;
  std::map<SignalKey, std::vector<ReadSample>> signals;
};

/// Throws std::runtime_error with the reason when the bytes do not follow the protocol.
ReadBatch read_batch(const std::string& payload);

}  // namespace wayseal::test

#endif
