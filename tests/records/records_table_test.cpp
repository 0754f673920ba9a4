// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "dbc/parser.hpp"
#include "dbc/table_builder.hpp"
#include "records/record_check.hpp"
#include "records/record_table.hpp"

namespace wayseal::records {
namespace {

TEST_CASE("the table of the record check is what records.dbc says") {
  std::ifstream file(WAYSEAL_RECORDS_DBC);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  oem::TableOptions options;
  options.name = "records";
  options.on_change = {"Changing"};
  options.intervals = {{"Paced", 40}};
  options.names = false;
  const oem::BuiltTable built = oem::build_table({{"", oem::parse_dbc(text, "records.dbc")}}, options);
  CHECK(built.bytes == std::vector<uint8_t>(kTable, kTable + kTableSize));
}

TEST_CASE("the record check gives the same twice, and says what it did") {
  char first[256];
  char second[256];
  CHECK(run_record_check(first, sizeof first));
  CHECK(run_record_check(second, sizeof second));
  CHECK(std::string(first) == second);
  const RecordCheckResult result = make_records();
  CHECK(result.frames == 4000);
  CHECK(result.samples > 8000);
  CHECK(result.records > 20);
  CHECK(std::string(first).rfind("4000 frames, " + std::to_string(result.samples) + " samples, ", 0) == 0);
}

TEST_CASE("a report is cut where its memory ends") {
  char report[8] = {'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'};
  CHECK(run_record_check(report, 5));
  CHECK(std::string(report) == "4000");
  CHECK(report[5] == 'x');
}

}  // namespace
}  // namespace wayseal::records
