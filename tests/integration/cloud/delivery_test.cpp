// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

#include "world.hpp"

namespace cloud_test {
namespace {

Blob some_batch(int64_t number) {
  return frame(1, batch(1, 1000000 * number, {number, number + 1, number + 1}));
}

std::vector<Blob> seal_many(TestSession& session, int count) {
  std::vector<Blob> records;
  records.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) records.push_back(session.seal(some_batch(i)));
  return records;
}

Blob loss_report(const std::function<void(v1::LossReport&)>& edit) {
  v1::LossReport report;
  report.set_epoch(7);
  edit(report);
  return frame(2, report.SerializeAsString());
}

void add_range(v1::LossReport& report, const TestSession& session, uint64_t first, uint64_t last,
               uint64_t count) {
  auto* range = report.add_ranges();
  range->set_session_id(session.id);
  range->set_first(first);
  range->set_last(last);
  range->set_count(count);
  range->set_cause(v1::LossRange::CAUSE_EVICTED);
}

}  // namespace

TEST_CASE("records are stored once and acknowledged under the session's own key") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto records = seal_many(session, 5);
  const Delivered delivered = world.deliver(vehicle.id(), session.id, {session.open}, records);
  REQUIRE(delivered.status == 200);
  const auto ack = acked(delivered, session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 5);
  CHECK(ack->beyond().empty());
  CHECK(world.stat("records_stored") == 5);
  CHECK(world.stat("samples") == 15);
  CHECK(world.stat("duplicates") == 0);
  CHECK(world.stat("sessions") == 1);
  CHECK(world.stat("alarms") == 0);

  SECTION("again: the same ack, and nothing is stored twice") {
    const auto repeated = acked(world.deliver(vehicle.id(), session.id, {session.open}, records), session);
    REQUIRE(repeated);
    CHECK(repeated->contiguous() == 5);
    CHECK(world.stat("records_stored") == 5);
    CHECK(world.stat("duplicates") == 5);
  }
  SECTION("nothing at all still brings what is stored") {
    const auto repeated = acked(world.deliver(vehicle.id(), session.id, {}, {}), session);
    REQUIRE(repeated);
    CHECK(repeated->contiguous() == 5);
  }
}

TEST_CASE("no two acks share a nonce") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  std::set<Blob> nonces;
  for (int i = 0; i < 20; ++i) {
    const Delivered delivered = world.deliver(vehicle.id(), session.id, {session.open}, {});
    REQUIRE(delivered.reply.acks_size() == 1);
    v1::Sealed sealed;
    REQUIRE(sealed.ParseFromString(delivered.reply.acks(0)));
    CHECK(nonces.insert(sealed.header().substr(26)).second);
  }
}

TEST_CASE("what came out of order is named beyond the gap, bit by bit") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto records = seal_many(session, 300);
  const auto ack = acked(world.deliver(vehicle.id(), session.id, {session.open},
                                       {records[0], records[2], records[9], records[299]}),
                         session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 1);
  // 3 is bit 0, 10 is bit 7; 300 lies further than 32 bytes can say.
  CHECK(ack->beyond() == Blob("\x81", 1));
  const auto whole = acked(world.deliver(vehicle.id(), session.id, {}, records), session);
  REQUIRE(whole);
  CHECK(whole->contiguous() == 300);
  CHECK(whole->beyond().empty());
}

TEST_CASE("a spoiled record settles nothing, and the true one is taken afterwards") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob record = session.seal(some_batch(1));
  v1::Sealed sealed;
  REQUIRE(sealed.ParseFromString(record));
  std::vector<Blob> bad;
  for (const size_t at : {size_t{0}, sealed.ciphertext().size() - 1}) {
    v1::Sealed spoiled = sealed;
    (*spoiled.mutable_ciphertext())[at] = static_cast<char>(spoiled.ciphertext()[at] ^ 1);
    bad.push_back(spoiled.SerializeAsString());
  }
  v1::Sealed renumbered = sealed;
  renumbered.mutable_header()->back() = 2;  // the sequence is under the tag
  bad.push_back(renumbered.SerializeAsString());
  v1::Sealed shorter = sealed;
  shorter.mutable_ciphertext()->resize(15);
  bad.push_back(shorter.SerializeAsString());

  const auto ack = acked(world.deliver(vehicle.id(), session.id, {session.open}, bad), session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 0);
  CHECK(ack->beyond().empty());
  CHECK(world.stat("records_stored") == 0);
  CHECK(world.stat("not_authentic") == 3);
  CHECK(world.alarms("record-not-authentic") == 3);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {}, {record}), session)->contiguous() == 1);
}

TEST_CASE("malformed items are skipped without harm to the others") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob good = session.seal(some_batch(1));
  v1::Sealed sealed;
  REQUIRE(sealed.ParseFromString(session.seal(some_batch(2))));
  v1::Sealed version = sealed;
  (*version.mutable_header())[0] = 2;
  v1::Sealed long_header = sealed;
  long_header.mutable_header()->append(12, '\0');
  Blob padded = frame(1, "x");
  padded.back() = 1;
  const Blob bad_padding = session.seal(padded, 3);
  const Blob too_long = session.seal(Blob("\x01\xff\xff", 3), 4);
  const Blob wrong_direction = session.seal(frame(64, "x"), 5);
  const Blob number_zero = session.seal(some_batch(1), 0);
  const auto ack =
      acked(world.deliver(vehicle.id(), session.id, {session.open},
                          {"\xff", "", version.SerializeAsString(), long_header.SerializeAsString(),
                           bad_padding, too_long, wrong_direction, number_zero, good}),
            session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 1);
  CHECK(ack->beyond().empty());
  CHECK(world.stat("malformed") == 8);
  CHECK(world.stat("records_stored") == 1);
}

TEST_CASE("an authentic content of an unknown type is kept unread and settled") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto ack = acked(
      world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(frame(9, "from a newer vehicle"))}),
      session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 1);
  CHECK(world.stat("unknown_type") == 1);
  CHECK(world.stat("records_stored") == 1);
}

TEST_CASE("two authentic records under one number raise an alarm, and the first one stays") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob first = session.seal(some_batch(1), 1);
  const Blob second = session.seal(some_batch(2), 1);
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open}, {first}), session));
  CHECK(world.alarms("two-records-one-number") == 0);
  SECTION("in different uploads") { world.deliver(vehicle.id(), session.id, {}, {second}); }
  SECTION("and in one upload") { world.deliver(vehicle.id(), session.id, {}, {first, second}); }
  CHECK(world.alarms("two-records-one-number") == 1);
  CHECK(world.stat("records_stored") == 1);
}

TEST_CASE("a record of an unknown session waits for its SessionOpen") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob record = session.seal(some_batch(1));
  const Delivered early = world.deliver(vehicle.id(), session.id, {}, {record});
  CHECK(early.status == 200);
  CHECK(early.reply.acks_size() == 0);
  REQUIRE(early.reply.open_wanted_size() == 1);
  CHECK(early.reply.open_wanted(0) == session.id);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {session.open}, {record}), session)->contiguous() == 1);
}

TEST_CASE("one vehicle's records and sessions are not taken from another") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestVehicle thief = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob record = session.seal(some_batch(1));
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open}, {}), session));

  const Delivered stolen = world.deliver(thief.id(), session.id, {session.open}, {record});
  CHECK(stolen.reply.acks_size() == 0);
  CHECK(stolen.reply.refusals_size() == 0);
  CHECK(world.alarms("wrong-vehicle") == 1);
  CHECK(world.stat("records_stored") == 0);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {}, {record}), session)->contiguous() == 1);
}

TEST_CASE("an ack under one session names the others that the upload touched") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession old_session = vehicle.open_session();
  auto records = seal_many(old_session, 3);
  TestVehicle::OpenPlan plan;
  plan.previous = old_session.id;
  plan.previous_last = 3;
  TestSession living = vehicle.open_session(plan);
  records.push_back(living.seal(some_batch(9)));
  const Delivered delivered = world.deliver(vehicle.id(), living.id, {old_session.open, living.open}, records);
  CHECK(acked(delivered, living, old_session)->contiguous() == 3);
  CHECK(acked(delivered, living, living)->contiguous() == 1);
  CHECK_FALSE(acked(delivered, old_session, old_session));  // not under its key
}

TEST_CASE("a loss report settles what it names, and absence is on record") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto records = seal_many(session, 10);
  const Blob report = session.seal(loss_report([&](v1::LossReport& r) {
    add_range(r, session, 2, 4, 3);
    r.set_batches_dropped(2);
    r.set_samples_dropped(17);
    auto* bus = r.add_buses();
    bus->set_frames(1000);
    bus->set_frames_dropped(5);
  }));
  const auto ack = acked(
      world.deliver(vehicle.id(), session.id, {session.open}, {records[0], records[4], records[6], report}),
      session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 5);            // 1 and 5 stored, 2 to 4 settled
  CHECK(ack->beyond() == Blob("\x11", 1));  // 7 is bit 0, 11 is bit 4
  CHECK(world.stat("records_lost") == 3);
  CHECK(world.stat("batches_dropped") == 2);
  CHECK(world.stat("samples_dropped") == 17);
  CHECK(world.stat("frames") == 1000);
  CHECK(world.stat("frames_dropped") == 5);
}

TEST_CASE("a merged loss range settles only when all its other records have come") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto records = seal_many(session, 6);
  // 2 and 5 are lost, 3 and 4 are still in the spool.
  const Blob report = session.seal(loss_report([&](v1::LossReport& r) { add_range(r, session, 2, 5, 2); }));
  CHECK(
      acked(world.deliver(vehicle.id(), session.id, {session.open}, {records[0], records[5], report}), session)
          ->contiguous() == 1);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {}, {records[2]}), session)->contiguous() == 1);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {}, {records[3]}), session)->contiguous() == 7);
}

TEST_CASE("a merged loss range settles although a record that was reported lost comes all the same") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto records = seal_many(session, 6);
  const Blob report = session.seal(loss_report([&](v1::LossReport& r) { add_range(r, session, 2, 5, 2); }));
  // 2 was reported lost with 5, but it was on its way already.
  CHECK(acked(world.deliver(vehicle.id(), session.id, {session.open},
                            {records[0], records[1], records[2], records[3], records[5], report}),
              session)
            ->contiguous() == 7);
}

TEST_CASE("losses without a session add up although the vehicle counts anew after each acknowledged report") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  TestSession forgotten = session;
  forgotten.id = Blob(16, '\0');
  const auto report = [&](uint64_t count) {
    return session.seal(loss_report([&](v1::LossReport& r) { add_range(r, forgotten, 0, 0, count); }));
  };
  // 5, then 7 with the same 5 in it; acknowledged; 3 new ones.
  const Blob five = report(5);
  const Blob seven = report(7);
  const Blob three = report(3);
  const Blob absurd = report(UINT64_MAX);
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open}, {three, five, seven}), session));
  CHECK(world.stat("records_lost") == 10);
  world.deliver(vehicle.id(), session.id, {}, {five, three, absurd});
  CHECK(world.stat("records_lost") == 10);
}

TEST_CASE("a vehicle's absurd numbers make no other number absurd") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  v1::Batch late;
  REQUIRE(late.ParseFromString(batch(1, INT64_MAX - 5, {1})));
  late.set_time_quality(v1::Batch::TIME_TRUSTED);
  late.set_utc_offset_us(INT64_MAX);
  const auto dropped = [&](uint64_t epoch) {
    return session.seal(loss_report([&](v1::LossReport& r) {
      r.set_epoch(epoch);
      r.set_batches_dropped(INT64_MAX);
      r.set_samples_dropped(1);
      r.add_buses()->set_frames(UINT64_MAX);
    }));
  };
  const auto ack =
      acked(world.deliver(vehicle.id(), session.id, {session.open},
                          {session.seal(frame(1, late.SerializeAsString())), dropped(1), dropped(3)}),
            session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 3);
  CHECK(world.stat("undecodable") == 1);
  CHECK(world.stat("batches_dropped") > 0);
  CHECK(world.stat("samples_dropped") == 2);
  CHECK(world.stat("frames") > 0);
}

TEST_CASE("an open session outlives the expiry of its prekey") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  REQUIRE(
      acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(some_batch(1))}), session));
  world.stop_gently();
  REQUIRE(run({WAYSEAL_SQLITE, world.folder() / "backend.db", "UPDATE prekeys SET expires_ms = 1"}).code == 0);
  world.start();  // with maintenance at once
  const auto ack = acked(world.deliver(vehicle.id(), session.id, {}, {session.seal(some_batch(2))}), session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 2);
  const Output states =
      run({WAYSEAL_SQLITE, world.folder() / "backend.db", "SELECT COUNT(*) FROM prekeys WHERE state = 1"});
  CHECK(states.text == "1\n");
}

TEST_CASE("loss ranges that make no sense settle nothing") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob report = session.seal(loss_report([&](v1::LossReport& r) {
                                     add_range(r, session, 0, 4, 5);
                                     add_range(r, session, 5, 4, 1);
                                     add_range(r, session, 1, 3, 4);
                                     add_range(r, session, 1, UINT64_MAX, UINT64_MAX);
                                     r.add_ranges()->set_session_id("short");
                                   }),
                                   9);
  const auto ack = acked(world.deliver(vehicle.id(), session.id, {session.open}, {report}), session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 0);
  CHECK(ack->beyond() == Blob("\x80", 1));
}

TEST_CASE("invariant 5: exactly once") {
  // Everything arrives several times, in any order, in uploads of any size, while the backend is killed and
  // started
  // again. Whatever an ack has named must be there; in the end everything is there once.
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  constexpr int kRecords = 200;
  const auto records = seal_many(session, kRecords);
  std::mt19937 random(20261122);
  uint64_t acknowledged = 0;
  int kills = 0;
  for (int round = 0; acknowledged < kRecords || kills < 6; ++round) {
    REQUIRE(round < 200);
    std::vector<Blob> upload;
    const auto size = 1 + random() % 60;
    for (size_t i = 0; i < size; ++i) upload.push_back(records[random() % kRecords]);
    if (round > 30) upload = records;
    if (round % 6 == 5) {
      // The answer races with the kill: it may or may not come, the records may or may not be stored.
      v1::Upload message;
      message.set_ack_session(session.id);
      for (const Blob& record : upload) message.add_items()->set_sealed(record);
      const Blob body = message.SerializeAsString();
      Process sender(
          {WAYSEAL_CURL, "-s", "--unix-socket", world.socket(), "-H", "x-vehicle-id: " + vehicle.id(), "-H",
           "Content-Type: application/x-protobuf", "--data-binary",
           "@" +
               [&] {
                 spill(world.folder() / "body", body);
                 return world.folder() / "body";
               }(),
           "http://backend/v1/records"},
          world.folder() / "curl");
      world.kill_hard();
      ++kills;
      sender.wait();
      world.start();
      continue;
    }
    const auto ack = acked(world.deliver(vehicle.id(), session.id, {session.open}, upload), session);
    REQUIRE(ack);
    CHECK(ack->contiguous() >= acknowledged);
    acknowledged = ack->contiguous();
    // An ack is a promise: as many are stored, now and after any crash.
    CHECK(static_cast<uint64_t>(world.stat("records_stored")) >= acknowledged);
  }
  CHECK(world.stat("records_stored") == kRecords);
  CHECK(world.stat("samples") == kRecords * 3);
  CHECK(world.stat("duplicates") > 0);
  const Output rows =
      run({WAYSEAL_SQLITE, world.folder() / "backend.db",
           "SELECT COUNT(*), COUNT(DISTINCT sequence), MIN(sequence), MAX(sequence) FROM records"});
  CHECK(rows.text == "200|200|1|200\n");
  CHECK(world.stat("alarms") == 0);
}

TEST_CASE("a session goes on after the backend was killed: its keys come from the prekey again") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  REQUIRE(
      acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(some_batch(1))}), session));
  world.kill_hard();
  world.start();
  const auto ack = acked(world.deliver(vehicle.id(), session.id, {}, {session.seal(some_batch(2))}), session);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 2);
}

TEST_CASE("logs name no vehicle and no session, and hold no payload") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const Blob canary = "CANARY-IN-A-CONTENT";
  Blob forged = session.seal(frame(5, canary));
  forged.back() = static_cast<char>(forged.back() ^ 1);
  REQUIRE(
      acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(frame(5, canary)), forged}),
            session));
  CHECK(world.stop_gently() == 0);
  const std::string log = world.log() + world.output();
  CHECK(log.find("session-open") != std::string::npos);
  CHECK(log.find("record-not-authentic") != std::string::npos);
  CHECK(log.find(vehicle.id()) == std::string::npos);
  CHECK(log.find(canary) == std::string::npos);
  for (size_t at = 0; at < log.size();) {
    const size_t end = log.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = log.substr(at, end - at);
    if (line.rfind("wayseal-backend:", 0) != 0) CHECK(nlohmann::json::accept(line));
    at = end + 1;
  }
}

}  // namespace cloud_test
