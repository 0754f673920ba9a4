// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "unit/spool/spool_fixture.hpp"

namespace wayseal::test {

using Names = std::vector<std::string>;

TEST_CASE("spool: records come out as they went in, oldest first, also after a restart") {
  for (const uint32_t program_size : {1U, 8U, 32U, 256U}) {
    SpoolFixture f(64, program_size);
    CHECK(delivered(f.spool).empty());
    f.open(1);
    f.append(1, 1, 1);
    f.append(1, 2, 300);
    f.append(1, 3, kRecordMax);
    const Names all = {"open:1", "1:1", "1:2", "1:3"};
    CHECK(delivered(f.spool) == all);
    REQUIRE(f.spool.sync() == Status::kOk);
    f.remount();
    CHECK(delivered(f.spool) == all);
    CHECK(losses(f.spool).empty());
    CHECK(f.spool.stats().waiting_records == 3);
    CHECK(f.spool.stats().waiting_bytes == 301 + kRecordMax);
    CHECK(f.flash.violations() == 0);
  }
}

TEST_CASE("spool: a blank medium is not written before the first session") {
  SpoolFixture f;
  f.remount();
  CHECK(f.spool.sync() == Status::kOk);
  CHECK(f.spool.flush() == Status::kOk);
  CHECK(f.flash.writes() == 0);
}

TEST_CASE("spool: a cursor goes on where it was, and a new one starts again") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 4, 200);
  SpoolCursor cursor;
  CHECK(delivered(f.spool, cursor) == Names{"open:1", "1:1", "1:2", "1:3", "1:4"});
  CHECK(delivered(f.spool, cursor).empty());
  f.append(1, 5);
  CHECK(delivered(f.spool, cursor) == Names{"1:5"});
  f.settle(1, 3);
  CHECK(delivered(f.spool) == Names{"1:4", "1:5"});
}

TEST_CASE("spool: acks free what they name, holes stay, and acks only ever add") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 10, 100);
  f.settle(1, 2, {0x05});  // 1, 2; then 4 and 6
  CHECK(delivered(f.spool) == Names{"1:3", "1:5", "1:7", "1:8", "1:9", "1:10"});
  f.settle(1, 1);  // an older ack
  CHECK(delivered(f.spool) == Names{"1:3", "1:5", "1:7", "1:8", "1:9", "1:10"});
  f.settle(1, 0, {0x02 | 0x40});  // 3 and 8: now 1 to 4, 6 and 8
  CHECK(delivered(f.spool) == Names{"1:5", "1:7", "1:9", "1:10"});
  CHECK(f.spool.stats().settled == 6);
  CHECK(f.spool.stats().waiting_records == 4);
  f.settle(1, 10);
  CHECK(delivered(f.spool).empty());
  CHECK(losses(f.spool).empty());
}

TEST_CASE("spool: acks at the far end of the bitmap count, and further ones are sent again") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 300, 20);
  std::vector<uint8_t> beyond(32, 0xFF);  // 2 to 257, and 1 is missing
  f.settle(1, 0, beyond);
  CHECK(f.spool.stats().waiting_records == 300 - 256);
  f.settle(1, 100);  // 1 to 257 now
  CHECK(f.spool.stats().waiting_records == 300 - 257);
  CHECK(delivered(f.spool).front() == "1:258");
  f.settle(1, 300);
  CHECK(f.spool.stats().waiting_records == 0);
}

TEST_CASE("spool: an ack for what was never sealed is refused and frees nothing") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 3, 100);
  CHECK(f.spool.settle(session_id(1), 4, {}) == Status::kMalformed);
  const uint8_t four[] = {0x01};
  CHECK(f.spool.settle(session_id(1), 2, four) == Status::kMalformed);
  CHECK(f.spool.settle(session_id(1), 0xFFFFFFFFFFULL, {}) == Status::kMalformed);
  const std::vector<uint8_t> long_bitmap(33, 0);
  CHECK(f.spool.settle(session_id(1), 1, view(long_bitmap)) == Status::kMalformed);
  CHECK(f.spool.settle(session_id(9), 1, {}) == Status::kNotFound);
  CHECK(f.spool.stats().waiting_records == 3);
  f.spool.note_void(session_id(1), 4);
  CHECK(f.spool.settle(session_id(1), 4, {}) == Status::kOk);
}

TEST_CASE("spool: the open of a session is repeated on each connection until an ack names the session") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 2, 100);
  CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2"});
  CHECK(delivered(f.spool) == Names{"open:1", "1:1", "1:2"});
  f.settle(1, 1);
  CHECK(delivered(f.spool) == Names{"1:2"});
  SpoolEntry entry;
  REQUIRE(f.spool.find_open(session_id(1), entry) == Status::kOk);
  CHECK(entry.kind == SpoolEntryKind::kSessionOpen);
  CHECK(entry.size == 500);
  CHECK(f.spool.find_open(session_id(2), entry) == Status::kNotFound);
}

TEST_CASE("spool: a session that is settled is forgotten, but the newest one tells its end to the next") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 100);
  CHECK(f.spool.last_durable(session_id(1)).value() == 0);
  REQUIRE(f.spool.sync() == Status::kOk);
  f.append(1, 6);
  CHECK(f.spool.last_durable(session_id(1)).value() == 5);
  REQUIRE(f.spool.sync() == Status::kOk);
  f.settle(1, 6);
  CHECK(f.spool.last_durable(session_id(1)).value() == 6);
  REQUIRE(f.spool.flush() == Status::kOk);
  f.remount();
  CHECK(f.spool.last_durable(session_id(1)).value() == 6);
  CHECK(delivered(f.spool).empty());
  f.open(2);
  CHECK(f.spool.last_durable(session_id(1)).status() == Status::kNotFound);
  CHECK(f.spool.stats().sessions == 1);
}

TEST_CASE("spool: an open that was never acknowledged stays although its session has no record") {
  SpoolFixture f(256);
  f.open(1);
  f.open(2);
  f.append(2, 1);
  CHECK(delivered(f.spool) == Names{"open:1", "open:2", "2:1"});
  REQUIRE(f.spool.sync() == Status::kOk);
  f.remount();
  CHECK(delivered(f.spool) == Names{"open:1", "open:2", "2:1"});
  SECTION("until it is") {
    f.settle(1, 0);
    CHECK(delivered(f.spool) == Names{"open:2", "2:1"});
    f.remount();
  }
  SECTION("until too many sessions wait: then it goes first, and is no loss") {
    for (uint32_t session = 3; session <= kLiveSessionsMax + 1; ++session) {
      f.open(session, 200);
      f.append(session, 1);
    }
    CHECK(delivered(f.spool).front() == "open:1");
    f.open(kLiveSessionsMax + 2, 200);
    CHECK(delivered(f.spool).front() == "open:3");
    CHECK(f.spool.stats().evicted == 1);  // of session 2
  }
  SECTION("also when its segment goes") {
    f.open(3);
    f.append(3, 1, 3000, 900);
    REQUIRE(f.spool.sync() == Status::kOk);
    f.remount();
    const Names out = delivered(f.spool);
    CHECK(std::count(out.begin(), out.end(), "2:1") == 0);
    for (const char* open : {"open:1", "open:2", "open:3"})
      CHECK(std::count(out.begin(), out.end(), open) == 1);
  }
}

TEST_CASE("spool: nothing can be appended to a session of an earlier life, nor twice under one number") {
  SpoolFixture f;
  CHECK(f.spool.append(session_id(1), 1, view(record_bytes(1, 1, 10))) == Status::kBadState);
  f.open(1);
  f.append(1, 1);
  CHECK(f.spool.append(session_id(1), 1, view(record_bytes(1, 1, 10))) == Status::kInvalidArgument);
  f.spool.note_void(session_id(1), 2);
  CHECK(f.spool.append(session_id(1), 2, view(record_bytes(1, 2, 10))) == Status::kInvalidArgument);
  CHECK(f.spool.append(session_id(1), 0x100000000ULL, view(record_bytes(1, 3, 10))) ==
        Status::kInvalidArgument);
  CHECK(f.spool.append(session_id(1), 3, {}) == Status::kInvalidArgument);
  CHECK(f.spool.append(session_id(1), 3, view(record_bytes(1, 3, kRecordMax + 1))) == Status::kInvalidArgument);
  CHECK(f.spool.append_open(session_id(1), view(record_bytes(1, 0, 10))) == Status::kInvalidArgument);
  CHECK(f.spool.append_open(session_id(2), view(record_bytes(2, 0, kSessionOpenMax + 1))) ==
        Status::kInvalidArgument);
  f.remount();
  CHECK(f.spool.append(session_id(1), 3, view(record_bytes(1, 3, 10))) == Status::kBadState);
}

TEST_CASE("invariant 4: nothing vanishes (eviction is counted)") {
  SpoolFixture f;
  f.open(1);
  constexpr uint64_t kRecords = 2000;
  for (uint64_t sequence = 1; sequence <= kRecords; ++sequence) {
    f.append(1, sequence, 1000);
    if (sequence % 10 == 0) REQUIRE(f.spool.sync() == Status::kOk);
  }
  const auto check = [&] {
    const Names out = delivered(f.spool);
    REQUIRE(out.size() > 50);
    CHECK(out.front() == "open:1");  // carried along, though its own segment went long ago
    CHECK(lost(f.spool) + out.size() - 1 == kRecords);
    CHECK(loss_names(f.spool).size() == 1);
    const uint64_t first = kRecords - (out.size() - 1) + 1;
    CHECK(out[1] == "1:" + std::to_string(first));
    CHECK(losses(f.spool)[0].last == first - 1);
    CHECK(f.spool.stats().waiting_records == out.size() - 1);
  };
  check();
  CHECK(f.spool.stats().evicted == lost(f.spool));
  f.remount();
  check();
  CHECK(f.flash.violations() == 0);
  const auto wear = std::minmax_element(f.flash.wear().begin(), f.flash.wear().end() - 1);
  CHECK(*wear.second - *wear.first <= 1);
}

TEST_CASE("spool: what is acknowledged in time is never lost however much passes through") {
  SpoolFixture f;
  uint64_t sequence = 0;
  for (uint32_t session = 1; session <= 20; ++session) {
    f.open(session);
    for (sequence = 1; sequence <= 100; ++sequence) {
      f.append(session, sequence, 700);
      if (sequence % 20 == 0) f.settle(session, sequence - 1);
      if (sequence % 7 == 0) REQUIRE(f.spool.sync() == Status::kOk);
    }
    f.settle(session, 100);
  }
  CHECK(f.spool.stats().evicted == 0);
  CHECK(f.spool.stats().settled == 2000);
  CHECK(losses(f.spool).empty());
  CHECK(f.flash.violations() == 0);
  // Bookkeeping and padding cost little.
  CHECK(f.flash.programmed_bytes() < 2000 * 700 * 115 / 100);
}

TEST_CASE("spool: when too many sessions wait, the oldest goes whole and is counted") {
  SpoolFixture f(256);
  const uint32_t sessions = kLiveSessionsMax + 3;
  for (uint32_t session = 1; session <= sessions; ++session) {
    f.open(session, 200);
    f.append(session, 1, 4, 50);
    REQUIRE(f.spool.sync() == Status::kOk);
  }
  const Names expected = {"1:1-4=4 evicted", "2:1-4=4 evicted", "3:1-4=4 evicted"};
  CHECK(loss_names(f.spool) == expected);
  CHECK(delivered(f.spool).front() == "open:4");
  REQUIRE(f.spool.sync() == Status::kOk);
  f.remount();
  CHECK(loss_names(f.spool) == expected);
  CHECK(delivered(f.spool).size() == kLiveSessionsMax * 5);
}

TEST_CASE("spool: a refused session is freed and counted") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 5, 100);
  f.open(2);
  f.append(2, 1, 3, 100);
  f.settle(1, 2);
  REQUIRE(f.spool.refuse(session_id(1)) == Status::kOk);
  CHECK(f.spool.refuse(session_id(1)) == Status::kNotFound);
  CHECK(delivered(f.spool) == Names{"open:2", "2:1", "2:2", "2:3"});
  REQUIRE(f.spool.refuse(session_id(2)) == Status::kOk);
  CHECK(delivered(f.spool).empty());
  CHECK(f.spool.append(session_id(2), 4, view(record_bytes(2, 4, 10))) == Status::kBadState);
  CHECK(f.spool.last_durable(session_id(2)).value() == 3);
  CHECK(loss_names(f.spool) == Names{"1:3-5=3 refused", "2:1-3=3 refused"});
  REQUIRE(f.spool.sync() == Status::kOk);
  f.remount();
  CHECK(delivered(f.spool).empty());
  CHECK(loss_names(f.spool) == Names{"1:3-5=3 refused", "2:1-3=3 refused"});
  f.open(3);
  f.append(3, 1);
  CHECK(delivered(f.spool) == Names{"open:3", "3:1"});
}

TEST_CASE("spool: losses are forgotten once the report about them is settled, and not before") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1);
  f.spool.note_void(session_id(1), 2);
  CHECK(f.spool.losses_unreported());
  LossRange out[kLossRangesMax];
  const LossSnapshot snapshot = f.spool.losses(out);
  CHECK(snapshot.count == 1);
  f.append(1, 3);
  f.spool.losses_reported(snapshot.token, session_id(1), 3);
  CHECK_FALSE(f.spool.losses_unreported());
  f.spool.note_void(session_id(1), 4);  // after the report
  CHECK(f.spool.losses_unreported());
  f.settle(1, 1);
  CHECK(loss_names(f.spool) == Names{"1:2-2=1 void", "1:4-4=1 void"});
  f.settle(1, 3);
  CHECK(loss_names(f.spool) == Names{"1:4-4=1 void"});
  CHECK(f.spool.losses_unreported());
  REQUIRE(f.spool.sync() == Status::kOk);
  f.remount();
  CHECK(loss_names(f.spool) == Names{"1:4-4=1 void"});
  CHECK(f.spool.losses_unreported());
}

TEST_CASE("spool: when the report itself is lost, its losses are unreported again") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1);
  f.spool.note_void(session_id(1), 2);
  LossRange out[kLossRangesMax];
  const LossSnapshot snapshot = f.spool.losses(out);
  f.append(1, 3);
  f.spool.losses_reported(snapshot.token, session_id(1), 3);
  SECTION("by eviction") {
    uint64_t sequence = 4;
    while (lost(f.spool) < 5) f.append(1, sequence++, 5000);
    CHECK(f.spool.losses_unreported());
  }
  SECTION("by a refusal") {
    REQUIRE(f.spool.refuse(session_id(1)) == Status::kOk);
    CHECK(f.spool.losses_unreported());
  }
  CHECK(loss_names(f.spool).front() == "1:2-2=1 void");
}

TEST_CASE("spool: a restart repeats little, and nothing after a flush") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1, 200, 50);
  REQUIRE(f.spool.sync() == Status::kOk);
  for (uint64_t sequence = 1; sequence <= 190; ++sequence) {
    f.settle(1, sequence);
    REQUIRE(f.spool.sync() == Status::kOk);
  }
  CHECK(f.spool.stats().checkpoints < 8);
  f.remount();
  CHECK(f.spool.stats().waiting_records >= 10);
  CHECK(f.spool.stats().waiting_records <= 10 + 64);
  f.settle(1, 190);
  REQUIRE(f.spool.flush() == Status::kOk);
  f.remount();
  CHECK(f.spool.stats().waiting_records == 10);
}

TEST_CASE("spool: a full or failing medium costs the record that was refused, and no other") {
  for (const Status error : {Status::kFull, Status::kStorageFailed}) {
    for (uint64_t n = 1; n <= 60; ++n) {
      SpoolFixture f(28);
      f.open(1);
      f.flash.fail_write_at(n, error);
      std::vector<uint64_t> accepted;
      std::vector<uint64_t> refused;
      for (uint64_t sequence = 1; sequence <= 40 && f.spool.sync() == Status::kOk; ++sequence) {
        const Status status = f.spool.append(session_id(1), sequence, view(record_bytes(1, sequence, 900)));
        (status == Status::kOk ? accepted : refused).push_back(sequence);
        if (status != Status::kOk) f.spool.note_void(session_id(1), sequence);
      }
      if (f.spool.sync() != Status::kOk) f.remount();
      CHECK(refused.size() <= 1);
      const Names out = delivered(f.spool);
      const std::vector<LossRange> lost_ranges = losses(f.spool);
      for (const uint64_t sequence : accepted) {
        const bool there = std::count(out.begin(), out.end(), "1:" + std::to_string(sequence)) == 1;
        const bool counted = std::any_of(lost_ranges.begin(), lost_ranges.end(), [&](const LossRange& range) {
          return range.first <= sequence && sequence <= range.last;
        });
        CHECK((there || counted));
      }
      CHECK(f.flash.violations() == 0);
    }
  }
}

TEST_CASE("spool: after a failed sync nothing is accepted until mount") {
  SpoolFixture f;
  f.open(1);
  f.append(1, 1);
  f.flash.fail_write_at(1, Status::kStorageFailed);
  CHECK(f.spool.sync() == Status::kStorageFailed);
  CHECK(f.spool.sync() == Status::kStorageFailed);
  CHECK(f.spool.append(session_id(1), 2, view(record_bytes(1, 2, 10))) == Status::kStorageFailed);
  CHECK(f.spool.append_open(session_id(2), view(record_bytes(2, 0, 10))) == Status::kStorageFailed);
  CHECK(f.spool.last_durable(session_id(1)).value() == 0);
  f.remount();
  f.open(2);
}

TEST_CASE("spool: too small, foreign and other media are refused, untouched") {
  FakeFlash small({4096, 20, 1});
  Spool none(small);
  CHECK(none.mount() == Status::kInvalidArgument);
  CHECK(none.append_open(session_id(1), view(record_bytes(1, 0, 10))) == Status::kBadState);

  FakeFlash foreign({4096, 64, 1});
  foreign.fill(0);
  Spool spool(foreign);
  CHECK(spool.mount() == Status::kMalformed);
  CHECK(foreign.writes() == 0);
  REQUIRE(spool.format() == Status::kOk);
  REQUIRE(spool.append_open(session_id(1), view(record_bytes(1, 0, 10))) == Status::kOk);

  FakeFlash larger({4096, 128, 1});
  std::vector<uint8_t> image = foreign.image();
  image.resize(128 * 4096, 0xFF);
  larger.set_image(image);
  Spool other(larger);
  CHECK(other.mount() == Status::kUnsupported);
}

}  // namespace wayseal::test
