// SPDX-License-Identifier: Apache-2.0
// Recordings and a DBC for tests of the whole way.
#ifndef WAYSEAL_TESTS_AGENT_CAN_LOG_HPP
#define WAYSEAL_TESTS_AGENT_CAN_LOG_HPP

#include <cstdint>
#include <string>
#include <vector>

namespace agent_test {

/// Two messages: 0x100 holds one 64-bit signal, 0x101 a counter and a fast one.
std::string canary_dbc();

/// A recording of `frames` pairs of both messages, one pair each `period_us`. Message 0x100 holds the canary.
std::string canary_log(size_t frames, int64_t period_us);

/// All forms in which the canary could be read: raw in both byte orders, hexadecimal, decimal, and as a batch codes it.
struct CanaryForm {
  const char* name;
  std::string bytes;
};
std::vector<CanaryForm> canary_forms();
/// The form that stands in an opened batch.
std::string canary_in_batch();

}  // namespace agent_test

#endif
