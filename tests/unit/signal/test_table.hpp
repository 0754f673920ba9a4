// SPDX-License-Identifier: Apache-2.0
/// \file
/// A DBC text taken the whole way to decoded values, for tests.
#ifndef WAYSEAL_TESTS_UNIT_SIGNAL_TEST_TABLE_HPP
#define WAYSEAL_TESTS_UNIT_SIGNAL_TEST_TABLE_HPP

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "dbc/table_builder.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::test {

std::string to_text(Bytes bytes);
Bytes view(const std::vector<uint8_t>& bytes);

/// A frame with an 11-bit identifier up to 0x7FF, else with 29 bits.
CanFrame frame(uint32_t id, std::initializer_list<int> data);
CanFrame extended_frame(uint32_t id, std::initializer_list<int> data);

/// Raw values by name.
using Samples = std::map<std::string, uint64_t>;

/// Writes down what a decoder does, and that it keeps to its promises about order.
struct RecordingSink {
  const SignalTable& table;
  Samples samples;
  std::vector<uint16_t> groups;
  bool in_group = false;
  bool orderly = true;

  void begin_group(uint16_t group);
  void sample(uint16_t signal, uint64_t raw);
  void end_group(uint16_t group);
};

class TestTable {
 public:
  explicit TestTable(const std::string& dbc, const oem::TableOptions& options = {});
  explicit TestTable(const std::vector<oem::BusDbc>& files, const oem::TableOptions& options = {});

  /// Fails the test when the message is not known or the groups come in disorder.
  Samples decode(const CanFrame& frame) const;
  /// As written in the DBC's unit.
  std::map<std::string, double> decode_physical(const CanFrame& frame) const;
  bool knows(const CanFrame& frame) const { return table.find_message(frame).ok(); }
  /// Name of the message that a frame is taken for; empty when it is none.
  std::string message_of(const CanFrame& frame) const;
  /// Index by name; fails the test when there is none.
  uint16_t signal(const std::string& name) const;

  oem::BuiltTable built;
  SignalTable table;

 private:
  std::map<std::string, uint16_t> signals_;
};

/// "BO_ 100 Message: 8 X" with these SG_ lines.
std::string message_with(const std::string& signals, const std::string& head = "BO_ 100 Message: 8 X");

}  // namespace wayseal::test

#endif
