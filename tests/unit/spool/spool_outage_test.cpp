// SPDX-License-Identifier: Apache-2.0
// A medium that fails at any one operation of a day's work, for good or once.
#include <algorithm>
#include <functional>
#include <set>

#include "unit/spool/spool_fixture.hpp"

namespace wayseal::test {
namespace {

using Number = std::pair<uint32_t, uint64_t>;  // session, sequence

constexpr uint32_t kBlocks = 28;  // four segments, the least there may be
constexpr size_t kSize = 900;

/// What must be accounted for: records that a sync has covered, without those that were let go on purpose.
struct Book {
  std::set<Number> durable;
  std::set<Number> let_go;
  std::vector<Status> statuses;

  Status note(Status status) {
    statuses.push_back(status);
    return status;
  }
  void settle(Spool& spool, uint32_t session, uint64_t through) {
    for (uint64_t sequence = 1; sequence <= through; ++sequence) let_go.insert({session, sequence});
    static_cast<void>(note(spool.settle(session_id(session), through, {})));
  }
};

void append(Spool& spool, Book& book, uint32_t session, uint64_t first, uint64_t last) {
  std::set<Number> accepted;
  for (uint64_t sequence = first; sequence <= last; ++sequence) {
    const Status status =
        book.note(spool.append(session_id(session), sequence, view(record_bytes(session, sequence, kSize))));
    if (status == Status::kOk) {
      accepted.insert({session, sequence});
    } else {
      spool.note_void(session_id(session), sequence);
    }
    if (sequence % 5 == 0 && book.note(spool.sync()) == Status::kOk) {
      book.durable.insert(accepted.begin(), accepted.end());
    }
  }
}

/// Two sessions of earlier lives, with a gap and a refusal in the ledger.
std::vector<uint8_t> earlier_lives(Book& book) {
  SpoolFixture f(kBlocks);
  f.open(1);
  append(f.spool, book, 1, 1, 10);
  f.open(2);
  append(f.spool, book, 2, 1, 10);
  f.spool.note_void(session_id(2), 11);
  append(f.spool, book, 2, 12, 20);
  REQUIRE(f.spool.flush() == Status::kOk);
  return f.flash.image();
}

void read_everything(Spool& spool, Book& book) {
  SpoolCursor cursor;
  SpoolEntry entry;
  std::vector<uint8_t> bytes(kRecordMax);
  while (book.note(spool.next(cursor, entry)) == Status::kOk) {
    static_cast<void>(book.note(spool.read(entry, {bytes.data(), bytes.size()})));
  }
}

void report_losses(Spool& spool, Book& book, uint32_t session, uint64_t sequence) {
  std::vector<LossRange> ranges(kLossRangesMax);
  const LossSnapshot snapshot = spool.losses({ranges.data(), ranges.size()});
  ranges.resize(snapshot.count);
  if (book.note(spool.append(session_id(session), sequence, view(record_bytes(session, sequence, kSize)))) !=
      Status::kOk) {
    return;
  }
  spool.losses_reported(snapshot.token, session_id(session), sequence);
  for (const LossRange& range : ranges) {
    for (uint64_t lost = range.first; lost <= range.last; ++lost) {
      book.let_go.insert({load_le32(range.session.data), lost});
    }
  }
  book.settle(spool, session, sequence);
}

/// Mounts, seals more than there is room for, sends, and takes acks, a refusal and a report's ack.
void day(Spool& spool, Book& book) {
  if (book.note(spool.mount()) != Status::kOk) return;
  if (book.note(spool.append_open(session_id(3), view(record_bytes(3, 0, 500)))) != Status::kOk) return;
  append(spool, book, 3, 1, 50);
  read_everything(spool, book);
  book.settle(spool, 2, 10);
  report_losses(spool, book, 3, 51);
  for (uint64_t sequence = 1; sequence <= 10; ++sequence) book.let_go.insert({1, sequence});
  static_cast<void>(book.note(spool.refuse(session_id(1))));
  static_cast<void>(book.note(spool.probe()));
  append(spool, book, 3, 52, 90);
  static_cast<void>(book.note(spool.flush()));
}

/// Every durable record is there or counted. The spool is that of the next life.
void check_accounted(const Spool& spool, const std::vector<std::string>& there, const Book& book) {
  const std::vector<LossRange> lost_ranges = losses(spool);
  for (const Number& number : book.durable) {
    if (book.let_go.count(number) != 0) continue;
    const std::string name = std::to_string(number.first) + ":" + std::to_string(number.second);
    const bool found = std::find(there.begin(), there.end(), name) != there.end();
    const bool counted = std::any_of(lost_ranges.begin(), lost_ranges.end(), [&](const LossRange& range) {
      return range.session == session_id(number.first) && range.first <= number.second &&
             number.second <= range.last;
    });
    INFO(name);
    CHECK((found || counted));
  }
}

/// One fault is one: what the operation struck did not use up is taken back.
void forget_single_faults(FakeFlash& flash) {
  flash.fail_read_at(0, Status::kOk);
  flash.fail_write_at(0, Status::kOk);
}

/// Runs the day with a fault at its n-th operation, for ever larger n, until the day ends before it. `arm` sets
/// the flash up so that `strike` runs at that operation. \return how many days had their fault.
int days_with(const std::function<void(FakeFlash&)>& strike) {
  Book before;
  const std::vector<uint8_t> image = earlier_lives(before);
  int days = 0;
  for (uint64_t n = 1;; n += 1 + n / 40) {
    FakeFlash flash({4096, kBlocks, 8});
    flash.set_image(image);
    Book book = before;
    uint64_t calls = 0;
    flash.on_call = [&] {
      if (++calls == n) strike(flash);
      if (calls == n + 1) forget_single_faults(flash);
    };
    Spool spool(flash);
    day(spool, book);
    flash.on_call = nullptr;
    flash.fail_all_writes({});
    flash.make_unreadable(0, 0);
    forget_single_faults(flash);
    if (calls < n) return days;
    ++days;
    INFO("operation " << n);
    for (const Status status : book.statuses) {
      const bool told = status == Status::kOk || status == Status::kStorageFailed ||
                        status == Status::kNotFound || status == Status::kMalformed ||
                        status == Status::kBadState;
      CHECK(told);
    }
    Spool next(flash);
    REQUIRE(next.mount() == Status::kOk);
    const std::vector<std::string> there = delivered(next);
    check_accounted(next, there, book);
    CHECK(flash.violations() == 0);
  }
}

}  // namespace

TEST_CASE("spool: a medium that dies at any operation has lost nothing durable when it comes back") {
  const int days = days_with([](FakeFlash& flash) {
    flash.fail_all_writes(Status::kStorageFailed);
    flash.make_unreadable(0, uint64_t{kBlocks} * 4096);
  });
  CHECK(days > 100);
}

TEST_CASE("spool: one operation that fails, whichever it is, costs nothing that is not counted") {
  const int days = days_with([](FakeFlash& flash) {
    flash.fail_read_at(1, Status::kStorageFailed);
    flash.fail_write_at(1, Status::kStorageFailed);
  });
  CHECK(days > 100);
}

TEST_CASE("spool: before mount every call is refused") {
  FakeFlash flash({4096, kBlocks, 8});
  Spool spool(flash);
  SpoolCursor cursor;
  SpoolEntry entry;
  uint8_t byte[1] = {};
  CHECK(spool.next(cursor, entry) == Status::kBadState);
  CHECK(spool.read(entry, byte) == Status::kBadState);
  CHECK(spool.find_open(session_id(1), entry) == Status::kBadState);
  CHECK(spool.settle(session_id(1), 1, {}) == Status::kBadState);
  CHECK(spool.refuse(session_id(1)) == Status::kBadState);
  CHECK(spool.probe() == Status::kBadState);
  CHECK(spool.flush() == Status::kBadState);
  CHECK(spool.sync() == Status::kBadState);
  spool.note_void(session_id(1), 1);
  CHECK(spool.stats().voided == 0);
}

TEST_CASE("spool: an entry that is not read in time, or into too little room, gives nothing") {
  SpoolFixture f(kBlocks);
  f.open(1);
  f.append(1, 1);
  REQUIRE(f.spool.sync() == Status::kOk);
  SpoolCursor cursor;
  SpoolEntry entry;
  REQUIRE(f.spool.next(cursor, entry) == Status::kOk);
  std::vector<uint8_t> bytes(entry.size);
  CHECK(f.spool.read(entry, {bytes.data(), bytes.size() - 1}) == Status::kBufferTooSmall);
  SpoolEntry beyond = entry;
  beyond.position += 1U << 20;
  CHECK(f.spool.read(beyond, {bytes.data(), bytes.size()}) == Status::kNotFound);
  f.append(1, 2, 200, kSize);  // goes round: the first record is gone
  REQUIRE(f.spool.next(cursor, entry) == Status::kOk);
  CHECK(f.spool.stats().evicted > 0);
}

TEST_CASE("spool: a void that no session may have is not noted") {
  SpoolFixture f;
  f.open(1);
  f.spool.note_void(session_id(1), 0);
  f.spool.note_void(session_id(1), kSessionRecordsMax + 1);
  CHECK(lost(f.spool) == 0);
  f.spool.note_void(session_id(1), 1);
  CHECK(lost(f.spool) == 1);
}

}  // namespace wayseal::test
