// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/ack.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <vector>

namespace wayseal {
namespace {

using Coded = std::vector<uint8_t>;

// An entry by hand: session id of 16 times `id`, contiguous below 128, bitmap.
Coded entry(uint8_t id, uint8_t contiguous, const Coded& beyond) {
  Coded inner = {0x0A, 0x10};
  inner.insert(inner.end(), 16, id);
  inner.insert(inner.end(), {0x10, contiguous});
  if (!beyond.empty()) {
    inner.insert(inner.end(), {0x1A, static_cast<uint8_t>(beyond.size())});
    inner.insert(inner.end(), beyond.begin(), beyond.end());
  }
  Coded outer = {0x0A, static_cast<uint8_t>(inner.size())};
  // Not insert: GCC 12 sees a range beyond its end there (-Warray-bounds), which there is not.
  std::copy(inner.begin(), inner.end(), std::back_inserter(outer));
  return outer;
}

Coded operator+(Coded a, const Coded& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Status last_status(const Coded& coded) {
  AckReader reader({coded.data(), coded.size()});
  SessionAck ack;
  Status status = Status::kOk;
  while (status == Status::kOk) status = reader.next(ack);
  return status;
}

TEST_CASE("ack: entries come out in order, unknown fields are skipped") {
  const Coded coded = entry(1, 5, {}) + Coded{0x18, 0x07} + entry(2, 0, {0x01, 0x80}) + Coded{0x22, 0x01, 0x00};
  AckReader reader({coded.data(), coded.size()});
  SessionAck ack;
  REQUIRE(reader.next(ack) == Status::kOk);
  CHECK(ack.session.data[15] == 1);
  CHECK(ack.contiguous == 5);
  CHECK(ack.highest() == 5);
  REQUIRE(reader.next(ack) == Status::kOk);
  CHECK(ack.session.data[0] == 2);
  CHECK(ack.highest() == 2 + 15);
  CHECK(ack.bitmap().size() == 2);
  CHECK(reader.next(ack) == Status::kNotFound);
  CHECK(reader.next(ack) == Status::kNotFound);
  CHECK(last_status({}) == Status::kNotFound);
}

TEST_CASE("ack: session ids of another length, long bitmaps, huge numbers and too many entries are malformed") {
  CHECK(last_status(entry(1, 1, Coded(32, 0xFF))) == Status::kNotFound);
  CHECK(last_status(entry(1, 1, Coded(33, 0xFF))) == Status::kMalformed);
  CHECK(last_status({0x0A, 0x03, 0x0A, 0x01, 0x00}) == Status::kMalformed);
  // contiguous = 2^32: one more than a session can have.
  Coded huge = entry(1, 0, {});
  huge.back() = 0x80;
  huge.insert(huge.end(), {0x80, 0x80, 0x80, 0x10});
  huge[1] = static_cast<uint8_t>(huge[1] + 4);
  CHECK(last_status(huge) == Status::kMalformed);
  huge[huge.size() - 1] = 0x0F;
  CHECK(last_status(huge) == Status::kNotFound);
  Coded many;
  for (size_t i = 0; i < kAckSessionsMax; ++i) many = many + entry(1, 1, {});
  CHECK(last_status(many) == Status::kNotFound);
  CHECK(last_status(many + entry(1, 1, {})) == Status::kMalformed);
}

TEST_CASE("ack: what is cut short anywhere is malformed or has fewer entries") {
  const Coded coded = entry(1, 5, {0x01});
  for (size_t size = 1; size < coded.size(); ++size) {
    CHECK(last_status(Coded(coded.begin(), coded.begin() + static_cast<std::ptrdiff_t>(size))) ==
          Status::kMalformed);
  }
}

}  // namespace
}  // namespace wayseal
