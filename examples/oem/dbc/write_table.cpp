// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <map>

#include "dbc/plan.hpp"

namespace wayseal::oem {

namespace fmt = table_format;

namespace {

using Buffer = std::vector<uint8_t>;

/// Appends `size` zero bytes and gives their place.
uint8_t* extend(Buffer& buffer, size_t size) {
  buffer.resize(buffer.size() + size);
  return buffer.data() + buffer.size() - size;
}

void store_double(uint8_t* p, double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  store_le64(p, bits);
}

void write_slot(Buffer& out, const SlotPlan& slot) {
  uint8_t* p = extend(out, fmt::slot::kSize);
  store_le32(p + fmt::slot::kKey, slot.key);
  p[fmt::slot::kBus] = slot.bus;
  store_le16(p + fmt::slot::kMessage, slot.message);
}

void write_geometry(Buffer& out, const SignalPlan& plan) {
  const DbcSignal& signal = *plan.dbc;
  size_t first = signal.start_bit;
  if (signal.motorola) first = first / 8 * 8 + (7 - first % 8);
  size_t kind = signal.type == SignalType::kSigned ? fmt::geometry::kSigned : 0;
  size_t offset = 0;
  if (first + signal.width > 64) {
    kind |= fmt::geometry::kFar;
    // The last eight bytes of a frame at most, so that loading eight never leaves it.
    offset = std::min(first / 8, kCanDataMax - 8);
  }
  const size_t skip = first - offset * 8;
  size_t left = skip;
  if (skip + signal.width > 64) {
    kind |= fmt::geometry::kNineBytes;
  } else if (!signal.motorola) {
    left = 64 - skip - signal.width;
  }
  if (signal.motorola) kind |= fmt::geometry::kMotorola;
  uint8_t* p = extend(out, fmt::geometry::kSize);
  p[fmt::geometry::kOffset] = static_cast<uint8_t>(offset);
  p[fmt::geometry::kLeft] = static_cast<uint8_t>(left);
  p[fmt::geometry::kRight] = static_cast<uint8_t>(64 - signal.width);
  p[fmt::geometry::kKind] = static_cast<uint8_t>(kind);
  p[fmt::geometry::kNeeded] = static_cast<uint8_t>(needed_bytes(signal));
  store_le16(p + fmt::geometry::kGroup, plan.group);
}

void write_message(Buffer& out, const MessagePlan& plan) {
  const DbcMessage& message = *plan.dbc;
  const int flags = (message.extended ? fmt::message::kExtended : 0) | (message.fd ? fmt::message::kFd : 0) |
                    (message.j1939 ? fmt::message::kJ1939 : 0);
  uint8_t* p = extend(out, fmt::message::kSize);
  store_le32(p + fmt::message::kId, message.id);
  p[fmt::message::kBus] = plan.bus;
  p[fmt::message::kLength] = message.length;
  p[fmt::message::kFlags] = static_cast<uint8_t>(flags);
  store_le16(p + fmt::message::kFirstGroup, plan.first_group);
  store_le16(p + fmt::message::kGroupCount, plan.group_count);
  store_le32(p + fmt::message::kCycle, message.cycle_ms);
}

void write_group(Buffer& out, const GroupPlan& group) {
  uint8_t* p = extend(out, fmt::group::kSize);
  store_le16(p + fmt::group::kMessage, group.message);
  store_le16(p + fmt::group::kFirstSignal, group.first_signal);
  store_le16(p + fmt::group::kSignalCount, group.signal_count);
  store_le16(p + fmt::group::kFirstSelector, group.first_selector);
  store_le16(p + fmt::group::kSelectorCount, group.selector_count);
  store_le16(p + fmt::group::kParent, group.parent);
}

void write_selector(Buffer& out, const SelectorPlan& selector, size_t first_case) {
  uint8_t* p = extend(out, fmt::selector::kSize);
  store_le16(p + fmt::selector::kSignal, selector.signal);
  store_le16(p + fmt::selector::kGroup, selector.group);
  store_le16(p + fmt::selector::kFirstCase, static_cast<uint16_t>(first_case));
  store_le16(p + fmt::selector::kCaseCount, static_cast<uint16_t>(selector.cases.size()));
}

void write_case(Buffer& out, const CasePlan& plan) {
  uint8_t* p = extend(out, fmt::mux_case::kSize);
  store_le64(p + fmt::mux_case::kLow, plan.low);
  store_le64(p + fmt::mux_case::kHigh, plan.high);
  store_le16(p + fmt::mux_case::kGroup, plan.group);
}

void write_value(Buffer& out, const SignalPlan& plan) {
  const int rule =
      (plan.rule.collected ? fmt::value::kCollected : 0) | (plan.rule.on_change ? fmt::value::kOnChange : 0);
  uint8_t* p = extend(out, fmt::value::kSize);
  store_double(p + fmt::value::kScale, plan.dbc->scale);
  store_double(p + fmt::value::kOffset, plan.dbc->offset);
  store_le32(p + fmt::value::kMinInterval, plan.rule.min_interval_ms);
  p[fmt::value::kRule] = static_cast<uint8_t>(rule);
  p[fmt::value::kType] = static_cast<uint8_t>(plan.dbc->type);
}

void write_fixed(uint8_t* p, const TablePlan& plan, const TableOptions& options, size_t cases) {
  store_le32(p + fmt::core::kVersion, options.version);
  std::copy(options.name.begin(), options.name.end(), p + fmt::core::kName);
  store_le16(p + fmt::core::kBusCount, static_cast<uint16_t>(plan.buses.size()));
  store_le16(p + fmt::core::kMessageCount, static_cast<uint16_t>(plan.messages.size()));
  store_le16(p + fmt::core::kGroupCount, static_cast<uint16_t>(plan.groups.size()));
  store_le16(p + fmt::core::kSelectorCount, static_cast<uint16_t>(plan.selectors.size()));
  store_le16(p + fmt::core::kCaseCount, static_cast<uint16_t>(cases));
  store_le16(p + fmt::core::kSignalCount, static_cast<uint16_t>(plan.signals.size()));
  p[fmt::core::kSlotBits] = plan.hash.bits;
  p[fmt::core::kFlags] = plan.flags;
  store_le32(p + fmt::core::kHashMultiplier, plan.hash.multiplier);
}

/// Array after array, in the order of table_format::ArrayOrder.
Buffer write_core(const TablePlan& plan, const TableOptions& options) {
  size_t cases = 0;
  for (const SelectorPlan& selector : plan.selectors) cases += selector.cases.size();
  if (cases > 0xFFFF) throw TableError("too many multiplexer values: a table holds 65,535");
  if (options.name.size() > fmt::core::kNameSize) throw TableError("the table's name is longer than 32 bytes");
  Buffer out;
  write_fixed(extend(out, fmt::core::kFixedSize), plan, options, cases);
  for (const SlotPlan& slot : plan.hash.slots) write_slot(out, slot);
  for (const SignalPlan& signal : plan.signals) write_geometry(out, signal);
  for (const MessagePlan& message : plan.messages) write_message(out, message);
  for (const GroupPlan& group : plan.groups) write_group(out, group);
  size_t first_case = 0;
  for (const SelectorPlan& selector : plan.selectors) {
    write_selector(out, selector, first_case);
    first_case += selector.cases.size();
  }
  for (const SelectorPlan& selector : plan.selectors) {
    for (const CasePlan& mux_case : selector.cases) write_case(out, mux_case);
  }
  for (const SignalPlan& signal : plan.signals) write_value(out, signal);
  for (const std::string& bus : plan.buses) std::copy(bus.begin(), bus.end(), extend(out, fmt::kBusNameSize));
  return out;
}

/// Every text once.
class Texts {
 public:
  uint32_t add(const std::string& text) {
    const std::string kept = text.substr(0, 0xFFFF);
    const auto [found, fresh] = places_.emplace(kept, static_cast<uint32_t>(bytes_.size()));
    if (!fresh) return found->second;
    uint8_t* p = extend(bytes_, 2 + kept.size());
    store_le16(p, static_cast<uint16_t>(kept.size()));
    std::copy(kept.begin(), kept.end(), p + 2);
    return found->second;
  }
  const Buffer& bytes() const { return bytes_; }

 private:
  std::map<std::string, uint32_t> places_;
  Buffer bytes_;
};

uint64_t raw_of(const DbcSignal& signal, int64_t value) {
  const auto raw = static_cast<uint64_t>(value);
  if (signal.type == SignalType::kSigned) return raw;
  // Some files write the largest values of unsigned signals as negative numbers.
  return raw & (UINT64_MAX >> (64 - signal.width));
}

class NamesWriter {
 public:
  Buffer run(const TablePlan& plan) {
    for (const MessagePlan& message : plan.messages) {
      store_le32(extend(records_, fmt::names::kMessageSize), texts_.add(message.dbc->name));
    }
    for (const SignalPlan& signal : plan.signals) add_signal(*signal.dbc);
    Buffer out;
    uint8_t* p = extend(out, fmt::names::kFixedSize);
    store_le32(p + fmt::names::kTextBytes, static_cast<uint32_t>(texts_.bytes().size()));
    store_le32(p + fmt::names::kValueCount, static_cast<uint32_t>(values_.size() / fmt::names::kValueSize));
    for (const Buffer* part : std::initializer_list<const Buffer*>{&records_, &values_, &texts_.bytes()})
      out.insert(out.end(), part->begin(), part->end());
    return out;
  }

 private:
  void add_signal(const DbcSignal& signal) {
    const size_t first = values_.size() / fmt::names::kValueSize;
    const size_t count = std::min<size_t>(signal.values.size(), 0xFFFF);
    for (size_t i = 0; i < count; ++i) {
      uint8_t* p = extend(values_, fmt::names::kValueSize);
      store_le64(p + fmt::names::kValueRaw, raw_of(signal, signal.values[i].value));
      store_le32(p + fmt::names::kValueText, texts_.add(signal.values[i].text));
    }
    uint8_t* p = extend(records_, fmt::names::kSignalSize);
    store_le32(p + fmt::names::kSignalName, texts_.add(signal.name));
    store_le32(p + fmt::names::kSignalUnit, texts_.add(signal.unit));
    store_double(p + fmt::names::kSignalMinimum, signal.minimum);
    store_double(p + fmt::names::kSignalMaximum, signal.maximum);
    store_le32(p + fmt::names::kSignalFirstValue, static_cast<uint32_t>(first));
    store_le16(p + fmt::names::kSignalValueCount, static_cast<uint16_t>(count));
    // [0|0] is how a DBC says that there are none.
    const bool limits = signal.minimum < signal.maximum;
    store_le16(p + fmt::names::kSignalFlags, limits ? fmt::names::kHasLimits : uint16_t{0});
  }

  Texts texts_;
  Buffer records_;
  Buffer values_;
};

Bytes view(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }

}  // namespace

std::vector<uint8_t> write_table(const TablePlan& plan, const TableOptions& options) {
  const Buffer core = write_core(plan, options);
  const Buffer names = options.names ? NamesWriter().run(plan) : Buffer();
  Buffer out(fmt::kHeaderSize);
  std::copy(std::begin(fmt::kMagic), std::end(fmt::kMagic), out.begin());
  store_le32(out.data() + fmt::header::kCoreSize, static_cast<uint32_t>(core.size()));
  store_le32(out.data() + fmt::header::kNamesSize, static_cast<uint32_t>(names.size()));
  store_le32(out.data() + fmt::header::kCoreCrc, fmt::crc32(view(core)));
  store_le32(out.data() + fmt::header::kNamesCrc, fmt::crc32(view(names)));
  store_be64(out.data() + fmt::header::kId, table_id(view(core)));
  store_le32(out.data() + fmt::header::kHeaderCrc, fmt::crc32(view(out).first(fmt::header::kHeaderCrc)));
  out.insert(out.end(), core.begin(), core.end());
  out.insert(out.end(), names.begin(), names.end());
  return out;
}

}  // namespace wayseal::oem
