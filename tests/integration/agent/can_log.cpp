// SPDX-License-Identifier: Apache-2.0
#include "can_log.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace agent_test {
namespace {

// "CANARY!" and a byte that no text holds; little-endian as the signal reads it.
const std::string kCanary = "CANARY!\x7f";

uint64_t canary_value() {
  uint64_t value = 0;
  for (size_t i = 0; i < kCanary.size(); ++i) value |= uint64_t{static_cast<uint8_t>(kCanary[i])} << (8 * i);
  return value;
}

std::string hex(const std::string& bytes, const char* format) {
  std::string out;
  char text[4];
  for (const char c : bytes) {
    std::snprintf(text, sizeof text, format, static_cast<uint8_t>(c));
    out += text;
  }
  return out;
}

}  // namespace

std::string canary_dbc() {
  return "VERSION \"\"\n\nBU_: Node\n\n"
         "BO_ 256 Secret: 8 Node\n SG_ Canary : 0|64@1+ (1,0) [0|0] \"\" Node\n\n"
         "BO_ 257 Pulse: 8 Node\n SG_ Counter : 0|32@1+ (1,0) [0|0] \"\" Node\n SG_ Wave : 32|16@1- (0.5,0) "
         "[0|0] \"mV\" Node\n";
}

std::string canary_log(size_t frames, int64_t period_us) {
  std::string out;
  char line[96];
  const std::string canary = hex(kCanary, "%02X");
  for (size_t i = 0; i < frames; ++i) {
    const int64_t time_us = static_cast<int64_t>(i) * period_us;
    const int64_t seconds = 1'700'000'000 + time_us / 1'000'000;
    const int64_t micros = time_us % 1'000'000;
    std::snprintf(line, sizeof line, "(%" PRId64 ".%06" PRId64 ") can0 100#%s\n", seconds, micros,
                  canary.c_str());
    out += line;
    const auto counter = static_cast<unsigned>(i);
    std::snprintf(line, sizeof line, "(%" PRId64 ".%06" PRId64 ") can0 101#%02X%02X%02X%02X%04X0000\n", seconds,
                  micros, counter & 0xFF, (counter >> 8) & 0xFF, (counter >> 16) & 0xFF, counter >> 24,
                  (counter * 2654435761U) >> 16);
    out += line;
  }
  return out;
}

std::string canary_in_batch() {
  // PROTOCOL.md, "Columns": the first difference of the column, against 0.
  const uint64_t zigzag = canary_value() << 1;
  std::string out(1, static_cast<char>(((zigzag & 0x3F) << 1) | 0x80));
  uint64_t rest = zigzag >> 6;
  for (; rest >= 0x80; rest >>= 7) out += static_cast<char>((rest & 0x7F) | 0x80);
  return out + static_cast<char>(rest);
}

std::vector<CanaryForm> canary_forms() {
  const std::string reversed(kCanary.rbegin(), kCanary.rend());
  return {{"raw", kCanary},
          {"reversed", reversed},
          {"HEX", hex(kCanary, "%02X")},
          {"hex", hex(kCanary, "%02x")},
          {"decimal", std::to_string(canary_value())},
          {"in a batch", canary_in_batch()}};
}

}  // namespace agent_test
