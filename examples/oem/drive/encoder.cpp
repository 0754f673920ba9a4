// SPDX-License-Identifier: Apache-2.0
#include "drive/encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace wayseal::oem {

namespace {

const DbcMessage& find(const DbcFile& dbc, const std::string& name) {
  const auto found = std::find_if(dbc.messages.begin(), dbc.messages.end(),
                                  [&](const DbcMessage& message) { return message.name == name; });
  if (found == dbc.messages.end()) throw std::out_of_range("no message is called '" + name + "'");
  return *found;
}

uint64_t float_bits(const DbcSignal& signal, double value) {
  if (signal.type == SignalType::kFloat) {
    const auto single = static_cast<float>(value);
    uint32_t bits;
    std::memcpy(&bits, &single, sizeof bits);
    return bits;
  }
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

// Bit by bit on purpose: it shares nothing with the decoder, so that each can check the other.
void put_raw(const DbcSignal& signal, uint64_t raw, MutableBytes data) {
  unsigned position = signal.start_bit;
  for (unsigned i = 0; i < signal.width; ++i) {
    const unsigned source = signal.motorola ? signal.width - 1U - i : i;
    const auto mask = static_cast<uint8_t>(1U << (position % 8));
    uint8_t& byte = data[position / 8];
    byte = static_cast<uint8_t>(((raw >> source) & 1U) != 0 ? byte | mask : byte & ~mask);
    if (!signal.motorola) {
      ++position;
    } else {
      position = position % 8 == 0 ? position + 15 : position - 1;  // on to the highest bit of the next byte
    }
  }
}

uint64_t raw_of(const DbcSignal& signal, double physical) {
  const double value = (physical - signal.offset) / signal.scale;
  if (signal.type == SignalType::kFloat || signal.type == SignalType::kDouble) return float_bits(signal, value);
  const bool is_signed = signal.type == SignalType::kSigned;
  const double half = std::ldexp(1.0, signal.width - 1);
  // The largest double below the end, where the end itself has no double.
  const double high =
      std::min(is_signed ? half - 1 : 2 * half - 1, is_signed ? 0x1.fffffffffffffp62 : 0x1.fffffffffffffp63);
  const double rounded = std::round(std::clamp(value, is_signed ? -half : 0.0, high));
  const uint64_t raw =
      is_signed ? static_cast<uint64_t>(static_cast<int64_t>(rounded)) : static_cast<uint64_t>(rounded);
  return raw & (UINT64_MAX >> (64 - signal.width));
}

FrameEncoder::FrameEncoder(const DbcFile& dbc, const std::string& message, uint8_t bus)
    : message_(find(dbc, message)) {
  frame_.id = message_.id;
  frame_.bus = bus;
  frame_.length = message_.length;
  const int flags = (message_.extended ? CanFrame::kExtendedId : 0) |
                    (message_.fd ? CanFrame::kFd | CanFrame::kBitRateSwitch : 0);
  frame_.flags = static_cast<uint8_t>(flags);
}

FrameEncoder& FrameEncoder::set(const std::string& signal, double physical) {
  const auto found = std::find_if(message_.signals.begin(), message_.signals.end(),
                                  [&](const DbcSignal& other) { return other.name == signal; });
  if (found == message_.signals.end()) throw std::out_of_range("no signal is called '" + signal + "'");
  put_raw(*found, raw_of(*found, physical), frame_.data);
  return *this;
}

CanFrame FrameEncoder::take(int64_t time_ns) {
  CanFrame frame = frame_;
  frame.time_ns = time_ns;
  std::memset(frame_.data, 0, sizeof frame_.data);
  return frame;
}

}  // namespace wayseal::oem
