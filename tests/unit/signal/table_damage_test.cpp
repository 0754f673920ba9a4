// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>

#include "dbc/plan.hpp"
#include "test_table.hpp"

using namespace wayseal;
using namespace wayseal::test;

namespace fmt = wayseal::table_format;

namespace {

/// One of everything that a table can hold.
const std::string kEverything =
    "BO_ 100 Plain: 8 X\n SG_ A : 0|12@1+ (1,0) [0|9] \"V\" X\n SG_ B : 39|20@0- (0.5,-3) [0|0] \"\" X\n"
    "BO_ 101 Mux: 8 X\n SG_ S M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ T m1M : 8|8@1+ (1,0) [0|0] \"\" X\n"
    " SG_ U m2 : 16|16@1+ (1,0) [0|0] \"\" X\n SG_ V m3 : 63|1@1+ (1,0) [0|0] \"\" X\n"
    "BO_ 2566844926 Group: 64 X\n SG_ W : 3|64@1+ (1,0) [0|0] \"\" X\n SG_ X : 505|64@0+ (1,0) [0|0] \"\" X\n"
    " SG_ Y : 480|32@1+ (1,0) [0|0] \"\" X\n"
    "BA_DEF_ \"ProtocolType\" STRING;\nBA_ \"ProtocolType\" \"J1939\";\nSIG_VALTYPE_ 2566844926 Y : 1;\n"
    "SG_MUL_VAL_ 101 T S 1-1;\nSG_MUL_VAL_ 101 U T 2-5;\nSG_MUL_VAL_ 101 V T 4-9, 11-11;\nVAL_ 100 A 1 \"one\" "
    ";\n";

/// Bytes with nothing behind them, so that a sanitizer sees the first step too far.
class ExactCopy {
 public:
  ExactCopy(const uint8_t* bytes, size_t size) : bytes_(std::make_unique<uint8_t[]>(size)), size_(size) {
    if (size != 0) std::memcpy(bytes_.get(), bytes, size);
  }
  Bytes view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

/// Checksums that fit, so that what finds the damage is the check of the records.
void seal(std::vector<uint8_t>& bytes) {
  uint8_t* p = bytes.data();
  const size_t core = load_le32(p + fmt::header::kCoreSize);
  const size_t names = load_le32(p + fmt::header::kNamesSize);
  if (core > bytes.size() - fmt::kHeaderSize || names > bytes.size() - fmt::kHeaderSize - core) return;
  const Bytes all = view(bytes);
  store_le32(p + fmt::header::kCoreCrc, fmt::crc32(all.from(fmt::kHeaderSize).first(core)));
  store_le32(p + fmt::header::kNamesCrc, fmt::crc32(all.from(fmt::kHeaderSize + core).first(names)));
  store_le32(p + fmt::header::kHeaderCrc, fmt::crc32(all.first(fmt::header::kHeaderCrc)));
}

struct CountingSink {
  const SignalTable& table;
  size_t samples = 0;
  double sum = 0;
  void begin_group(uint16_t group) { samples += table.group(group).message; }
  void sample(uint16_t signal, uint64_t raw) {
    ++samples;
    sum += physical(table, signal, raw) + table.rule(signal).min_interval_ms;
    samples += table.signal_name(signal).size() + table.signal_unit(signal).size() +
               table.value_text(signal, raw).size();
    if (const Bytes name = table.signal_name(signal); !name.empty()) sum += name[name.size() - 1];
  }
  void end_group(uint16_t) {}
};

/// Everything that the table knows, with frames of all lengths and many switch values.
size_t decode_all(const SignalTable& table) {
  CountingSink sink{table};
  for (uint16_t i = 0; i < table.message_count(); ++i) {
    const MessageInfo info = table.message(i);
    CanFrame frame;
    frame.id = info.id;
    frame.flags = info.extended() ? uint8_t{CanFrame::kExtendedId} : uint8_t{0};
    frame.bus = info.bus;
    for (const int length : {0, 1, 2, 7, 8, 9, 63, 64, 255}) {
      for (int value = 0; value < 12; ++value) {
        frame.length = static_cast<uint8_t>(length);
        std::memset(frame.data, value, sizeof frame.data);
        frame.data[0] = static_cast<uint8_t>(value % 3);
        REQUIRE(decode(table, frame, sink) == Status::kOk);
      }
    }
  }
  return sink.samples;
}

}  // namespace

TEST_CASE("table: one that is built in is taken by sizes and checksums, and is the same table") {
  const TestTable whole(kEverything);
  const std::vector<uint8_t>& bytes = whole.built.bytes;
  SignalTable checked;
  SignalTable built_in;
  REQUIRE(checked.load(view(bytes)) == Status::kOk);
  REQUIRE(built_in.load_built_in(view(bytes)) == Status::kOk);
  CHECK(built_in.id() == checked.id());
  CHECK(built_in.signal_count() == checked.signal_count());
  CHECK(built_in.has_names());
  CHECK(decode_all(built_in) == decode_all(checked));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::vector<uint8_t> damaged = bytes;
    damaged[i] ^= 0x10;
    CHECK(built_in.load_built_in(view(damaged)) != Status::kOk);
    CHECK(built_in.signal_count() == 0);
  }
  CHECK(built_in.load_built_in(view(bytes).first(bytes.size() - 1)) == Status::kMalformed);
}

TEST_CASE("A table cut short anywhere is refused, except exactly before its names") {
  const TestTable whole(kEverything);
  const std::vector<uint8_t>& bytes = whole.built.bytes;
  const size_t without_names = fmt::kHeaderSize + load_le32(bytes.data() + fmt::header::kCoreSize);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const ExactCopy cut(bytes.data(), size);
    SignalTable table;
    INFO("size " << size);
    REQUIRE(table.load(cut.view()) == (size == without_names ? Status::kOk : Status::kMalformed));
    REQUIRE(table.message_count() == (size == without_names ? 3 : 0));
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  SignalTable table;
  CHECK(table.load(view(longer)) == Status::kMalformed);
}

TEST_CASE("A changed bit anywhere is found by the checksums") {
  const TestTable whole(kEverything);
  for (size_t bit = 0; bit < whole.built.bytes.size() * 8; ++bit) {
    std::vector<uint8_t> bytes = whole.built.bytes;
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    SignalTable table;
    INFO("bit " << bit);
    REQUIRE(table.load(view(bytes)) != Status::kOk);
  }
}

TEST_CASE("A table whose checksums fit but whose records don't never leads out of itself or a frame") {
  const TestTable whole(kEverything);
  size_t accepted = 0;
  size_t decoded = 0;
  for (size_t at = 0; at < whole.built.bytes.size(); ++at) {
    for (const unsigned change : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xFFU}) {
      std::vector<uint8_t> bytes = whole.built.bytes;
      bytes[at] = static_cast<uint8_t>(bytes[at] ^ change);
      seal(bytes);
      const ExactCopy copy(bytes.data(), bytes.size());
      SignalTable table;
      if (table.load(copy.view()) != Status::kOk) continue;
      ++accepted;
      decoded += decode_all(table);
      for (uint16_t i = 0; i < table.signal_count(); ++i) {
        const uint8_t needed = table.geometry_record(i)[fmt::geometry::kNeeded];
        REQUIRE(needed <= table.message(table.group(table.group_of(i)).message).length);
      }
    }
  }
  // Changed names, scales and rules are no damage that a check of the form could see.
  CHECK(accepted > 0);
  CHECK(decoded > 0);
}

TEST_CASE("A signal that would reach beyond its message's declared length is refused") {
  const std::vector<uint8_t> whole = TestTable(kEverything).built.bytes;
  SignalTable table;
  REQUIRE(table.load(view(whole)) == Status::kOk);
  // A byte of "Mux" moves on: within the eight bytes of its message, then one too far.
  const auto geometry = static_cast<size_t>(table.geometry_record(2) - whole.data());
  for (const uint8_t byte : {uint8_t{7}, uint8_t{8}}) {
    std::vector<uint8_t> bytes = whole;
    uint8_t* p = bytes.data() + geometry;
    p[fmt::geometry::kKind] = fmt::geometry::kFar;
    p[fmt::geometry::kOffset] = byte;
    p[fmt::geometry::kNeeded] = static_cast<uint8_t>(byte + 1);
    seal(bytes);
    CHECK(table.load(view(bytes)) == (byte == 7 ? Status::kOk : Status::kMalformed));
    CHECK(table.message_count() == (byte == 7 ? 3 : 0));
  }
}

TEST_CASE("Multiplexer values that overlap or repeat are refused") {
  const std::vector<uint8_t> whole = TestTable(kEverything).built.bytes;
  SignalTable table;
  REQUIRE(table.load(view(whole)) == Status::kOk);
  // Of the second switch: 2-3 U, 4-5 U, 4-5 V, 6-9 V, 11 V, after one case of the first switch.
  const auto cases = static_cast<size_t>(table.case_record(1) - whole.data());
  const auto changed = [&](size_t index, size_t field, uint64_t value) {
    std::vector<uint8_t> bytes = whole;
    store_le64(bytes.data() + cases + index * fmt::mux_case::kSize + field, value);
    seal(bytes);
    return table.load(view(bytes));
  };
  CHECK(changed(3, fmt::mux_case::kLow, 6) == Status::kOk);
  CHECK(changed(3, fmt::mux_case::kLow, 5) == Status::kMalformed);
  CHECK(changed(4, fmt::mux_case::kLow, 9) == Status::kMalformed);
  CHECK(changed(3, fmt::mux_case::kHigh, 5) == Status::kMalformed);
  std::vector<uint8_t> twice = whole;
  std::memcpy(twice.data() + cases + 2 * fmt::mux_case::kSize, twice.data() + cases + fmt::mux_case::kSize,
              fmt::mux_case::kSize);
  seal(twice);
  CHECK(table.load(view(twice)) == Status::kMalformed);
}

TEST_CASE("A condition that depends on itself is refused") {
  std::vector<uint8_t> bytes = TestTable(kEverything).built.bytes;
  SignalTable table;
  REQUIRE(table.load(view(bytes)) == Status::kOk);
  // Group 2 holds the switch T, which is selector 1, and is opened by selector 0. Now T opens it: the first
  // case moves from one selector to the other.
  const auto writable = [&](const uint8_t* record) { return bytes.data() + (record - bytes.data()); };
  uint8_t* group = writable(table.group_record(2));
  uint8_t* first = writable(table.selector_record(0));
  uint8_t* second = writable(table.selector_record(1));
  REQUIRE(load_le16(group + fmt::group::kParent) == 0);
  store_le16(group + fmt::group::kParent, 1);
  store_le16(first + fmt::selector::kCaseCount, 0);
  store_le16(second + fmt::selector::kFirstCase, 0);
  store_le16(second + fmt::selector::kCaseCount, 6);
  seal(bytes);
  CHECK(table.load(view(bytes)) == Status::kMalformed);
}

TEST_CASE("A table that would make searches long is refused") {
  oem::DbcFile file;
  for (uint32_t i = 0; i < 100; ++i) {
    oem::DbcMessage message;
    message.name = "M" + std::to_string(i);
    message.id = i;
    file.messages.push_back(message);
  }
  const std::vector<oem::BusDbc> files = {{"", file}};
  oem::TablePlan plan = oem::plan_table(files, {});
  // With this multiplier every search begins at slot 0, so all messages stand in a row.
  plan.hash.multiplier = 1;
  std::fill(plan.hash.slots.begin(), plan.hash.slots.end(), oem::SlotPlan{});
  const auto load_with = [&](uint16_t used) {
    for (uint16_t i = 0; i < used; ++i) plan.hash.slots[i] = {i, 0, i};
    plan.messages.resize(used);
    plan.groups.resize(used);
    SignalTable table;
    return table.load(view(oem::write_table(plan, {})));
  };
  oem::TablePlan all = plan;
  CHECK(load_with(100) == Status::kMalformed);
  plan = all;
  CHECK(load_with(64) == Status::kOk);
}

TEST_CASE("A later version of the format is told apart from damage") {
  std::vector<uint8_t> bytes = TestTable(kEverything).built.bytes;
  bytes[3] = '2';
  SignalTable table;
  CHECK(table.load(view(bytes)) == Status::kUnsupported);
}

TEST_CASE("The checksum is the well-known CRC-32") {
  const char text[] = "123456789";
  CHECK(fmt::crc32({reinterpret_cast<const uint8_t*>(text), 9}) == 0xCBF43926);
}
