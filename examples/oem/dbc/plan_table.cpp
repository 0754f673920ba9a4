// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "dbc/plan.hpp"

namespace wayseal::oem {

namespace fmt = table_format;

namespace {

bool matches_signal(const std::string& pattern, const DbcMessage& message, const DbcSignal& signal) {
  return matches(pattern, signal.name) || matches(pattern, message.name + "." + signal.name);
}

/// Which patterns have been of use: one that names nothing is a mistake that somebody wants to hear of.
class PatternUse {
 public:
  explicit PatternUse(const TableOptions& options) : options_(options) {}

  SignalRule rule(const DbcMessage& message, const DbcSignal& signal) {
    SignalRule rule;
    rule.collected = any(options_.collect, message, signal);
    rule.on_change = any(options_.on_change, message, signal) && rule.collected;
    for (const IntervalRule& interval : options_.intervals) {
      if (!matches_signal(interval.pattern, message, signal)) continue;
      used_.insert(interval.pattern);
      if (rule.collected) rule.min_interval_ms = interval.min_interval_ms;
    }
    return rule;
  }

  void check() const {
    for (const std::string& pattern : options_.collect) check(pattern);
    for (const std::string& pattern : options_.on_change) check(pattern);
    for (const IntervalRule& interval : options_.intervals) check(interval.pattern);
  }

 private:
  bool any(const std::vector<std::string>& patterns, const DbcMessage& message, const DbcSignal& signal) {
    bool found = false;
    for (const std::string& pattern : patterns) {
      if (!matches_signal(pattern, message, signal)) continue;
      used_.insert(pattern);
      found = true;
    }
    return found;
  }
  void check(const std::string& pattern) const {
    if (pattern != "*" && used_.count(pattern) == 0) throw TableError("no signal is called '" + pattern + "'");
  }

  const TableOptions& options_;
  std::set<std::string> used_;
};

/// The collected signals of a message and the multiplexer switches above them, in the file's order.
std::vector<SignalPlan> choose(const DbcMessage& message, PatternUse& patterns) {
  std::map<std::string, const DbcSignal*> by_name;
  for (const DbcSignal& signal : message.signals) by_name[signal.short_name] = &signal;
  std::set<const DbcSignal*> needed;
  std::map<const DbcSignal*, SignalRule> rules;
  for (const DbcSignal& signal : message.signals) {
    rules[&signal] = patterns.rule(message, signal);
    if (!rules[&signal].collected) continue;
    const DbcSignal* at = &signal;
    while (needed.insert(at).second && !at->mux_parent.empty()) at = by_name.at(at->mux_parent);
  }
  std::vector<SignalPlan> chosen;
  for (const DbcSignal& signal : message.signals) {
    if (needed.count(&signal) != 0) chosen.push_back({&signal, 0, rules[&signal]});
  }
  return chosen;
}

std::string hex(uint32_t number) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) {
    if (!text.empty() || (number >> shift) != 0 || shift == 0) text += kDigits[(number >> shift) & 15U];
  }
  return "0x" + text;
}

uint32_t id_key(const DbcMessage& message) {
  return message.id | (message.extended ? fmt::kExtendedKey : fmt::kStandardKey);
}

/// Messages of one bus that share a parameter group, in the files' order.
using PgnUsers = std::map<std::pair<uint8_t, uint32_t>, std::vector<uint16_t>>;

void add_j1939_slots(TablePlan& plan, const PgnUsers& users, std::vector<SlotPlan>& entries) {
  for (const auto& [place, messages] : users) {
    const MessagePlan& first = plan.messages[messages.front()];
    entries.push_back({fmt::pgn_key(first.dbc->id), place.first, messages.front()});
    plan.flags |= fmt::kHasJ1939;
    if (messages.size() == 1) continue;
    plan.flags |= fmt::kHasSharedPgn;
    std::set<uint32_t> sources;
    for (const uint16_t index : messages) {
      const uint32_t key = fmt::source_key(plan.messages[index].dbc->id);
      if (sources.insert(key).second) entries.push_back({key, place.first, index});
    }
  }
}

/// The keys of all messages.
std::vector<SlotPlan> slot_entries(TablePlan& plan) {
  std::vector<SlotPlan> entries;
  PgnUsers users;
  const auto count = static_cast<uint16_t>(plan.messages.size());
  for (uint16_t i = 0; i < count; ++i) {
    const MessagePlan& message = plan.messages[i];
    entries.push_back({id_key(*message.dbc), message.bus, i});
    if (message.dbc->j1939) users[{message.bus, fmt::pgn_of(message.dbc->id)}].push_back(i);
  }
  add_j1939_slots(plan, users, entries);
  return entries;
}

uint8_t bus_index(TablePlan& plan, const std::string& name) {
  if (name.empty()) return 0;
  if (name.size() >= fmt::kBusNameSize) {
    throw TableError("the name of bus '" + name + "' is longer than " + std::to_string(fmt::kBusNameSize - 1) +
                     " bytes");
  }
  const auto found = std::find(plan.buses.begin(), plan.buses.end(), name);
  if (found != plan.buses.end()) return static_cast<uint8_t>(found - plan.buses.begin());
  if (plan.buses.size() == 255) throw TableError("more than 255 buses");
  plan.buses.push_back(name);
  return static_cast<uint8_t>(plan.buses.size() - 1);
}

void plan_file(TablePlan& plan, const BusDbc& file, PatternUse& patterns, bool everything,
               std::set<std::pair<uint8_t, uint32_t>>& taken) {
  const uint8_t bus = bus_index(plan, file.bus);
  plan.warnings.insert(plan.warnings.end(), file.dbc.warnings.begin(), file.dbc.warnings.end());
  for (const DbcMessage& message : file.dbc.messages) {
    const std::vector<SignalPlan> chosen = choose(message, patterns);
    if (chosen.empty() && !everything) continue;
    if (!taken.insert({bus, id_key(message)}).second) {
      plan.warnings.push_back({file.dbc.file, message.line,
                               "message '" + message.name + "' has the identifier " + hex(message.id) +
                                   " of a message in an earlier file for the same bus; it is left out"});
      continue;
    }
    plan_message(plan, message, bus, chosen);
  }
}

uint32_t longest_run(const std::vector<SlotPlan>& slots) {
  uint32_t longest = 0;
  uint32_t run = 0;
  for (size_t i = 0; i < 2 * slots.size() && longest <= slots.size(); ++i) {
    run = slots[i % slots.size()].key == fmt::slot::kEmptyKey ? 0 : run + 1;
    longest = std::max(longest, run);
  }
  return longest;
}

/// \return how many steps all searches take together.
size_t place_all(HashPlan& hash, const std::vector<SlotPlan>& entries) {
  hash.slots.assign(size_t{1} << hash.bits, SlotPlan{});
  size_t steps = 0;
  for (const SlotPlan& entry : entries) {
    uint32_t at = fmt::home_slot(entry.key, entry.bus, hash.multiplier, 32U - hash.bits);
    for (; hash.slots[at].key != fmt::slot::kEmptyKey; ++steps) at = (at + 1) & ((1U << hash.bits) - 1);
    hash.slots[at] = entry;
  }
  return steps;
}

}  // namespace

HashPlan plan_hash(const std::vector<SlotPlan>& entries) {
  HashPlan best;
  HashPlan hash;
  while ((size_t{1} << hash.bits) < 2 * entries.size() + 2) ++hash.bits;
  for (; hash.bits <= 16; ++hash.bits) {
    size_t fewest = SIZE_MAX;
    uint32_t random = 1;
    for (int i = 0; i < 256; ++i) {
      random = random * 1664525U + 1013904223U;
      hash.multiplier = random | 1U;
      const size_t steps = place_all(hash, entries);
      if (steps >= fewest || longest_run(hash.slots) > fmt::slot::kRunMax) continue;
      fewest = steps;
      best = hash;
    }
    if (fewest != SIZE_MAX) return best;
  }
  throw TableError("too many messages for one table");
}

TablePlan plan_table(const std::vector<BusDbc>& files, const TableOptions& options) {
  const auto with_bus =
      std::count_if(files.begin(), files.end(), [](const BusDbc& f) { return !f.bus.empty(); });
  if (with_bus != 0 && static_cast<size_t>(with_bus) != files.size()) {
    throw TableError("either every DBC file names its bus or none does");
  }
  TablePlan plan;
  PatternUse patterns(options);
  const bool everything =
      std::find(options.collect.begin(), options.collect.end(), "*") != options.collect.end();
  std::set<std::pair<uint8_t, uint32_t>> taken;
  for (const BusDbc& file : files) plan_file(plan, file, patterns, everything, taken);
  patterns.check();
  plan.hash = plan_hash(slot_entries(plan));
  return plan;
}

}  // namespace wayseal::oem
