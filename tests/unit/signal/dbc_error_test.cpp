// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "dbc/parser.hpp"
#include "drive/drive.hpp"

using namespace wayseal;

namespace {

std::string error_of(const std::string& text) {
  try {
    (void)oem::parse_dbc(text, "x.dbc");
  } catch (const oem::DbcError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Every mistake is reported with its line, and with what was expected") {
  static constexpr struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"BO_ 1 M 8 A\n", "x.dbc:1: error: expected ':', found '8'"},
      {"BO_ x M: 8 A\n", "x.dbc:1: error: expected the number of a message, found 'x'"},
      {"\nBO_ 1 : 8 A\n", "x.dbc:2: error: expected the name of the message, found ':'"},
      {"BO_ 1 M: A\n", "x.dbc:1: error: expected the length of the message in bytes, found 'A'"},
      {"BO_ 4294967296 M: 8 A\n", "x.dbc:1: error: the number of a message must be at most 4294967295"},
      {"BO_ 1 M: 8 A\n SG_ : 0|8@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected the name of the signal, found ':'"},
      {"BO_ 1 M: 8 A\n SG_ S 0|8@1+ (1,0) [0|0] \"\" A\n", "x.dbc:2: error: expected ':', found '0|8@1+'"},
      {"BO_ 1 M: 8 A\n SG_ S x1 : 0|8@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected M, m<number>, m<number>M or ':' after the name of the signal"},
      {"BO_ 1 M: 8 A\n SG_ S : -1|8@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected the start bit, found '-1|8@1+'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|0@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: signal 'S' has 0 bits; 1 to 64 are possible"},
      {"BO_ 1 M: 64 A\n SG_ S : 0|65@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: signal 'S' has 65 bits; 1 to 64 are possible"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@2+ (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: the byte order, 0 (Motorola) or 1 (Intel) must be at most 1"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1 (1,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected the sign, '+' or '-', found '(1,0)'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (a,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected the factor, found 'a,0)'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (nan,0) [0|0] \"\" A\n",
       "x.dbc:2: error: expected the factor, found 'nan,0)'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1;0) [0|0] \"\" A\n", "x.dbc:2: error: expected ',', found ';0)'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0,0] \"\" A\n", "x.dbc:2: error: expected '|', found ',0]'"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] km A\n",
       "x.dbc:2: error: expected the unit in quotes, found 'km'"},
      {"BO_ 1 M: 8 A\n\n SG_ S : 0|8@1+ (1,0) [0|0] \"km A\n",
       "x.dbc:3: error: the string that begins here has no closing quote"},
      {"BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0", "x.dbc:2: error: expected ')', found the end of the file"},
      {"SG_ S : 0|8@1+ (1,0) [0|0] \"\" A\n",
       "x.dbc:1: error: SG_ is only allowed below the BO_ of its message"},
      {"VERSION 1\n", "x.dbc:1: error: expected the version in quotes, found '1'"},
      {"BO_ 1 M: 8 A\n42\n", "x.dbc:2: error: expected a section such as BO_, SG_, VAL_ or BA_, found '42'"},
      {"CM_ \"x\"\nBO_ 1 M: 8 A\n", "x.dbc:2: error: expected ';', found 'BO_'"},
      {"CM_ \"x\"\n", "x.dbc:1: error: expected ';' at the end of this statement, found the end of the file"},
      {"BO_ 1 M: 8 A\nVAL_ 1 S 1 one ;\n",
       "x.dbc:2: error: expected the text of the value in quotes, found 'one'"},
      {"BO_ 1 M: 8 A\nVAL_ 1 S 1 \"one\"\nBO_ 2 N: 8 A\n",
       "x.dbc:3: error: expected a value or ';', found 'BO_'"},
      {"SG_MUL_VAL_ 1 S T 1;\n", "x.dbc:1: error: expected '-', found ';'"},
      {"SG_MUL_VAL_ 1 S T 5-1;\n", "x.dbc:1: error: a range of multiplexer values ends before it begins"},
      {"BA_ \"A\" BO_ 1\nBO_ 2 N: 8 A\n", "x.dbc:2: error: expected ';', found '2'"},
  };
  for (const auto& c : kCases) {
    INFO(c.text);
    CHECK(error_of(c.text) == c.error);
  }
}

TEST_CASE("Identifiers that have too many bits are errors") {
  CHECK(error_of("BO_ 2048 M: 8 A\n").find("x.dbc:1: error: message 'M': number 2048 has more than 11 bits") ==
        0);
  CHECK(error_of("BO_ 3221225473 M: 8 A\n")
            .find("x.dbc:1: error: message 'M': number 3221225473 has more than 29") == 0);
}

TEST_CASE("A float of 16 bits is an error, and so are two switches for one signal") {
  const std::string message =
      "BO_ 1 M: 8 A\n SG_ S : 0|16@1- (1,0) [0|0] \"\" A\n SG_ T : 16|8@1+ (1,0) [0|0] \"\" A\n"
      " SG_ U : 24|8@1+ (1,0) [0|0] \"\" A\n";
  CHECK(error_of(message + "SIG_VALTYPE_ 1 S : 1;\n") ==
        "x.dbc:5: error: signal 'S' of 16 bits can't be a float (32 bits) or double (64 bits)");
  CHECK(error_of(message + "SG_MUL_VAL_ 1 S T 1-1;\nSG_MUL_VAL_ 1 S U 1-1;\n") ==
        "x.dbc:6: error: signal 'S' has two multiplexer switches");
}

TEST_CASE("A file that can't be opened is named") {
  CHECK_THROWS_WITH(oem::read_dbc("/nonexistent/x.dbc"),
                    "can't open '/nonexistent/x.dbc': No such file or directory");
}

TEST_CASE("A DBC cut off anywhere is either read or reported, never more") {
  const std::string text(oem::drive_dbc());
  for (size_t size = 0; size < text.size(); size += 5) (void)error_of(text.substr(0, size));
  SUCCEED();
}

TEST_CASE("A DBC with a wrong character anywhere is either read or reported, never more") {
  const std::string text(oem::drive_dbc());
  for (size_t at = 0; at < text.size(); at += 17) {
    for (const char c : {'\0', '"', ';', ':', '9', '\xFF'}) {
      std::string changed = text;
      changed[at] = c;
      (void)error_of(changed);
    }
  }
  SUCCEED();
}
