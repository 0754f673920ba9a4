// SPDX-License-Identifier: Apache-2.0
// What rot does: counted, never a crash, never wrong bytes.
#include <algorithm>
#include <random>

#include "unit/spool/spool_fixture.hpp"

namespace wayseal::test {

using Names = std::vector<std::string>;

namespace {

// Where a record's payload lies on the medium.
uint64_t find_payload(const FakeFlash& flash, uint32_t session, uint64_t sequence, size_t size) {
  const std::vector<uint8_t> bytes = record_bytes(session, sequence, size);
  const auto found = std::search(flash.image().begin(), flash.image().end(), bytes.begin(), bytes.end());
  REQUIRE(found != flash.image().end());
  return static_cast<uint64_t>(found - flash.image().begin());
}

}  // namespace

TEST_CASE("spool: a damaged payload is counted when it is read, and the rest arrives") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 300);
  REQUIRE(f.spool.sync() == Status::kOk);
  f.flash.flip(find_payload(f.flash, 1, 3, 300) + 77, 0x20);
  CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2", "1:3!malformed", "1:4", "1:5"});
  CHECK(loss_names(f.spool) == Names{"1:3-3=1 damaged"});
  CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2", "1:4", "1:5"});
  CHECK(f.spool.stats().damaged == 1);
  f.settle(1, 2, {0x03});
  CHECK(f.spool.stats().waiting_records == 0);
}

TEST_CASE("spool: damage between losses that were merged is counted besides") {
  SpoolFixture f;
  f.open(1);
  for (uint64_t sequence = 1; sequence <= 4 * kLossRangesMax; ++sequence) {
    if (sequence % 3 == 1) f.spool.note_void(session_id(1), sequence);
    if (sequence % 3 != 1) f.append(1, sequence, 60);
  }
  REQUIRE(f.spool.sync() == Status::kOk);
  const uint64_t before = lost(f.spool);
  f.flash.flip(find_payload(f.flash, 1, 2, 60) + 7, 0x20);
  delivered(f.spool);
  CHECK(lost(f.spool) == before + 1);
}

TEST_CASE("spool: a damaged header is a gap that a restart finds, and the rest arrives") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 300);
  REQUIRE(f.spool.sync() == Status::kOk);
  f.flash.flip(find_payload(f.flash, 1, 3, 300) - 20, 0x01);
  f.remount();
  CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2", "1:4", "1:5"});
  CHECK(loss_names(f.spool) == Names{"1:3-3=1 damaged"});
  CHECK(lost(f.spool) == 1);
}

TEST_CASE("spool: a session whose open is damaged is counted as lost whole") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 300);
  f.open(2);
  f.append(2, 1);
  REQUIRE(f.spool.sync() == Status::kOk);
  f.flash.flip(find_payload(f.flash, 1, 0, 500), 0x01);
  SECTION("found when it is sent") {}
  SECTION("found by a restart") { f.remount(); }
  const Names out = delivered(f.spool);
  CHECK(std::count(out.begin(), out.end(), "1:1") == 0);
  CHECK(out.back() == "2:1");
  CHECK(loss_names(f.spool) == Names{"1:1-5=5 damaged"});
}

TEST_CASE("spool: a payload that cannot be read is counted as damaged, and the rest arrives") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 300);
  REQUIRE(f.spool.sync() == Status::kOk);
  const uint64_t third = find_payload(f.flash, 1, 3, 300);
  SECTION("once only: it is read again") {
    SpoolCursor cursor;
    SpoolEntry entry;
    while (entry.sequence != 3) REQUIRE(f.spool.next(cursor, entry) == Status::kOk);
    std::vector<uint8_t> bytes(entry.size);
    f.flash.fail_read_at(1, Status::kStorageFailed);
    CHECK(f.spool.read(entry, {bytes.data(), bytes.size()}) == Status::kOk);
    CHECK(losses(f.spool).empty());
  }
  SECTION("for ever") {
    f.flash.make_unreadable(third + 100, third + 101);
    CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2", "1:3!malformed", "1:4", "1:5"});
    CHECK(loss_names(f.spool) == Names{"1:3-3=1 damaged"});
    CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2", "1:4", "1:5"});
  }
  SECTION("because the medium is gone: that is no damage") {
    SpoolCursor cursor;
    SpoolEntry entry;
    while (entry.sequence != 3) REQUIRE(f.spool.next(cursor, entry) == Status::kOk);
    std::vector<uint8_t> bytes(entry.size);
    f.flash.make_unreadable(0, f.flash.image().size());
    CHECK(f.spool.read(entry, {bytes.data(), bytes.size()}) == Status::kStorageFailed);
    CHECK(f.spool.next(cursor, entry) == Status::kStorageFailed);
    CHECK(losses(f.spool).empty());
    CHECK(Spool(f.flash).mount() == Status::kStorageFailed);
  }
}

TEST_CASE("spool: a block that cannot be read, wherever it lies, costs what is in it and stops nothing") {
  constexpr uint32_t kBlocks = 56;
  for (uint32_t block = 0; block < kBlocks; ++block) {
    INFO("block " << block);
    SpoolFixture f(kBlocks);
    f.open(1);
    f.append(1, 1, 40, 900);
    f.open(2);
    f.append(2, 1, 40, 900);
    REQUIRE(f.spool.flush() == Status::kOk);
    const Names before = delivered(f.spool);
    f.flash.make_unreadable(block * 4096U, (block + 1) * 4096U);
    const bool again = block % 2 == 0;
    if (again) f.remount();
    Names out = delivered(f.spool);
    out.erase(std::remove_if(out.begin(), out.end(), [](const std::string& s) { return s.back() == 'd'; }),
              out.end());
    uint64_t missing = 0;
    for (const std::string& name : before) {
      missing += name[0] != 'o' && std::count(out.begin(), out.end(), name) == 0 ? 1 : 0;
    }
    if (again) CHECK(lost(f.spool) >= missing);
    // Life goes on, all around the ring; a session whose open gets lost in there makes way for another.
    uint32_t session = 3;
    f.open(session);
    for (uint64_t sequence = 1; sequence <= 400; ++sequence) {
      const Status status =
          f.spool.append(session_id(session), sequence, view(record_bytes(session, sequence, 900)));
      if (status == Status::kBadState) f.open(++session);
      if (status != Status::kBadState) REQUIRE(status == Status::kOk);
    }
    REQUIRE(session <= 5);
    REQUIRE(f.spool.sync() == Status::kOk);
    f.remount();
    CHECK(delivered(f.spool).size() > 50);
  }
}

TEST_CASE("spool: an open that the backend has is not missed") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 300);
  f.settle(1, 2);
  REQUIRE(f.spool.flush() == Status::kOk);
  f.flash.flip(find_payload(f.flash, 1, 0, 500), 0x01);
  f.remount();
  CHECK(delivered(f.spool) == Names{"1:3", "1:4", "1:5"});
  CHECK(losses(f.spool).empty());
}

TEST_CASE("spool: one flipped bit anywhere is counted when it costs records, and never crashes") {
  std::mt19937_64 random(3);
  SpoolFixture f(56);
  f.open(1);
  f.append(1, 1, 40, 900);
  f.settle(1, 7);
  f.open(2);
  f.append(2, 1, 40, 900);
  REQUIRE(f.spool.flush() == Status::kOk);
  const Names before = delivered(f.spool);
  const std::vector<uint8_t> good = f.flash.image();
  for (int round = 0; round < 600; ++round) {
    f.flash.set_image(good);
    f.flash.flip(random() % good.size(), static_cast<uint8_t>(1U << (random() % 8)));
    Spool spool(f.flash);
    REQUIRE(spool.mount() == Status::kOk);
    Names out = delivered(spool);
    out.erase(std::remove_if(out.begin(), out.end(), [](const std::string& s) { return s.back() == 'd'; }),
              out.end());
    for (const std::string& name : out) CHECK(name.find("!wrong") == std::string::npos);
    uint64_t missing = 0;
    for (const std::string& name : before) {
      missing += name[0] != 'o' && std::count(out.begin(), out.end(), name) == 0 ? 1 : 0;
    }
    CHECK(lost(spool) >= missing);
    // Life goes on.
    REQUIRE(spool.append_open(session_id(3), view(record_bytes(3, 0, 100))) == Status::kOk);
    REQUIRE(spool.append(session_id(3), 1, view(record_bytes(3, 1, 100))) == Status::kOk);
  }
}

TEST_CASE("spool: noise on the medium never crashes the mount") {
  std::mt19937_64 random(4);
  SpoolFixture f(56);
  f.open(1);
  f.append(1, 1, 60, 900);
  REQUIRE(f.spool.sync() == Status::kOk);
  const std::vector<uint8_t> good = f.flash.image();
  for (int round = 0; round < 300; ++round) {
    std::vector<uint8_t> image = good;
    const auto from = static_cast<size_t>(random() % image.size());
    const size_t size = std::min(image.size() - from, static_cast<size_t>(random() % 40000));
    for (size_t i = 0; i < size; ++i) image[from + i] = round % 3 == 0 ? 0 : static_cast<uint8_t>(random());
    f.flash.set_image(image);
    Spool spool(f.flash);
    if (spool.mount() != Status::kOk) continue;
    for (const std::string& name : delivered(spool)) CHECK(name.find("!wrong") == std::string::npos);
    REQUIRE(spool.append_open(session_id(3), view(record_bytes(3, 0, 100))) == Status::kOk);
  }
}

}  // namespace wayseal::test
