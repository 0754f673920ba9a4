// SPDX-License-Identifier: Apache-2.0
/// \file
/// Signal tables for tests of what comes after decoding: messages without multiplexers, made without a DBC.
#ifndef WAYSEAL_TESTS_COLLECT_PLAIN_TABLE_HPP
#define WAYSEAL_TESTS_COLLECT_PLAIN_TABLE_HPP

#include <vector>

#include "wayseal/signal/signal_table.hpp"

namespace wayseal::test {

struct PlainSignal {
  uint8_t byte = 0;  ///< Intel, from the lowest bit of this byte on.
  uint8_t bits = 8;  ///< Up to 64.
  bool is_signed = false;
  SignalRule rule = {0, true, false};
};

struct PlainMessage {
  uint32_t id = 0;
  uint8_t length = 8;
  std::vector<PlainSignal> signals;
};

inline constexpr uint64_t kPlainTableId = 0x0123456789ABCDEF;

/// The table's bytes. Message i has one group, i, with its signals in order.
std::vector<uint8_t> make_plain_table(const std::vector<PlainMessage>& messages);

}  // namespace wayseal::test

#endif
