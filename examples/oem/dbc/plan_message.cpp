// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "dbc/plan.hpp"

namespace wayseal::oem {

namespace {

using Ranges = std::vector<MuxRange>;

bool operator_less(const MuxRange& a, const MuxRange& b) {
  return a.low != b.low ? a.low < b.low : a.high < b.high;
}

/// Sorted, with overlapping and touching ranges joined, so that equal conditions look equal.
Ranges normalized(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(), operator_less);
  Ranges joined;
  for (const MuxRange& range : ranges) {
    if (!joined.empty() && (joined.back().high == UINT64_MAX || range.low <= joined.back().high + 1)) {
      joined.back().high = std::max(joined.back().high, range.high);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

bool holds(const Ranges& ranges, uint64_t value) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const MuxRange& range) { return range.low <= value && value <= range.high; });
}

/// Signals that one condition opens.
struct Child {
  std::string selector;  ///< Short name.
  Ranges ranges;
  std::vector<SignalPlan> signals;
};

std::vector<Child> children_of(const std::vector<SignalPlan>& chosen) {
  std::vector<Child> children;
  for (const SignalPlan& signal : chosen) {
    if (signal.dbc->mux_parent.empty()) continue;
    const Ranges ranges = normalized(signal.dbc->mux_ranges);
    const auto same = std::find_if(children.begin(), children.end(), [&](const Child& child) {
      return child.selector == signal.dbc->mux_parent &&
             std::equal(
                 child.ranges.begin(), child.ranges.end(), ranges.begin(), ranges.end(),
                 [](const MuxRange& a, const MuxRange& b) { return a.low == b.low && a.high == b.high; });
    });
    if (same != children.end()) {
      same->signals.push_back(signal);
    } else {
      children.push_back({signal.dbc->mux_parent, ranges, {signal}});
    }
  }
  std::stable_sort(children.begin(), children.end(), [](const Child& a, const Child& b) {
    return operator_less(a.ranges.front(), b.ranges.front());
  });
  return children;
}

/// Cuts the numbers into intervals in which the same groups are open.
std::vector<CasePlan> cases_of(const std::vector<std::pair<Ranges, uint16_t>>& opened) {
  std::set<uint64_t> begins;
  for (const auto& [ranges, group] : opened) {
    for (const MuxRange& range : ranges) {
      begins.insert(range.low);
      if (range.high != UINT64_MAX) begins.insert(range.high + 1);
    }
  }
  std::vector<CasePlan> cases;
  for (auto begin = begins.begin(); begin != begins.end(); ++begin) {
    const auto after = std::next(begin);
    const uint64_t last = after == begins.end() ? UINT64_MAX : *after - 1;
    for (const auto& [ranges, group] : opened) {
      if (holds(ranges, *begin)) cases.push_back({*begin, last, group});
    }
  }
  return cases;
}

uint16_t count16(size_t count) {
  if (count >= 0xFFFF)
    throw TableError("too many signals or multiplexer conditions: a table holds 65,534 of each");
  return static_cast<uint16_t>(count);
}

class MessagePlanner {
 public:
  MessagePlanner(TablePlan& plan, const std::vector<SignalPlan>& chosen)
      : plan_(plan), children_(children_of(chosen)) {}

  /// Parents first, level by level.
  void run(const std::vector<SignalPlan>& chosen) {
    std::vector<SignalPlan> unconditional;
    std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(unconditional),
                 [](const SignalPlan& signal) { return signal.dbc->mux_parent.empty(); });
    add_group(unconditional, table_format::group::kNoParent);
    while (!pending_.empty()) {
      const auto [child, selector] = pending_.front();
      pending_.pop_front();
      const uint16_t group = add_group(child->signals, selector);
      opened_[selector].emplace_back(child->ranges, group);
    }
    for (const auto& [selector, opened] : opened_) plan_.selectors[selector].cases = cases_of(opened);
  }

 private:
  uint16_t add_group(const std::vector<SignalPlan>& signals, uint16_t parent) {
    GroupPlan group;
    const uint16_t index = count16(plan_.groups.size());
    group.message = static_cast<uint16_t>(plan_.messages.size() - 1);
    group.parent = parent;
    group.first_signal = count16(plan_.signals.size());
    group.signal_count = static_cast<uint16_t>(signals.size());
    group.first_selector = count16(plan_.selectors.size());
    for (SignalPlan signal : signals) {
      signal.group = index;
      const uint16_t signal_index = count16(plan_.signals.size());
      plan_.signals.push_back(signal);
      add_selector(signal, signal_index, index);
    }
    group.selector_count = static_cast<uint16_t>(plan_.selectors.size() - group.first_selector);
    plan_.groups.push_back(group);
    ++plan_.messages.back().group_count;
    return index;
  }

  void add_selector(const SignalPlan& signal, uint16_t signal_index, uint16_t group) {
    bool added = false;
    for (const Child& child : children_) {
      if (child.selector != signal.dbc->short_name) continue;
      if (!added) plan_.selectors.push_back({signal_index, group, {}});
      added = true;
      pending_.emplace_back(&child, count16(plan_.selectors.size() - 1));
    }
  }

  TablePlan& plan_;
  std::vector<Child> children_;
  std::deque<std::pair<const Child*, uint16_t>> pending_;
  std::map<uint16_t, std::vector<std::pair<Ranges, uint16_t>>> opened_;
};

}  // namespace

void plan_message(TablePlan& plan, const DbcMessage& message, uint8_t bus,
                  const std::vector<SignalPlan>& chosen) {
  MessagePlan entry;
  entry.dbc = &message;
  entry.bus = bus;
  entry.first_group = count16(plan.groups.size());
  plan.messages.push_back(entry);
  MessagePlanner(plan, chosen).run(chosen);
}

}  // namespace wayseal::oem
