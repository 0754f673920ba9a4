// SPDX-License-Identifier: Apache-2.0
#include "dbc/listing.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>

#include "wayseal/signal/signal_table.hpp"

namespace wayseal::oem {

namespace fmt = table_format;

namespace {

std::string text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, pattern, args...);
  return buffer;
}

const char* type_name(SignalType type) {
  switch (type) {
    case SignalType::kUnsigned: return "unsigned";
    case SignalType::kSigned: return "signed";
    case SignalType::kFloat: return "float";
    case SignalType::kDouble: return "double";
  }
  return "";
}

void list_head(const SignalTable& table, std::ostream& out) {
  out << "table " << text(table.name()) << ", version " << table.version() << ", id "
      << format("%016llx", static_cast<unsigned long long>(table.id())) << '\n';
  out << table.message_count() << " messages, " << table.group_count() << " groups, " << table.signal_count()
      << " signals; buses:";
  for (uint16_t i = 0; i < table.bus_count(); ++i) out << ' ' << text(table.bus_name(i));
  out << (table.bus_count() == 0 ? " any\n" : "\n");
}

/// "when Mode is 3, 5-7"
std::string condition(const SignalTable& table, uint16_t group) {
  const uint16_t parent = load_le16(table.group_record(group) + fmt::group::kParent);
  if (parent == fmt::group::kNoParent) return {};
  const uint8_t* selector = table.selector_record(parent);
  const uint16_t signal = load_le16(selector + fmt::selector::kSignal);
  std::string line =
      "  when " + (table.has_names() ? text(table.signal_name(signal)) : "#" + std::to_string(signal)) + " is";
  const uint16_t first = load_le16(selector + fmt::selector::kFirstCase);
  const uint16_t count = load_le16(selector + fmt::selector::kCaseCount);
  for (uint16_t i = 0; i < count; ++i) {
    const uint8_t* p = table.case_record(static_cast<uint16_t>(first + i));
    if (load_le16(p + fmt::mux_case::kGroup) != group) continue;
    const uint64_t low = load_le64(p + fmt::mux_case::kLow);
    const uint64_t high = load_le64(p + fmt::mux_case::kHigh);
    line += " " + std::to_string(low) + (high > low ? "-" + std::to_string(high) : "");
  }
  return line + "\n";
}

void list_signal(const SignalTable& table, uint16_t signal, std::ostream& out) {
  const SignalRule rule = table.rule(signal);
  out << format("    %5u  %-32s %2u-bit %-8s x%g %+g", unsigned{signal},
                text(table.signal_name(signal)).c_str(), unsigned{table.width(signal)},
                type_name(table.type(signal)), table.scale(signal), table.offset(signal));
  if (!table.signal_unit(signal).empty()) out << ' ' << text(table.signal_unit(signal));
  if (!rule.collected) out << ", not collected";
  if (rule.on_change) out << ", on change";
  if (rule.min_interval_ms != 0) out << ", at most every " << rule.min_interval_ms << " ms";
  out << '\n';
}

void list_message(const SignalTable& table, uint16_t index, std::ostream& out) {
  const MessageInfo message = table.message(index);
  out << format(message.extended() ? "%08X" : "%03X", static_cast<unsigned>(message.id)) << ' '
      << text(table.message_name(index)) << ", " << unsigned{message.length} << " bytes";
  if (table.bus_count() != 0) out << ", " << text(table.bus_name(message.bus));
  if (message.fd()) out << ", FD";
  if (message.j1939()) out << ", J1939 group " << fmt::pgn_of(message.id);
  if (message.cycle_ms != 0) out << ", every " << message.cycle_ms << " ms";
  out << '\n';
  for (uint16_t i = 0; i < message.group_count; ++i) {
    const auto group = static_cast<uint16_t>(message.first_group + i);
    const GroupInfo info = table.group(group);
    out << condition(table, group);
    for (uint16_t s = 0; s < info.signal_count; ++s)
      list_signal(table, static_cast<uint16_t>(info.first_signal + s), out);
  }
}

}  // namespace

void list_table(const std::vector<uint8_t>& bytes, std::ostream& out) {
  SignalTable table;
  if (table.load({bytes.data(), bytes.size()}) != Status::kOk) throw std::runtime_error("not a signal table");
  list_head(table, out);
  for (uint16_t i = 0; i < table.message_count(); ++i) list_message(table, i, out);
}

}  // namespace wayseal::oem
