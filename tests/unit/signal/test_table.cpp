// SPDX-License-Identifier: Apache-2.0
#include "test_table.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "dbc/parser.hpp"

namespace wayseal::test {

std::string to_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
Bytes view(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

CanFrame frame(uint32_t id, std::initializer_list<int> data) {
  CanFrame frame;
  frame.id = id;
  frame.flags = id > kCanStandardIdMax ? uint8_t{CanFrame::kExtendedId} : uint8_t{0};
  frame.length = static_cast<uint8_t>(data.size());
  std::transform(data.begin(), data.end(), frame.data, [](int byte) { return static_cast<uint8_t>(byte); });
  return frame;
}

CanFrame extended_frame(uint32_t id, std::initializer_list<int> data) {
  CanFrame made = frame(id, data);
  made.flags = CanFrame::kExtendedId;
  return made;
}

void RecordingSink::begin_group(uint16_t group) {
  orderly = orderly && !in_group && std::find(groups.begin(), groups.end(), group) == groups.end();
  in_group = true;
  groups.push_back(group);
}

void RecordingSink::sample(uint16_t signal, uint64_t raw) {
  orderly = orderly && in_group && table.group_of(signal) == groups.back();
  samples[to_text(table.signal_name(signal))] = raw;
}

void RecordingSink::end_group(uint16_t group) {
  orderly = orderly && in_group && group == groups.back();
  in_group = false;
}

TestTable::TestTable(const std::string& dbc, const oem::TableOptions& options)
    : TestTable(std::vector<oem::BusDbc>{{"", oem::parse_dbc(dbc, "test.dbc")}}, options) {}

TestTable::TestTable(const std::vector<oem::BusDbc>& files, const oem::TableOptions& options)
    : built(oem::build_table(files, options)) {
  REQUIRE(table.load(view(built.bytes)) == Status::kOk);
  REQUIRE(oem::has_true_id(view(built.bytes)));
  for (uint16_t i = 0; i < table.signal_count(); ++i) signals_[to_text(table.signal_name(i))] = i;
}

Samples TestTable::decode(const CanFrame& frame) const {
  RecordingSink sink{table, {}, {}};
  REQUIRE(wayseal::decode(table, frame, sink) == Status::kOk);
  REQUIRE(sink.orderly);
  REQUIRE_FALSE(sink.in_group);
  return sink.samples;
}

std::map<std::string, double> TestTable::decode_physical(const CanFrame& frame) const {
  std::map<std::string, double> values;
  for (const auto& [name, raw] : decode(frame)) values[name] = physical(table, signal(name), raw);
  return values;
}

std::string TestTable::message_of(const CanFrame& frame) const {
  const auto found = table.find_message(frame);
  return found.ok() ? to_text(table.message_name(found.value())) : std::string();
}

uint16_t TestTable::signal(const std::string& name) const {
  const auto found = signals_.find(name);
  if (found == signals_.end()) FAIL("no signal '" << name << "'");
  return found->second;
}

std::string message_with(const std::string& signals, const std::string& head) { return head + "\n" + signals; }

}  // namespace wayseal::test
