// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/bytes.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace wayseal {
namespace {

TEST_CASE("a span never reaches beyond its end when it is cut") {
  const uint8_t data[5] = {1, 2, 3, 4, 5};
  const Bytes all(data);
  CHECK(all.first(3).size() == 3);
  CHECK(all.first(9).size() == 5);
  CHECK(all.from(2).size() == 3);
  CHECK(all.from(2)[0] == 3);
  CHECK(all.from(5).empty());
  CHECK(all.from(6).empty());
}

TEST_CASE("big-endian and little-endian numbers survive the way through bytes") {
  uint8_t data[8] = {};
  store_be64(data, 0x0102030405060708ULL);
  CHECK(data[0] == 1);
  CHECK(data[7] == 8);
  CHECK(load_be64(data) == 0x0102030405060708ULL);
  CHECK(load_le64(data) == 0x0807060504030201ULL);
  CHECK(load_be32(data) == 0x01020304U);
  CHECK(load_be16(data) == 0x0102U);
  store_le64(data, 0x0102030405060708ULL);
  CHECK(load_le64(data) == 0x0102030405060708ULL);
  store_be32(data, 0xFFEEDDCCU);
  CHECK(load_be32(data) == 0xFFEEDDCCU);
  CHECK(load_le32(data) == 0xCCDDEEFFU);
  store_be16(data, 0xFFEEU);
  CHECK(load_be16(data) == 0xFFEEU);
}

TEST_CASE("constant-time comparison finds a difference in any byte, and in length") {
  uint8_t a[33];
  uint8_t b[33];
  for (size_t i = 0; i < sizeof a; ++i) a[i] = b[i] = static_cast<uint8_t>(i * 7);
  CHECK(equal_constant_time(a, b));
  for (size_t i = 0; i < sizeof b; ++i) {
    b[i] = static_cast<uint8_t>(b[i] ^ 0x80);
    CHECK_FALSE(equal_constant_time(a, b));
    b[i] = static_cast<uint8_t>(b[i] ^ 0x80);
  }
  CHECK_FALSE(equal_constant_time(a, Bytes(b).first(32)));
  CHECK(equal_constant_time(Bytes{}, Bytes{}));
}

TEST_CASE("wiping clears exactly the bytes given") {
  uint8_t data[16];
  std::fill(std::begin(data), std::end(data), uint8_t{0xA5});
  wipe(MutableBytes(data).from(1).first(14));
  CHECK(data[0] == 0xA5);
  CHECK(data[15] == 0xA5);
  CHECK(std::all_of(data + 1, data + 15, [](uint8_t byte) { return byte == 0; }));
  wipe(MutableBytes{});
}

TEST_CASE("public values compare by content") {
  struct Tag;
  Fixed<4, Tag> a;
  Fixed<4, Tag> b;
  CHECK(a == b);
  b.data[3] = 1;
  CHECK(a != b);
  CHECK_FALSE(equal(a.bytes(), b.bytes()));
  CHECK_FALSE(equal(a.bytes(), b.bytes().first(3)));
}

}  // namespace
}  // namespace wayseal
