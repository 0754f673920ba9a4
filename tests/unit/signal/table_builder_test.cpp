// SPDX-License-Identifier: Apache-2.0
#include "dbc/table_builder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sstream>

#include "dbc/listing.hpp"
#include "dbc/parser.hpp"
#include "test_table.hpp"

using namespace wayseal;
using namespace wayseal::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

const std::string kTwoMessages =
    "BO_ 100 Engine: 8 X\n SG_ Speed : 0|16@1+ (0.25,0) [0|8000] \"rpm\" X\n SG_ Torque : 16|16@1- (1,0) [0|0] "
    "\"Nm\" X\n"
    "BO_ 200 Mux: 8 X\n SG_ Mode M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ A m1 : 8|8@1+ (1,0) [0|0] \"\" X\n"
    " SG_ B m2 : 8|8@1+ (1,0) [0|0] \"\" X\n"
    "VAL_ 200 Mode 1 \"one\" 2 \"two\" ;\nVAL_ 100 Torque -1 \"minus\" ;\n";

}  // namespace

TEST_CASE("What is not collected is left out, but the switch that a collected signal needs stays") {
  oem::TableOptions options;
  options.collect = {"B"};
  const TestTable table(kTwoMessages, options);
  CHECK(table.table.message_count() == 1);
  CHECK(table.table.signal_count() == 2);
  CHECK_FALSE(table.knows(frame(100, {0})));
  CHECK(table.decode(frame(200, {2, 9})) == Samples{{"Mode", 2}, {"B", 9}});
  CHECK_FALSE(table.table.rule(table.signal("Mode")).collected);
  CHECK(table.table.rule(table.signal("B")).collected);
}

TEST_CASE("Rules reach the signals that their patterns name") {
  oem::TableOptions options;
  options.on_change = {"Engine.*", "Mode"};
  options.intervals = {{"*", 100}, {"*.Torque", 250}};
  const TestTable table(kTwoMessages, options);
  CHECK(table.table.rule(table.signal("Speed")).on_change);
  CHECK(table.table.rule(table.signal("Mode")).on_change);
  CHECK_FALSE(table.table.rule(table.signal("A")).on_change);
  CHECK(table.table.rule(table.signal("A")).min_interval_ms == 100);
  CHECK(table.table.rule(table.signal("Torque")).min_interval_ms == 250);
}

TEST_CASE("A pattern that names no signal is an error") {
  oem::TableOptions options;
  options.collect = {"Speed", "Sped"};
  CHECK_THROWS_MATCHES(TestTable(kTwoMessages, options), oem::TableError,
                       MessageMatches(ContainsSubstring("no signal is called 'Sped'")));
}

TEST_CASE("Stars stand for any text") {
  CHECK(oem::matches("*", ""));
  CHECK(oem::matches("a*c", "abbc"));
  CHECK(oem::matches("*b*b*", "abab"));
  CHECK(oem::matches("abc", "abc"));
  CHECK_FALSE(oem::matches("a*c", "acb"));
  CHECK_FALSE(oem::matches("", "a"));
  CHECK_FALSE(oem::matches("abc", "ab"));
}

TEST_CASE("Names, units, limits and texts of values are there") {
  oem::TableOptions options;
  options.name = "fleet";
  options.version = 12;
  const TestTable table(kTwoMessages, options);
  CHECK(to_text(table.table.name()) == "fleet");
  CHECK(table.table.version() == 12);
  CHECK(to_text(table.table.message_name(0)) == "Engine");
  CHECK(to_text(table.table.signal_unit(table.signal("Speed"))) == "rpm");
  CHECK(table.table.signal_limits(table.signal("Speed")).value().maximum == 8000);
  CHECK(table.table.signal_limits(table.signal("Torque")).status() == Status::kNotFound);
  CHECK(to_text(table.table.value_text(table.signal("Mode"), 2)) == "two");
  CHECK(table.table.value_text(table.signal("Mode"), 3).empty());
  CHECK(to_text(table.table.value_text(table.signal("Torque"), static_cast<uint64_t>(-1))) == "minus");
}

TEST_CASE("A vehicle's table needs no names, and has the same id with and without") {
  oem::TableOptions options;
  const TestTable with(kTwoMessages, options);
  options.names = false;
  const oem::BuiltTable without = oem::build_table({{"", oem::parse_dbc(kTwoMessages, "x")}}, options);
  CHECK(without.bytes.size() < with.built.bytes.size());
  SignalTable table;
  REQUIRE(table.load(view(without.bytes)) == Status::kOk);
  CHECK_FALSE(table.has_names());
  CHECK(table.signal_name(0).empty());
  CHECK(table.value_text(0, 1).empty());
  CHECK(table.id() == with.table.id());
  // Cutting a table off before its names is allowed too.
  REQUIRE(table.load(view(with.built.bytes).first(without.bytes.size())) == Status::kOk);
  CHECK_FALSE(table.has_names());
  CHECK(table.id() == with.table.id());
}

TEST_CASE("The same files and rules give the same bytes, other rules another id") {
  const TestTable a(kTwoMessages);
  const TestTable b(kTwoMessages);
  CHECK(a.built.bytes == b.built.bytes);
  oem::TableOptions options;
  options.on_change = {"Speed"};
  CHECK(TestTable(kTwoMessages, options).table.id() != a.table.id());
}

TEST_CASE("A changed core section no longer has its id") {
  TestTable table(kTwoMessages);
  table.built.bytes[table_format::kHeaderSize] ^= 1U;
  CHECK_FALSE(oem::has_true_id(view(table.built.bytes)));
}

TEST_CASE("The second message with one identifier on one bus is left out with a warning") {
  const oem::DbcFile first = oem::parse_dbc("BO_ 100 First: 8 X\n", "first.dbc");
  const oem::DbcFile second = oem::parse_dbc("\nBO_ 100 Second: 8 X\n", "second.dbc");
  const TestTable table({{"", first}, {"", second}});
  CHECK(table.table.message_count() == 1);
  REQUIRE(table.built.warnings.size() == 1);
  CHECK_THAT(oem::to_string(table.built.warnings[0]),
             ContainsSubstring("second.dbc:2: warning: message 'Second'"));
}

TEST_CASE("Files with and without a bus don't mix, and a bus has a short name") {
  const oem::DbcFile file = oem::parse_dbc(kTwoMessages, "x.dbc");
  CHECK_THROWS_AS(oem::build_table({{"can0", file}, {"", file}}, {}), oem::TableError);
  CHECK_THROWS_AS(oem::build_table({{"a-very-long-bus-name", file}}, {}), oem::TableError);
}

TEST_CASE("Every one of thousands of messages is found, and no other") {
  oem::DbcFile file;
  for (uint32_t i = 0; i < 5000; ++i) {
    oem::DbcMessage message;
    message.name = "M" + std::to_string(i);
    message.id = i * 3;
    message.extended = true;
    message.j1939 = i % 2 == 0;
    file.messages.push_back(message);
  }
  const TestTable table({{"", file}});
  CHECK(table.table.message_count() == 5000);
  for (uint32_t i = 0; i < 5000; ++i) {
    REQUIRE(table.table.find_message(extended_frame(i * 3, {})).value() == i);
  }
  CHECK_FALSE(table.knows(frame(4, {})));
  CHECK_FALSE(table.knows(extended_frame(0x1F000000, {})));
}

TEST_CASE("A table can be read by people") {
  std::ostringstream out;
  oem::list_table(TestTable(kTwoMessages).built.bytes, out);
  CHECK_THAT(out.str(), ContainsSubstring("064 Engine, 8 bytes"));
  CHECK_THAT(out.str(), ContainsSubstring("when Mode is 2"));
  CHECK_THAT(out.str(), ContainsSubstring("rpm"));
  CHECK_THROWS(oem::list_table({1, 2, 3}, out));
}
