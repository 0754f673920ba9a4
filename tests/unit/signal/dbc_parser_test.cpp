// SPDX-License-Identifier: Apache-2.0
#include "dbc/parser.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "test_table.hpp"

using namespace wayseal;
using namespace wayseal::test;
using Catch::Matchers::ContainsSubstring;

namespace {

oem::DbcFile parse(const std::string& text) { return oem::parse_dbc(text, "x.dbc"); }

/// The only signal of the only message.
oem::DbcSignal only_signal(const oem::DbcFile& file) {
  REQUIRE(file.messages.size() == 1);
  REQUIRE(file.messages[0].signals.size() == 1);
  return file.messages[0].signals[0];
}

void check_warning(const oem::DbcFile& file, const std::string& text) {
  REQUIRE(file.warnings.size() == 1);
  CHECK_THAT(oem::to_string(file.warnings[0]), ContainsSubstring(text));
}

}  // namespace

TEST_CASE("Everything that real files are made of is understood") {
  const oem::DbcFile file = parse(
      "\xEF\xBB\xBFVERSION \"4.2\"\r\n\r\nNS_ :\r\n\tNS_DESC_\r\n\tCM_\r\n\tBO_TX_BU_\r\n\r\nBS_: 500 : "
      "1,2\r\n\r\n"
      "BU_: A B\r\n  C\r\n\r\nVAL_TABLE_ OnOff 1 \"on\" 0 \"off\" ;\r\n"
      "BO_ 2147483748 Extended: 8 A\r\n SG_ S : 7|16@0- (1E-002,+5) [-1.5|2.5e1] \"km/h\"  B, C\r\n\r\n"
      "BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\r\n SG_ Lost : 0|8@1+ (1,0) [0|0] \"\" "
      "Vector__XXX\r\n"
      "BO_ 5 Empty: 0 Vector__XXX\r\n\r\nBO_TX_BU_ 5 : A,B;\r\nEV_ E: 0 [0|1] \"\" 0 1 DUMMY_NODE_VECTOR0 "
      "A;\r\n"
      "CM_ \"a comment;\r\nwith a \\\"quote\\\" in it\";\r\nCM_ SG_ 2147483748 S \"BO_ 1 x: 8 A\";\r\n"
      "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 1000;\r\nBA_DEF_DEF_ \"GenMsgCycleTime\" 0;\r\n"
      "BA_DEF_REL_ BU_SG_REL_ \"T\" INT 0 1;\r\nBA_ \"GenMsgCycleTime\" BO_ 2147483748 20;\r\n"
      "BA_REL_ \"T\" BU_SG_REL_ A SG_ 2147483748 S 1;\r\nSIG_GROUP_ 2147483748 G 1 : S;\r\n"
      "VAL_ 2147483748 S -1 \"minus one\" 3 \"three\" ;\r\nVAL_ E 0 \"zero\" ;\r\n");
  CHECK(file.warnings.empty());
  CHECK(file.version == "4.2");
  REQUIRE(file.messages.size() == 2);
  const oem::DbcMessage& message = file.messages[0];
  CHECK(message.extended);
  CHECK(message.id == 100);
  CHECK(message.cycle_ms == 20);
  REQUIRE(message.signals.size() == 1);
  const oem::DbcSignal& signal = message.signals[0];
  CHECK(signal.motorola);
  CHECK(signal.type == SignalType::kSigned);
  CHECK(signal.scale == 0.01);
  CHECK(signal.offset == 5);
  CHECK(signal.minimum == -1.5);
  CHECK(signal.maximum == 25);
  CHECK(signal.unit == "km/h");
  REQUIRE(signal.values.size() == 2);
  CHECK(signal.values[0].value == -1);
  CHECK(signal.values[0].text == "minus one");
  CHECK(file.messages[1].length == 0);
}

TEST_CASE("Comments after // are skipped, also behind statements") {
  const oem::DbcFile file =
      parse("// first\nBO_ 1 M: 8 A // second\n SG_ S : 0|8@1+ (1,0) [0|0] \"//\" A\n// third\n");
  CHECK(only_signal(file).unit == "//");
}

TEST_CASE("Receivers may go over lines, or be missing") {
  const oem::DbcFile file = parse(
      "BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] \"\" A,\n B\n SG_ T : 8|8@1+ (1,0) [0|0] \"\"\n"
      "UNKNOWN_ x;\nBO_ 2 N: 8\n");
  CHECK(file.messages.size() == 2);
  CHECK(file.messages[0].signals.size() == 2);
}

TEST_CASE("Texts in Windows-1252 become UTF-8, UTF-8 stays") {
  CHECK(only_signal(parse(message_with(" SG_ S : 0|8@1+ (1,0) [0|0] \"\xB0"
                                       "C\" X\n")))
            .unit ==
        "\xC2\xB0"
        "C");
  CHECK(only_signal(parse(message_with(" SG_ S : 0|8@1+ (1,0) [0|0] \"\x80\" X\n"))).unit == "\xE2\x82\xAC");
  CHECK(only_signal(parse(message_with(" SG_ S : 0|8@1+ (1,0) [0|0] \"\xC2\xB0\" X\n"))).unit == "\xC2\xB0");
}

TEST_CASE("Long names replace short ones") {
  const oem::DbcFile file =
      parse(message_with(" SG_ Short : 0|8@1+ (1,0) [0|0] \"\" X\n") +
            "BA_ \"SystemSignalLongSymbol\" SG_ 100 Short \"ALongName\";\n"
            "BA_ \"SystemMessageLongSymbol\" BO_ 100 \"ALongMessage\";\nVAL_ 100 Short 1 \"x\" ;\n");
  CHECK(file.messages[0].name == "ALongMessage");
  CHECK(only_signal(file).name == "ALongName");
  CHECK(only_signal(file).values.size() == 1);
}

TEST_CASE("J1939 is what VFrameFormat says, or the file's protocol where there is none") {
  const std::string message = "BO_ 2566844926 M: 8 X\nBO_ 100 N: 8 X\n";
  const std::string format =
      "BA_DEF_ BO_ \"VFrameFormat\" ENUM \"StandardCAN\",\"ExtendedCAN\",\"reserved\",\"J1939PG\";\n";
  const std::string protocol = "BA_DEF_ \"ProtocolType\" STRING ;\nBA_ \"ProtocolType\" \"J1939\";\n";
  CHECK_FALSE(parse(message).messages[0].j1939);
  CHECK(parse(message + protocol).messages[0].j1939);
  CHECK_FALSE(parse(message + protocol).messages[1].j1939);
  CHECK(parse(message + format + "BA_ \"VFrameFormat\" BO_ 2566844926 3;\n").messages[0].j1939);
  CHECK(parse(message + format + "BA_DEF_DEF_ \"VFrameFormat\" \"J1939PG\";\n").messages[0].j1939);
  CHECK_FALSE(
      parse(message + protocol + format + "BA_ \"VFrameFormat\" BO_ 2566844926 1;\n").messages[0].j1939);
}

TEST_CASE("Unknown sections are left out with a warning") {
  const oem::DbcFile file = parse("BO_ 1 M: 8 A\nNEW_SECTION_ 5 \"a;b\" x\n y;\nBO_ 2 N: 8 A\n");
  CHECK(file.messages.size() == 2);
  check_warning(file, "x.dbc:2: warning: unknown section 'NEW_SECTION_'");
}

TEST_CASE("A signal outside its message is left out with a warning, the others stay") {
  const oem::DbcFile file =
      parse("BO_ 1 M: 2 A\n SG_ In : 8|8@1+ (1,0) [0|0] \"\" A\n SG_ Out : 9|8@1+ (1,0) [0|0] \"\" A\n");
  CHECK(only_signal(file).name == "In");
  check_warning(file, "x.dbc:3: warning: signal 'Out' of message 'M' lies outside its message of 2 bytes");
}

TEST_CASE("A switch that is left out takes along what depends on it") {
  const oem::DbcFile file =
      parse("BO_ 1 M: 2 A\n SG_ S M : 16|8@1+ (1,0) [0|0] \"\" A\n SG_ T m1 : 0|8@1+ (1,0) [0|0] \"\" A\n");
  CHECK(file.messages[0].signals.empty());
  CHECK(file.warnings.size() == 2);
}

TEST_CASE("Multiplexing that can't be meant costs the signal only") {
  const std::string two = " SG_ A M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ B M : 8|8@1+ (1,0) [0|0] \"\" X\n";
  check_warning(parse(message_with(two + " SG_ C m1 : 16|8@1+ (1,0) [0|0] \"\" X\n")),
                "has no single multiplexer switch");
  const oem::DbcFile circle = parse(message_with(two) + "SG_MUL_VAL_ 100 A B 1-1;\nSG_MUL_VAL_ 100 B A 1-1;\n");
  CHECK(circle.messages[0].signals.empty());
  CHECK_THAT(oem::to_string(circle.warnings.at(0)), ContainsSubstring("in a circle"));
  const std::string type = "SIG_VALTYPE_ 100 S : 1;\n";
  check_warning(
      parse(message_with(" SG_ S M : 0|32@1- (1,0) [0|0] \"\" X\n SG_ T m1 : 32|8@1+ (1,0) [0|0] \"\" X\n") +
            type),
      "which is no integer");
}

TEST_CASE("A message twice, or longer than a frame, is left out with a warning") {
  check_warning(parse("BO_ 1 M: 8 A\nBO_ 1 N: 8 A\n"),
                "x.dbc:2: warning: message 'N' has the number of an earlier message");
  check_warning(parse("BO_ 1 M: 65 A\n"),
                "x.dbc:1: warning: message 'M' of 65 bytes is longer than a CAN FD frame");
}

TEST_CASE("Remarks about what does not exist are no errors") {
  const oem::DbcFile file = parse(
      "BO_ 1 M: 8 A\nVAL_ 9 S 1 \"x\" ;\nSIG_VALTYPE_ 1 S : 1;\nSG_MUL_VAL_ 1 S T 1-1;\n"
      "BA_ \"SystemSignalLongSymbol\" SG_ 9 S \"x\";\n");
  CHECK(file.warnings.size() == 3);
}
