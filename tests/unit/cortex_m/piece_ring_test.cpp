// SPDX-License-Identifier: Apache-2.0
#include "can/piece_ring.hpp"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "fakes/fake_clock.hpp"

namespace wayseal::test {
namespace {

using can::Piece;
using can::PieceRing;

class Ring {
 public:
  explicit Ring(size_t words = PieceRing::kWordsMin)
      : memory_(words), ring({memory_.data(), memory_.size()}, clock) {}
  void put(const std::vector<uint8_t>& bytes) {
    for (const uint8_t byte : bytes) ring.put(byte);
  }
  std::vector<uint8_t> take() {
    Piece piece;
    return ring.take(piece) ? std::vector<uint8_t>(piece.bytes, piece.bytes + piece.size)
                            : std::vector<uint8_t>();
  }

 private:
  std::vector<uint64_t> memory_;

 public:
  fakes::FakeClock clock;
  PieceRing ring;
};

// A data frame on bus 1, by its first two bytes, then a number in 7-bit groups: no zero in it.
constexpr size_t kNumberedMin = 7;

std::vector<uint8_t> numbered(uint32_t number, size_t size) {
  std::vector<uint8_t> bytes(size, 0x11);
  bytes[0] = 3;
  bytes[1] = 0x10;
  for (size_t i = 0; i < 5; ++i) bytes[2 + i] = static_cast<uint8_t>(0x80 | ((number >> (7 * i)) & 0x7F));
  return bytes;
}

uint32_t number_of(const Piece& piece) {
  uint32_t number = 0;
  for (size_t i = 0; i < 5; ++i) number |= (piece.bytes[2 + i] & 0x7FU) << (7 * i);
  return number;
}

}  // namespace

TEST_CASE("a piece is there when its delimiter is, with the time of that moment") {
  Ring rig;
  rig.clock.set({100});
  rig.put({5, 6});
  CHECK(rig.take().empty());
  rig.clock.set({200});
  rig.put({7, 0, 0, 0, 8});
  rig.clock.set({300});
  Piece piece;
  REQUIRE(rig.ring.take(piece));
  CHECK(piece.time_ns == 200);
  CHECK(std::vector<uint8_t>(piece.bytes, piece.bytes + piece.size) == std::vector<uint8_t>{5, 6, 7});
  CHECK_FALSE(rig.ring.take(piece));
  rig.put({0});
  REQUIRE(rig.ring.take(piece));
  CHECK(piece.time_ns == 300);
}

TEST_CASE("pieces of all lengths pass round the end of the memory") {
  Ring rig;
  for (uint32_t i = 0; i < 5000; ++i) {
    std::vector<uint8_t> bytes = numbered(i, kNumberedMin + i % (can::kPieceMax - kNumberedMin + 1));
    rig.put(bytes);
    rig.put({0});
    REQUIRE(rig.take() == bytes);
  }
  CHECK(rig.ring.losses().too_long == 0);
}

TEST_CASE("what there is no room for goes whole, and is counted on the bus that it names") {
  Ring rig;
  const std::vector<uint8_t> on_bus_3 = {3, 0x30, 9};
  size_t kept = 0;
  while (rig.ring.has_room()) {
    rig.put(on_bus_3);
    rig.put({0});
    ++kept;
  }
  CHECK(rig.ring.blocked());
  for (int i = 0; i < 7; ++i) rig.put({3, 0x30, 9, 0});
  for (int i = 0; i < 5; ++i) rig.put({1, 4, 9, 0});     // header 0: bus 0
  for (int i = 0; i < 9; ++i) rig.put({3, 0xB1, 9, 0});  // a report: no frame
  CHECK(rig.ring.losses().frames_dropped[3] == 7);
  CHECK(rig.ring.losses().frames_dropped[0] == 5);
  rig.put({3, 0x30});  // began without room, and does not find any later
  for (size_t i = 0; i < kept; ++i) CHECK(rig.take() == on_bus_3);
  rig.put({9, 0});
  CHECK(rig.take().empty());
  CHECK(rig.ring.losses().frames_dropped[3] == 8);
  rig.put({3, 0x30, 9, 0});
  CHECK(rig.take() == on_bus_3);
}

TEST_CASE("garbage without an end, and bytes lost in the UART, cost what they touch") {
  Ring rig;
  for (size_t i = 0; i < 10000; ++i) rig.ring.put(0x41);
  rig.put({0, 2, 7, 0});
  CHECK(rig.ring.losses().too_long == 1);
  CHECK(rig.take() == std::vector<uint8_t>{2, 7});
  rig.put({3, 0x10});
  rig.ring.note_lost_byte();
  rig.put({9, 0, 2, 8, 0});
  CHECK(rig.take() == std::vector<uint8_t>{2, 8});
  CHECK(rig.ring.losses().frames_dropped[1] == 1);
}

TEST_CASE("a ring without memory drops and counts") {
  Ring rig(PieceRing::kWordsMin - 1);
  rig.put({3, 0x20, 9, 0});
  CHECK(rig.take().empty());
  CHECK(rig.ring.losses().frames_dropped[2] == 1);
  CHECK(rig.ring.blocked());
}

TEST_CASE("one thread puts, another takes: every piece comes whole and in order, or is counted") {
  Ring rig(128);
  constexpr uint32_t kPieces = 50000;
  std::thread producer([&] {
    for (uint32_t i = 0; i < kPieces; ++i) {
      rig.put(numbered(i, kNumberedMin + i % 60));
      rig.ring.put(0);
    }
    rig.clock.set({-1});
    while (rig.ring.blocked()) std::this_thread::yield();
    rig.put({'e', 'n', 'd', 0});
  });
  uint32_t got = 0;
  uint32_t next = 0;
  bool whole = true;
  for (Piece piece;;) {
    if (!rig.ring.take(piece)) {
      std::this_thread::yield();
      continue;
    }
    if (piece.time_ns == -1) break;
    const uint32_t number = number_of(piece);
    const std::vector<uint8_t> expected = numbered(number, kNumberedMin + number % 60);
    whole = whole && number >= next && expected == std::vector<uint8_t>(piece.bytes, piece.bytes + piece.size);
    next = number + 1;
    ++got;
  }
  producer.join();
  CHECK(whole);
  CHECK(got > 0);
  CHECK(got + rig.ring.losses().frames_dropped[1] == kPieces);
}

}  // namespace wayseal::test
