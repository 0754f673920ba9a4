// SPDX-License-Identifier: Apache-2.0
/// \file
/// Decodes with a table that has been loaded, and checks what must hold for every table.
#ifndef WAYSEAL_TESTS_FUZZ_TABLE_PROBE_HPP
#define WAYSEAL_TESTS_FUZZ_TABLE_PROBE_HPP

#include <vector>

#include "fuzz.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::fuzz {

struct Decoded {
  uint16_t signal = 0;
  uint64_t raw = 0;
  friend bool operator==(const Decoded& a, const Decoded& b) { return a.signal == b.signal && a.raw == b.raw; }
};

/// A sink that keeps the samples and insists on the order that `decode` promises.
class DecodedFrame {
 public:
  explicit DecodedFrame(const SignalTable& table) : table_(table) {}

  void begin_group(uint16_t group) {
    require(!open_ && group < table_.group_count(), "groups do not nest and exist");
    open_ = true;
    group_ = group;
  }
  void sample(uint16_t signal, uint64_t raw) {
    require(open_ && signal < table_.signal_count(), "samples are of signals of the table, inside a group");
    require(table_.group_of(signal) == group_, "samples are of signals of the open group");
    samples.push_back({signal, raw});
  }
  void end_group(uint16_t group) {
    require(open_ && group == group_, "the open group ends");
    open_ = false;
  }

  std::vector<Decoded> samples;

 private:
  const SignalTable& table_;
  uint16_t group_ = 0;
  bool open_ = false;
};

/// A frame of message `index` with `length` bytes of `data`; what follows them is `tail`.
CanFrame frame_of(const SignalTable& table, uint16_t index, Bytes data, uint8_t length, uint8_t tail);

/// Decodes a frame of message `index`, and requires that
/// - nothing behind its length has any influence,
/// - no signal comes that the frame does not hold whole,
/// - each integer keeps to its width.
std::vector<Decoded> probe_frame(const SignalTable& table, uint16_t index, Bytes data, uint8_t length);

/// Every message and length with `data`, a frame of no message, and every text; all must lie inside `bytes`.
void probe_table(const SignalTable& table, Bytes bytes, Bytes data);

}  // namespace wayseal::fuzz

#endif
