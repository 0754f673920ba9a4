// SPDX-License-Identifier: Apache-2.0
#include "bench/floor_decoder.hpp"

#include <stdexcept>
#include <utility>

namespace wayseal::bench {
namespace {

std::string text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

using Names = std::map<std::pair<std::string, std::string>, uint16_t>;

Names names_of(const SignalTable& table) {
  Names names;
  for (uint16_t signal = 0; signal < table.signal_count(); ++signal) {
    const uint16_t message = table.group(table.group_of(signal)).message;
    names[{text(table.message_name(message)), text(table.signal_name(signal))}] = signal;
  }
  return names;
}

/// Number of the lowest bit of a Motorola signal in the frame read as one big-endian 64-bit number.
uint8_t motorola_shift(const oem::DbcSignal& signal) {
  const unsigned from_top = 8U * (signal.start_bit / 8U) + (7U - signal.start_bit % 8U);
  return static_cast<uint8_t>(64U - from_top - signal.width);
}

}  // namespace

bool FloorDecoder::fits(const oem::DbcMessage& message) {
  if (message.length > 8 || message.j1939) return false;
  for (const oem::DbcSignal& signal : message.signals) {
    const bool number = signal.type == SignalType::kUnsigned || signal.type == SignalType::kSigned;
    if (!number || signal.is_selector || !signal.mux_parent.empty() || !signal.mux_ranges.empty()) return false;
  }
  return true;
}

FloorDecoder::Signal FloorDecoder::plan(const oem::DbcSignal& signal, uint16_t index) {
  Signal out{};
  out.mask = signal.width == 64 ? ~uint64_t{0} : (uint64_t{1} << signal.width) - 1;
  out.sign = signal.type == SignalType::kSigned ? uint64_t{1} << (signal.width - 1U) : 0;
  out.scale = signal.scale;
  out.offset = signal.offset;
  out.index = index;
  out.order = signal.motorola ? 1 : 0;
  out.shift = signal.motorola ? motorola_shift(signal) : static_cast<uint8_t>(signal.start_bit);
  return out;
}

/// Whether no two of the keys have the same home.
bool FloorDecoder::spreads(const std::vector<uint32_t>& keys) const {
  std::vector<bool> taken(slots_.size());
  for (const uint32_t key : keys) {
    if (taken[home(key)]) return false;
    taken[home(key)] = true;
  }
  return true;
}

FloorDecoder::FloorDecoder(const oem::DbcFile& dbc, const SignalTable& order) {
  const Names names = names_of(order);
  unsigned bits = 1;
  while ((size_t{1} << bits) < 4 * dbc.messages.size()) ++bits;
  slots_.resize(size_t{1} << bits);
  mask_ = (1U << bits) - 1U;
  shift_ = 32U - bits;
  size_t total = 0;
  std::vector<uint32_t> keys;
  for (const oem::DbcMessage& message : dbc.messages) {
    total += message.signals.size();
    keys.push_back(message.id | (message.extended ? kExtended : 0U));
  }
  for (int tries = 0; tries < 1000 && !spreads(keys); ++tries) multiplier_ = multiplier_ * 0x915F77F5U + 2U;
  signals_.reserve(total);  // slots point into it
  for (const oem::DbcMessage& message : dbc.messages) {
    if (!fits(message)) {
      ++left_out_;
      continue;
    }
    const size_t first = signals_.size();
    for (const oem::DbcSignal& signal : message.signals) {
      const auto found = names.find({message.name, signal.name});
      if (found != names.end()) signals_.push_back(plan(signal, found->second));
    }
    const uint32_t key = message.id | (message.extended ? kExtended : 0U);
    uint32_t at = home(key);
    while (slots_[at].key != kFree) at = (at + 1) & mask_;
    slots_[at] = {key, {signals_.data() + first, signals_.size() - first}};
  }
}

}  // namespace wayseal::bench
