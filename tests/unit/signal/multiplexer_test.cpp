// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "test_table.hpp"

using namespace wayseal;
using namespace wayseal::test;

TEST_CASE("A multiplexed signal is there for its value only, and nothing for an undefined value") {
  const TestTable table(
      message_with(" SG_ Mode M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ Always : 24|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ A m1 : 8|8@1+ (1,0) [0|0] \"\" X\n SG_ B m2 : 8|16@1+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {1, 5, 6, 7})) == Samples{{"Mode", 1}, {"Always", 7}, {"A", 5}});
  CHECK(table.decode(frame(100, {2, 5, 6, 7})) == Samples{{"Mode", 2}, {"Always", 7}, {"B", 0x605}});
  CHECK(table.decode(frame(100, {3, 5, 6, 7})) == Samples{{"Mode", 3}, {"Always", 7}});
}

TEST_CASE("A switch may come after its signals, have more than 8 bits, and be declared below them") {
  const TestTable table(
      message_with(" SG_ A m40000 : 7|8@0+ (1,0) [0|0] \"\" X\n SG_ B m5 : 0|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ Mode M : 55|16@0+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {9, 0, 0, 0, 0, 0, 0x9C, 0x40})) == Samples{{"A", 9}, {"Mode", 40000}});
  CHECK(table.decode(frame(100, {9, 0, 0, 0, 0, 0, 0, 5})) == Samples{{"B", 9}, {"Mode", 5}});
}

TEST_CASE("A switch that a short frame does not hold opens nothing") {
  const TestTable table(
      message_with(" SG_ A m0 : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ Mode M : 56|8@1+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {9, 0, 0, 0, 0, 0, 0})).empty());
}

TEST_CASE("Conditions compare the bits of a signed switch") {
  const TestTable table(
      message_with(" SG_ Mode M : 0|4@1- (1,0) [0|0] \"\" X\n SG_ A m15 : 8|8@1+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {0x0F, 3})) == Samples{{"Mode", UINT64_MAX}, {"A", 3}});
}

TEST_CASE("Nested switches open their signals only while they are open themselves") {
  const TestTable table(
      message_with(" SG_ S0 M : 0|4@1+ (1,0) [0|0] \"\" X\n SG_ S1 m1M : 4|4@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ Deep m2 : 8|8@1+ (1,0) [0|0] \"\" X\n SG_ Flat m0 : 8|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ Beside m1 : 16|8@1+ (1,0) [0|0] \"\" X\n") +
      "SG_MUL_VAL_ 100 S1 S0 1-1;\nSG_MUL_VAL_ 100 Deep S1 2-2;\nSG_MUL_VAL_ 100 Flat S0 0-0;\n"
      "SG_MUL_VAL_ 100 Beside S0 1-1;\n");
  CHECK(table.decode(frame(100, {0x21, 7, 8})) == Samples{{"S0", 1}, {"S1", 2}, {"Deep", 7}, {"Beside", 8}});
  CHECK(table.decode(frame(100, {0x31, 7, 8})) == Samples{{"S0", 1}, {"S1", 3}, {"Beside", 8}});
  // The bits of S1 say 2 here as well, but S1 is not there.
  CHECK(table.decode(frame(100, {0x20, 7, 8})) == Samples{{"S0", 0}, {"Flat", 7}});
}

TEST_CASE("Eight switches in each other are possible, and a ninth is left out") {
  std::string signals = " SG_ S0 M : 0|1@1+ (1,0) [0|0] \"\" X\n";
  std::string ranges;
  for (int i = 1; i <= 9; ++i) {
    const std::string name = "S" + std::to_string(i);
    signals += " SG_ " + name + " m1M : " + std::to_string(i) + "|1@1+ (1,0) [0|0] \"\" X\n";
    ranges += "SG_MUL_VAL_ 100 " + name + " S" + std::to_string(i - 1) + " 1-1;\n";
  }
  const TestTable table(message_with(signals) + ranges);
  CHECK(table.decode(frame(100, {0xFF, 0xFF})).size() == 9);
  CHECK(table.built.warnings.size() == 1);
  CHECK(table.decode(frame(100, {0x0F, 0xFF})).size() == 5);
}

TEST_CASE("Ranges, also ones that overlap between signals, open what they say") {
  const TestTable table(
      message_with(" SG_ Mode M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ A m0 : 8|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ B m0 : 8|8@1+ (1,0) [0|0] \"\" X\n SG_ C m0 : 8|8@1+ (1,0) [0|0] \"\" X\n") +
      "SG_MUL_VAL_ 100 A Mode 0-9, 20-29;\nSG_MUL_VAL_ 100 B Mode 5-24;\n"
      "SG_MUL_VAL_ 100 C Mode 24-24, 255-18446744073709551615;\n");
  for (int mode = 0; mode < 256; ++mode) {
    Samples expected{{"Mode", static_cast<uint64_t>(mode)}};
    if (mode <= 9 || (mode >= 20 && mode <= 29)) expected["A"] = 1;
    if (mode >= 5 && mode <= 24) expected["B"] = 1;
    if (mode == 24 || mode == 255) expected["C"] = 1;
    INFO("mode " << mode);
    REQUIRE(table.decode(frame(100, {mode, 1})) == expected);
  }
}

TEST_CASE("Two switches of one message work independently") {
  const TestTable table(
      message_with(" SG_ A M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ B M : 8|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ A1 m1 : 16|8@1+ (1,0) [0|0] \"\" X\n SG_ B1 m1 : 24|8@1+ (1,0) [0|0] \"\" X\n") +
      "SG_MUL_VAL_ 100 A1 A 1-1;\nSG_MUL_VAL_ 100 B1 B 1-1;\n");
  CHECK(table.decode(frame(100, {1, 1, 3, 4})) == Samples{{"A", 1}, {"B", 1}, {"A1", 3}, {"B1", 4}});
  CHECK(table.decode(frame(100, {0, 1, 3, 4})) == Samples{{"A", 0}, {"B", 1}, {"B1", 4}});
  CHECK(table.decode(frame(100, {1, 0, 3, 4})) == Samples{{"A", 1}, {"B", 0}, {"A1", 3}});
}

TEST_CASE("Signals that are always together form one group, in the file's order") {
  const TestTable table(
      message_with(" SG_ Mode M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ A m1 : 8|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ B m2 : 8|8@1+ (1,0) [0|0] \"\" X\n SG_ C m1 : 16|8@1+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.table.group_count() == 3);
  CHECK(table.table.group_of(table.signal("A")) == table.table.group_of(table.signal("C")));
  CHECK(table.table.group_of(table.signal("A")) != table.table.group_of(table.signal("B")));
  CHECK(table.signal("C") == table.signal("A") + 1);
}

TEST_CASE("Of many multiplexer values the right one is found") {
  std::string signals = " SG_ Mode M : 0|16@1+ (1,0) [0|0] \"\" X\n";
  for (int i = 0; i < 300; ++i) {
    const std::string value = std::to_string(i * 7);
    signals.append(" SG_ V").append(value).append(" m").append(value).append(" : 16|8@1+ (1,0) [0|0] \"\" X\n");
  }
  const TestTable table(message_with(signals));
  for (int mode = 0; mode < 2200; ++mode) {
    const Samples got = table.decode(frame(100, {mode & 0xFF, mode >> 8, 1}));
    const bool defined = mode % 7 == 0 && mode < 2100;
    REQUIRE(got.size() == (defined ? 2 : 1));
    REQUIRE(got.count("V" + std::to_string(mode)) == (defined ? 1 : 0));
  }
}
