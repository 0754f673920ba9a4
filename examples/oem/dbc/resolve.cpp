// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "dbc/raw.hpp"

namespace wayseal::oem {

namespace {

DbcMessage* find_message(RawFile& raw, RawId id) {
  const auto found = raw.message_of.find(id);
  return found == raw.message_of.end() ? nullptr : &raw.dbc.messages[found->second];
}

DbcSignal* find_signal(DbcMessage& message, const std::string& short_name) {
  const auto found = std::find_if(message.signals.begin(), message.signals.end(),
                                  [&](const DbcSignal& signal) { return signal.short_name == short_name; });
  return found == message.signals.end() ? nullptr : &*found;
}

/// The signal that a section speaks of; null when the file does not have it, which real files get wrong often.
DbcSignal* find_signal(RawFile& raw, const SignalRef& ref) {
  DbcMessage* message = find_message(raw, ref.message);
  return message == nullptr ? nullptr : find_signal(*message, ref.signal);
}

/// The text of an attribute, also when the file gives the number of an ENUM value.
std::string text_of(const RawFile& raw, const std::string& name, const RawAttribute& attribute) {
  if (!attribute.is_number) return attribute.text;
  const auto texts = raw.enums.find(name);
  if (texts == raw.enums.end() || attribute.number < 0 ||
      attribute.number >= static_cast<double>(texts->second.size())) {
    return {};
  }
  return texts->second[static_cast<size_t>(attribute.number)];
}

const RawAttribute* message_attribute(const RawFile& raw, const std::string& name, RawId id) {
  const auto all = raw.message_attributes.find(name);
  if (all != raw.message_attributes.end()) {
    const auto own = all->second.find(id);
    if (own != all->second.end()) return &own->second;
  }
  const auto standard = raw.defaults.find(name);
  return standard == raw.defaults.end() ? nullptr : &standard->second;
}

std::string network_text(const RawFile& raw, const std::string& name) {
  const auto own = raw.network_attributes.find(name);
  if (own != raw.network_attributes.end()) return text_of(raw, name, own->second);
  const auto standard = raw.defaults.find(name);
  return standard == raw.defaults.end() ? std::string() : text_of(raw, name, standard->second);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void resolve_messages(RawFile& raw) {
  const bool j1939_network = network_text(raw, "ProtocolType") == "J1939";
  for (const auto& [id, index] : raw.message_of) {
    DbcMessage& message = raw.dbc.messages[index];
    const RawAttribute* format = message_attribute(raw, "VFrameFormat", id);
    const std::string text = format == nullptr ? std::string() : text_of(raw, "VFrameFormat", *format);
    message.j1939 = message.extended && (format == nullptr ? j1939_network : text == "J1939PG");
    message.fd = ends_with(text, "_FD") || message.length > 8;
    const RawAttribute* cycle = message_attribute(raw, "GenMsgCycleTime", id);
    if (cycle != nullptr && cycle->is_number && cycle->number > 0 && cycle->number < 1e9) {
      message.cycle_ms = static_cast<uint32_t>(cycle->number);
    }
    const auto names = raw.message_attributes.find("SystemMessageLongSymbol");
    if (names == raw.message_attributes.end()) continue;
    const auto name = names->second.find(id);
    if (name != names->second.end() && !name->second.text.empty()) message.name = name->second.text;
  }
}

void resolve_signals(RawFile& raw) {
  for (auto& [ref, attribute] : raw.signal_attributes["SystemSignalLongSymbol"]) {
    DbcSignal* signal = find_signal(raw, ref);
    if (signal != nullptr && !attribute.text.empty()) signal->name = attribute.text;
  }
  for (RawValues& values : raw.values) {
    DbcSignal* signal = find_signal(raw, values.signal);
    if (signal != nullptr) {
      signal->values = std::move(values.values);
    } else {
      raw.warn(values.signal.line,
               "VAL_ for a signal '" + values.signal.signal + "' that the file does not have");
    }
  }
  for (const RawValueType& type : raw.value_types) {
    DbcSignal* signal = find_signal(raw, type.signal);
    if (signal == nullptr) {
      raw.warn(type.signal.line,
               "SIG_VALTYPE_ for a signal '" + type.signal.signal + "' that the file does not have");
      continue;
    }
    if (type.type == 0) continue;
    const uint16_t width = type.type == 1 ? 32 : 64;
    if (type.type > 2 || signal->width != width) {
      throw DbcError(raw.dbc.file, type.signal.line,
                     "signal '" + signal->name + "' of " + std::to_string(signal->width) +
                         " bits can't be a float (32 bits) or double (64 bits)");
    }
    signal->type = type.type == 1 ? SignalType::kFloat : SignalType::kDouble;
  }
}

void resolve_extended_mux(RawFile& raw) {
  for (RawMux& mux : raw.muxes) {
    DbcMessage* message = find_message(raw, mux.signal.message);
    DbcSignal* signal = find_signal(raw, mux.signal);
    DbcSignal* selector = message == nullptr ? nullptr : find_signal(*message, mux.selector);
    if (signal == nullptr || selector == nullptr) {
      raw.warn(mux.signal.line, "SG_MUL_VAL_ for signals '" + mux.signal.signal + "' and '" + mux.selector +
                                    "', which are not both in the message");
      continue;
    }
    if (!signal->mux_parent.empty() && signal->mux_parent != mux.selector) {
      throw DbcError(raw.dbc.file, mux.signal.line,
                     "signal '" + mux.signal.signal + "' has two multiplexer switches");
    }
    selector->is_selector = true;
    signal->mux_parent = mux.selector;
    signal->mux_ranges.insert(signal->mux_ranges.end(), mux.ranges.begin(), mux.ranges.end());
  }
}

/// Signals with m<k> alone belong to the one switch that is itself always there.
void resolve_plain_mux(DbcMessage& message) {
  std::vector<std::string> switches;
  for (const DbcSignal& signal : message.signals) {
    if (signal.is_selector && !signal.mux_value && signal.mux_parent.empty())
      switches.push_back(signal.short_name);
  }
  if (switches.size() != 1) return;
  for (DbcSignal& signal : message.signals) {
    if (!signal.mux_value || !signal.mux_parent.empty()) continue;
    signal.mux_parent = switches.front();
    signal.mux_ranges = {{*signal.mux_value, *signal.mux_value}};
  }
}

/// Why a signal can't be decoded; empty when it can.
std::string obstacle(DbcMessage& message, const DbcSignal& signal) {
  const size_t needed = needed_bytes(signal);
  if (needed > message.length) {
    return "lies outside its message of " + std::to_string(message.length) + " bytes";
  }
  if (signal.mux_value && signal.mux_parent.empty()) {
    return "is multiplexed, but the message has no single multiplexer switch and SG_MUL_VAL_ names none";
  }
  if (signal.mux_parent.empty()) return {};
  // Up the chain of conditions: to a signal that is always there, and not in a circle.
  size_t depth = 0;
  for (const DbcSignal* at = &signal; !at->mux_parent.empty();) {
    at = find_signal(message, at->mux_parent);
    if (at == nullptr) return "depends on a multiplexer switch that was left out";
    if (at->type == SignalType::kFloat || at->type == SignalType::kDouble) {
      return "depends on the multiplexer switch '" + at->name + "', which is no integer";
    }
    if (++depth > kMuxDepthMax) {
      return "depends on multiplexer switches in a circle, or more than " + std::to_string(kMuxDepthMax) +
             " deep";
    }
  }
  return {};
}

/// Leaving one signal out may leave others without their switch, hence the repetition.
void drop_impossible(RawFile& raw, DbcMessage& message) {
  bool dropped = true;
  while (dropped) {
    std::set<std::string> impossible;
    for (const DbcSignal& signal : message.signals) {
      const std::string why = obstacle(message, signal);
      if (why.empty()) continue;
      impossible.insert(signal.short_name);
      raw.warn(signal.line,
               "signal '" + signal.name + "' of message '" + message.name + "' " + why + "; it is left out");
    }
    dropped = !impossible.empty();
    message.signals.erase(
        std::remove_if(message.signals.begin(), message.signals.end(),
                       [&](const DbcSignal& signal) { return impossible.count(signal.short_name) != 0; }),
        message.signals.end());
  }
}

}  // namespace

size_t needed_bytes(const DbcSignal& signal) {
  size_t first = signal.start_bit;
  // A Motorola start bit is the highest one: counted from the front of the frame, highest bit of each byte
  // first.
  if (signal.motorola) first = first / 8 * 8 + (7 - first % 8);
  return (first + signal.width + 7) / 8;
}

std::string to_string(const Diagnostic& diagnostic) {
  return diagnostic.file + ":" + std::to_string(diagnostic.line) + ": warning: " + diagnostic.text;
}

DbcFile resolve(RawFile raw) {
  resolve_messages(raw);
  resolve_signals(raw);
  resolve_extended_mux(raw);
  for (DbcMessage& message : raw.dbc.messages) {
    resolve_plain_mux(message);
    drop_impossible(raw, message);
  }
  std::stable_sort(raw.dbc.warnings.begin(), raw.dbc.warnings.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
  return std::move(raw.dbc);
}

}  // namespace wayseal::oem
