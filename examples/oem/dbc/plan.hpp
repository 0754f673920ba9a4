// SPDX-License-Identifier: Apache-2.0
/// \file
/// The table's records as structs, before they become bytes.
#ifndef WAYSEAL_OEM_DBC_PLAN_HPP
#define WAYSEAL_OEM_DBC_PLAN_HPP

#include <string>
#include <vector>

#include "dbc/table_builder.hpp"

namespace wayseal::oem {

struct SignalPlan {
  const DbcSignal* dbc = nullptr;
  uint16_t group = 0;
  SignalRule rule;
};

struct CasePlan {
  uint64_t low = 0;
  uint64_t high = 0;
  uint16_t group = 0;
};

struct SelectorPlan {
  uint16_t signal = 0;
  uint16_t group = 0;
  std::vector<CasePlan> cases;
};

struct GroupPlan {
  uint16_t message = 0;
  uint16_t first_signal = 0;
  uint16_t signal_count = 0;
  uint16_t first_selector = 0;
  uint16_t selector_count = 0;
  uint16_t parent = table_format::group::kNoParent;
};

struct MessagePlan {
  const DbcMessage* dbc = nullptr;
  uint8_t bus = 0;
  uint16_t first_group = 0;
  uint16_t group_count = 0;
};

struct SlotPlan {
  uint32_t key = table_format::slot::kEmptyKey;
  uint8_t bus = 0;
  uint16_t message = table_format::slot::kNoMessage;
};

struct HashPlan {
  std::vector<SlotPlan> slots;
  uint8_t bits = 1;
  uint32_t multiplier = 1;
};

struct TablePlan {
  std::vector<std::string> buses;
  std::vector<MessagePlan> messages;
  std::vector<GroupPlan> groups;
  std::vector<SelectorPlan> selectors;
  std::vector<SignalPlan> signals;
  HashPlan hash;
  uint8_t flags = 0;
  std::vector<Diagnostic> warnings;
};

/// Chooses the signals, forms groups and finds the places of messages. \throw TableError
TablePlan plan_table(const std::vector<BusDbc>& files, const TableOptions& options);

/// Finds a multiplier that spreads these entries well. Every key appears once. \throw TableError
HashPlan plan_hash(const std::vector<SlotPlan>& entries);

/// Adds one message with the chosen signals and their conditions.
void plan_message(TablePlan& plan, const DbcMessage& message, uint8_t bus,
                  const std::vector<SignalPlan>& chosen);

/// Writes the bytes.
std::vector<uint8_t> write_table(const TablePlan& plan, const TableOptions& options);

}  // namespace wayseal::oem

#endif
