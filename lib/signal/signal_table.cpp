// SPDX-License-Identifier: Apache-2.0
#include "wayseal/signal/signal_table.hpp"

namespace wayseal {

namespace fmt = table_format;

namespace {

double load_double(const uint8_t* p) {
  const uint64_t bits = load_le64(p);
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

/// Zeros, then two empty slots: an object that is not loaded finds nothing, without a check for each frame.
const uint8_t SignalTable::kEmptyCore[] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0, 0, 0,    0,    0,    0,    0,    0,    0, 0, 0,    0,  //
    0, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0, 0, 0,    0,    0,    0,    0,    0,    0, 0, 0,    0,  //
    0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF};

/// Ends because `load` has seen an empty slot, and an object that is not loaded has empty ones built in.
uint16_t SignalTable::probe_further(uint32_t key, uint8_t bus, uint32_t home) const {
  const uint32_t mask = 0xFFFFFFFFU >> hash_shift_;
  for (uint32_t index = home;; index = (index + 1) & mask) {
    const uint8_t* p = slot_record(index);
    const uint32_t found = load_le32(p + fmt::slot::kKey);
    if (found == key && p[fmt::slot::kBus] == bus) return load_le16(p + fmt::slot::kMessage);
    if (found == fmt::slot::kEmptyKey) return fmt::slot::kNoMessage;
  }
}

Result<uint16_t> SignalTable::find_by_pgn(uint32_t id, uint8_t bus) const {
  if ((flags_ & fmt::kHasSharedPgn) != 0) {
    const uint16_t found = probe(fmt::source_key(id), bus);
    if (found != fmt::slot::kNoMessage) return found;
  }
  const uint16_t found = probe(fmt::pgn_key(id), bus);
  if (found != fmt::slot::kNoMessage) return found;
  return Status::kNotFound;
}

MessageInfo SignalTable::message(uint16_t index) const {
  const uint8_t* p = message_record(index);
  MessageInfo info;
  info.id = load_le32(p + fmt::message::kId);
  info.bus = p[fmt::message::kBus];
  info.length = p[fmt::message::kLength];
  info.flags = p[fmt::message::kFlags];
  info.first_group = load_le16(p + fmt::message::kFirstGroup);
  info.group_count = load_le16(p + fmt::message::kGroupCount);
  info.cycle_ms = load_le32(p + fmt::message::kCycle);
  return info;
}

double SignalTable::scale(uint16_t signal) const {
  return load_double(value_record(signal) + fmt::value::kScale);
}
double SignalTable::offset(uint16_t signal) const {
  return load_double(value_record(signal) + fmt::value::kOffset);
}

Bytes SignalTable::padded(const uint8_t* text, size_t size) {
  size_t used = 0;
  while (used < size && text[used] != 0) ++used;
  return {text, used};
}

const uint8_t* SignalTable::signal_names_record(uint16_t signal) const {
  return names_ + fmt::names::kFixedSize + size_t{message_count_} * fmt::names::kMessageSize +
         size_t{signal} * fmt::names::kSignalSize;
}

Bytes SignalTable::text_at(const uint8_t* reference) const {
  const uint8_t* texts = signal_names_record(signal_count_) +
                         size_t{load_le32(names_ + fmt::names::kValueCount)} * fmt::names::kValueSize;
  const uint8_t* text = texts + load_le32(reference);
  return {text + 2, load_le16(text)};
}

Bytes SignalTable::message_name(uint16_t message) const {
  if (!has_names()) return {};
  return text_at(names_ + fmt::names::kFixedSize + size_t{message} * fmt::names::kMessageSize);
}

Bytes SignalTable::signal_name(uint16_t signal) const {
  if (!has_names()) return {};
  return text_at(signal_names_record(signal) + fmt::names::kSignalName);
}

Bytes SignalTable::signal_unit(uint16_t signal) const {
  if (!has_names()) return {};
  return text_at(signal_names_record(signal) + fmt::names::kSignalUnit);
}

Result<SignalLimits> SignalTable::signal_limits(uint16_t signal) const {
  if (!has_names()) return Status::kNotFound;
  const uint8_t* p = signal_names_record(signal);
  if ((load_le16(p + fmt::names::kSignalFlags) & fmt::names::kHasLimits) == 0) return Status::kNotFound;
  return SignalLimits{load_double(p + fmt::names::kSignalMinimum), load_double(p + fmt::names::kSignalMaximum)};
}

Bytes SignalTable::value_text(uint16_t signal, uint64_t raw) const {
  if (!has_names()) return {};
  const uint8_t* p = signal_names_record(signal);
  const uint8_t* value = signal_names_record(signal_count_) +
                         size_t{load_le32(p + fmt::names::kSignalFirstValue)} * fmt::names::kValueSize;
  const uint16_t count = load_le16(p + fmt::names::kSignalValueCount);
  for (uint16_t i = 0; i < count; ++i, value += fmt::names::kValueSize) {
    if (load_le64(value + fmt::names::kValueRaw) == raw) return text_at(value + fmt::names::kValueText);
  }
  return {};
}

double physical(const SignalTable& table, uint16_t signal, uint64_t raw) {
  double value = 0;
  switch (table.type(signal)) {
    case SignalType::kUnsigned: value = static_cast<double>(raw); break;
    case SignalType::kSigned: value = static_cast<double>(static_cast<int64_t>(raw)); break;
    case SignalType::kFloat: {
      const auto bits = static_cast<uint32_t>(raw);
      float single;
      std::memcpy(&single, &bits, sizeof single);
      value = static_cast<double>(single);
      break;
    }
    case SignalType::kDouble: std::memcpy(&value, &raw, sizeof value); break;
  }
  return value * table.scale(signal) + table.offset(signal);
}

}  // namespace wayseal
