// SPDX-License-Identifier: Apache-2.0
#include "wayseal/signal/decoder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>

#include "drive/encoder.hpp"
#include "test_table.hpp"
#include "wayseal/signal/filters.hpp"

using namespace wayseal;
using namespace wayseal::test;

namespace {

constexpr const char* kJ1939 =
    "BA_DEF_ BO_ \"VFrameFormat\" ENUM \"StandardCAN\",\"ExtendedCAN\",\"reserved\",\"J1939PG\";\n"
    "BA_DEF_DEF_ \"VFrameFormat\" \"J1939PG\";\n";

std::string raw_id(uint32_t id) { return std::to_string(id | 0x80000000U); }

std::string one_byte(const std::string& number, const std::string& name) {
  return "BO_ " + number + " " + name + ": 8 X\n SG_ Of" + name + " : 0|8@1+ (1,0) [0|0] \"\" X\n";
}

}  // namespace

TEST_CASE("Intel signals start at their lowest bit") {
  const TestTable table(
      message_with(" SG_ A : 4|12@1+ (1,0) [0|0] \"\" X\n SG_ B : 0|4@1+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {0x5A, 0xBC})) == Samples{{"A", 0xBC5}, {"B", 0xA}});
}

TEST_CASE("Motorola signals start at their highest bit and go on in the next byte's highest") {
  const TestTable table(
      message_with(" SG_ A : 3|12@0+ (1,0) [0|0] \"\" X\n SG_ B : 7|4@0+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {0x5A, 0xBC})) == Samples{{"A", 0xABC}, {"B", 0x5}});
}

TEST_CASE("Signed values keep their sign up to 64 bits") {
  const TestTable table(
      message_with(" SG_ A : 0|3@1- (1,0) [0|0] \"\" X\n SG_ B : 7|16@0- (1,0) [0|0] \"\" X\n"
                   " SG_ C : 0|64@1- (1,0) [0|0] \"\" X\n"));
  const Samples got = table.decode(frame(100, {0xFE, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));
  CHECK(static_cast<int64_t>(got.at("A")) == -2);
  CHECK(static_cast<int64_t>(got.at("B")) == -512);
  CHECK(static_cast<int64_t>(got.at("C")) == -65282);
}

TEST_CASE("Scale and offset give the physical value") {
  const TestTable table(
      message_with(" SG_ A : 0|8@1+ (0.5,-40) [0|0] \"degC\" X\n SG_ B : 8|8@1- (2,1) [0|0] \"\" X\n"));
  const auto got = table.decode_physical(frame(100, {200, 0xFF}));
  CHECK(got.at("A") == 60.0);
  CHECK(got.at("B") == -1.0);
}

TEST_CASE("Floats and doubles are given as their bits and become their value") {
  const std::string types = "SIG_VALTYPE_ 100 A : 1;\nSIG_VALTYPE_ 101 B : 2;\n";
  const TestTable table(message_with(" SG_ A : 7|32@0- (1,0) [0|0] \"\" X\n") +
                        message_with(" SG_ B : 0|64@1- (2,0) [0|0] \"\" X\n", "BO_ 101 Other: 8 X") + types);
  CHECK(table.decode(frame(100, {0x3F, 0xC0, 0, 0})) == Samples{{"A", 0x3FC00000}});
  CHECK(table.decode_physical(frame(100, {0x3F, 0xC0, 0, 0})).at("A") == 1.5);
  CHECK(table.decode_physical(frame(101, {0, 0, 0, 0, 0, 0, 0xF8, 0x3F})).at("B") == 3.0);
}

TEST_CASE("A frame gives the signals that it holds whole, and no other") {
  const TestTable table(
      message_with(" SG_ A : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ B : 12|8@1+ (1,0) [0|0] \"\" X\n"
                   " SG_ C : 23|8@0+ (1,0) [0|0] \"\" X\n"));
  CHECK(table.decode(frame(100, {})).empty());
  CHECK(table.decode(frame(100, {1})) == Samples{{"A", 1}});
  CHECK(table.decode(frame(100, {1, 2})) == Samples{{"A", 1}});
  CHECK(table.decode(frame(100, {1, 0x20, 3})) == Samples{{"A", 1}, {"B", 0x32}, {"C", 3}});
  CHECK(table.decode(frame(100, {1, 0x20, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})).size() == 3);
}

TEST_CASE("CAN FD signals reach the last of 64 bytes") {
  const TestTable table(
      message_with(" SG_ A : 496|16@1+ (1,0) [0|0] \"\" X\n SG_ B : 503|16@0+ (1,0) [0|0] \"\" X\n"
                   " SG_ C : 511|1@1+ (1,0) [0|0] \"\" X\n",
                   "BO_ 100 Message: 64 X"));
  CanFrame fd = frame(100, {});
  fd.length = 64;
  fd.data[62] = 0x12;
  fd.data[63] = 0xB4;
  CHECK(table.decode(fd) == Samples{{"A", 0xB412}, {"B", 0x12B4}, {"C", 1}});
  fd.length = 63;
  CHECK(table.decode(fd).empty());
}

TEST_CASE("Any layout of up to 64 bits comes back from a frame full of other bits") {
  std::mt19937_64 random(7);  // NOLINT: the same cases each time
  for (int i = 0; i < 3000; ++i) {
    oem::DbcSignal signal;
    signal.name = signal.short_name = "S";
    signal.width = static_cast<uint16_t>(random() % 64 + 1);
    signal.motorola = random() % 2 == 0;
    signal.type = random() % 2 == 0 ? SignalType::kSigned : SignalType::kUnsigned;
    signal.start_bit = static_cast<uint16_t>(random() % 512);
    if (needed_bytes(signal) > 64) continue;
    oem::DbcMessage message;
    message.name = "M";
    message.id = 5;
    message.length = static_cast<uint8_t>(needed_bytes(signal));
    message.signals = {signal};
    oem::DbcFile file;
    file.messages = {message};
    const TestTable table({{"", file}});

    CanFrame full = frame(5, {});
    full.length = message.length;
    for (uint8_t& byte : full.data) byte = static_cast<uint8_t>(random());
    const uint64_t bits = random() >> (64 - signal.width);
    oem::put_raw(signal, bits, full.data);
    const bool negative = signal.type == SignalType::kSigned && (bits >> (signal.width - 1)) != 0;
    const uint64_t raw = negative && signal.width < 64 ? bits | (UINT64_MAX << signal.width) : bits;
    INFO("start " << signal.start_bit << " width " << signal.width << " motorola " << signal.motorola);
    REQUIRE(table.decode(full) == Samples{{"S", raw}});
    --full.length;
    REQUIRE(table.decode(full).empty());
  }
}

TEST_CASE("The width of an identifier tells messages apart") {
  const TestTable table(one_byte("100", "Short") + one_byte(raw_id(100), "Long"));
  CHECK(table.message_of(frame(100, {1})) == "Short");
  CHECK(table.message_of(extended_frame(100, {1})) == "Long");
  CHECK_FALSE(table.knows(frame(101, {1})));
}

TEST_CASE("The bus tells messages apart when the table names buses") {
  const oem::DbcFile a = {"a.dbc", "", {{"A", "A", 1, 100, false, false, false, 8, 0, {}}}, {}};
  const oem::DbcFile b = {"b.dbc", "", {{"B", "B", 1, 100, false, false, false, 8, 0, {}}}, {}};
  const TestTable table({{"can0", a}, {"can1", b}});
  CanFrame got = frame(100, {1});
  CHECK(table.message_of(got) == "A");
  got.bus = 1;
  CHECK(table.message_of(got) == "B");
  got.bus = 2;
  CHECK_FALSE(table.knows(got));
  CHECK(table.table.bus_count() == 2);
  CHECK(to_text(table.table.bus_name(1)) == "can1");

  const TestTable anywhere(one_byte("100", "Message"));
  CHECK(anywhere.table.bus_count() == 0);
  got.bus = 200;
  CHECK(anywhere.knows(got));
}

TEST_CASE("J1939 messages match by parameter group, whatever the priority, source and destination") {
  const TestTable table(one_byte(raw_id(0x0CF00400), "Broadcast") + one_byte(raw_id(0x18EA00FE), "Addressed") +
                        kJ1939);
  CHECK(table.message_of(frame(0x0CF00400, {1})) == "Broadcast");
  CHECK(table.message_of(frame(0x18F00417, {1})) == "Broadcast");
  CHECK(table.message_of(frame(0x18EAFF21, {1})) == "Addressed");
  CHECK_FALSE(table.knows(frame(0x0CF00500, {1})));
  CHECK_FALSE(table.knows(frame(0x0DF00400, {1})));  // another data page
  CHECK_FALSE(table.knows(frame(0x0EF00400, {1})));  // extended data page
  CHECK_FALSE(table.knows(frame(0x400, {1})));       // 11 bits
}

TEST_CASE("Messages that share a parameter group are told apart by their source") {
  const TestTable table(one_byte(raw_id(0x18FF0010), "Front") + one_byte(raw_id(0x18FF0020), "Rear") + kJ1939);
  CHECK(table.message_of(frame(0x18FF0020, {1})) == "Rear");
  CHECK(table.message_of(frame(0x0CFF0020, {1})) == "Rear");
  CHECK(table.message_of(frame(0x0CFF0010, {1})) == "Front");
  CHECK(table.message_of(frame(0x18FF0099, {1})) == "Front");
}

TEST_CASE("An equal identifier counts more than an equal parameter group") {
  const std::string format = std::string(kJ1939) + "BA_ \"VFrameFormat\" BO_ " + raw_id(0x18FF0020) + " 1;\n";
  const TestTable table(one_byte(raw_id(0x18FF0010), "Group") + one_byte(raw_id(0x18FF0020), "Plain") + format);
  CHECK(table.message_of(frame(0x18FF0020, {1})) == "Plain");
  CHECK(table.message_of(frame(0x18FF0021, {1})) == "Group");
}

TEST_CASE("Filters let pass what the table knows") {
  const TestTable table(one_byte("100", "Plain") + one_byte(raw_id(0x18EA00FE), "Addressed") +
                        one_byte(raw_id(0x0CF00400), "Broadcast") + kJ1939);
  CanFilter filters[3];
  CHECK(make_filters(table.table, Span<CanFilter>(filters).first(2)).status() == Status::kBufferTooSmall);
  REQUIRE(make_filters(table.table, filters).value() == 3);
  CHECK(filters[0].id == 100);
  CHECK(filters[0].mask == 0x7FF);
  CHECK_FALSE(filters[0].extended);
  CHECK(filters[1].id == 0x00EA0000);
  CHECK(filters[1].mask == 0x03FF0000);
  CHECK(filters[2].id == 0x00F00400);
  CHECK(filters[2].mask == 0x03FFFF00);
  CHECK(filters[2].extended);
  CHECK(filters[2].bus == CanFilter::kEveryBus);
}

TEST_CASE("A table that was not loaded knows no frame") {
  const SignalTable table;
  RecordingSink sink{table, {}, {}};
  CHECK(decode(table, frame(0, {}), sink) == Status::kNotFound);
  CHECK(decode(table, extended_frame(kCanExtendedIdMax, {}), sink) == Status::kNotFound);
  CHECK(table.message_count() == 0);
  CHECK(table.id() == 0);
  CHECK(table.name().empty());
}
