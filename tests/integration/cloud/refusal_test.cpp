// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "provision/x509.hpp"
#include "world.hpp"

namespace cloud_test {
namespace {

using v1::SessionRefused;
using Plan = TestVehicle::OpenPlan;

Blob some_batch() { return frame(1, batch(1, 1, {1, 2, 3})); }

Plan edited(std::function<void(v1::SessionOpen&)> edit) {
  Plan plan;
  plan.edit = std::move(edit);
  return plan;
}

}  // namespace

TEST_CASE("a SessionOpen that contradicts what was given gets a signed refusal, each time again") {
  World world;
  TestVehicle vehicle = world.vehicle(8);
  struct Case {
    const char* what;
    std::function<void(v1::SessionOpen&)> edit;
    SessionRefused::Reason reason;
  };
  const Case cases[] = {
      {"prekey never made", [](auto& o) { o.set_prekey_id(o.prekey_id() + 1); },
       SessionRefused::REASON_PREKEY_UNKNOWN},
      {"another point", [&](auto& o) { o.set_prekey_point(vehicle.bundle().last_resort().point()); },
       SessionRefused::REASON_BAD_OPEN},
      {"ephemeral off the curve", [](auto& o) { o.set_ephemeral("\x04" + Blob(64, 'x')); },
       SessionRefused::REASON_BAD_OPEN},
      {"a suite that the prekey lacks",
       [](auto& o) {
         o.set_suite(1);
         o.set_offer(3);
       },
       SessionRefused::REASON_SUITE_NOT_ALLOWED},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    const TestSession session = vehicle.open_session(edited(one.edit));
    for (int i = 0; i < 2; ++i) {
      const Delivered delivered = world.deliver(vehicle.id(), {}, {session.open}, {});
      CHECK(refused(delivered, vehicle, session) == one.reason);
      CHECK(delivered.reply.acks_size() == 0);
    }
  }
  CHECK(world.stat("sessions") == 0);
}

TEST_CASE("a restored, older database refuses nothing that the token can still open") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  world.stop_gently();
  const auto sql = [&](const char* statement) {
    return run({WAYSEAL_SQLITE, world.folder() / "backend.db", statement}).code;
  };
  const std::string database = world.folder() / "backend.db";
  REQUIRE(sql("PRAGMA wal_checkpoint(TRUNCATE)") == 0);
  const std::string newest = slurp(database);
  SECTION("made before the prekey was") {
    REQUIRE(sql("DELETE FROM bundle_prekeys; DELETE FROM prekeys") == 0);
  }
  SECTION("made while the prekey was") { REQUIRE(sql("UPDATE prekeys SET state = 0, point = NULL") == 0); }
  SECTION("made before the prekey was given") {
    REQUIRE(sql("DELETE FROM bundles; DELETE FROM bundle_prekeys") == 0);
  }
  world.start();
  const Delivered delivered = world.deliver(vehicle.id(), {}, {session.open}, {});
  CHECK(delivered.reply.refusals_size() == 0);
  CHECK(world.stat("refusals") == 0);
  CHECK(world.stat("sessions") == 0);
  CHECK(world.alarms("prekey-unrecorded") == 1);

  world.stop_gently();
  spill(database, newest);
  world.start();
  CHECK(acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(some_batch())}), session));
}

TEST_CASE("a bundle that nobody knows of opens nothing, and frees nothing while the private half is there") {
  World world;
  TestVehicle vehicle = world.vehicle();
  for (const auto& edit : {edited([](auto& o) { o.set_bundle_digest(Blob(32, 'x')); }),
                           edited([](auto& o) { o.set_backend_certificate_digest(Blob(32, 'x')); })}) {
    const TestSession session = vehicle.open_session(edit);
    const Delivered delivered = world.deliver(vehicle.id(), session.id, {session.open}, {});
    CHECK(delivered.reply.refusals_size() == 0);
    CHECK(delivered.reply.acks_size() == 0);
  }
  CHECK(world.alarms("prekey-unrecorded") == 2);
  CHECK(world.stat("sessions") == 0);
}

TEST_CASE("no more than four refusals are signed in one upload; the rest are when they come again") {
  World world;
  TestVehicle vehicle = world.vehicle(8);
  std::vector<Blob> opens;
  opens.reserve(6);
  for (int i = 0; i < 6; ++i) {
    opens.push_back(
        vehicle.open_session(edited([](auto& o) { o.set_ephemeral("\x04" + Blob(64, 'x')); })).open);
  }
  CHECK(world.deliver(vehicle.id(), {}, opens, {}).reply.refusals_size() == 4);
  CHECK(world.stat("refusals") == 4);
  CHECK(world.deliver(vehicle.id(), {}, {opens[4], opens[5]}, {}).reply.refusals_size() == 2);
}

TEST_CASE("another vehicle's prekey is refused as unknown") {
  World world;
  const TestVehicle other = world.vehicle();
  TestVehicle vehicle = world.vehicle();
  Plan plan;
  plan.prekey = &other.bundle().one_time(0);
  const TestSession session = vehicle.open_session(plan);
  CHECK(refused(world.deliver(vehicle.id(), {}, {session.open}, {}), vehicle, session) ==
        SessionRefused::REASON_PREKEY_UNKNOWN);
}

TEST_CASE("what is not authentic is never refused: a spoiled copy cannot make the vehicle drop its records") {
  World world;
  TestVehicle vehicle = world.vehicle();
  const TestSession session = vehicle.open_session();
  v1::SessionOpen open;
  REQUIRE(open.ParseFromString(session.open));
  std::vector<Blob> spoiled;
  const auto spoil = [&](const std::function<void(v1::SessionOpen&)>& edit) {
    v1::SessionOpen copy = open;
    edit(copy);
    spoiled.push_back(copy.SerializeAsString());
  };
  spoil([](auto& o) { o.mutable_signature()->back() = static_cast<char>(o.signature().back() ^ 1); });
  spoil([](auto& o) { o.set_prekey_id(o.prekey_id() + 1); });
  spoil([](auto& o) { o.set_previous_last_durable(5); });
  spoil([](auto& o) { o.set_offer(3); });
  spoil([](auto& o) { o.clear_signature(); });
  spoil([](auto& o) { o.mutable_chain()->RemoveLast(); });
  spoil([](auto& o) { o.set_version(2); });
  spoil([](auto& o) { o.mutable_nonce()->pop_back(); });
  spoiled.push_back(session.open + Blob(3072, '\x00'));
  spoiled.emplace_back("\x0a\xff");
  const Delivered delivered = world.deliver(vehicle.id(), {}, spoiled, {});
  CHECK(delivered.status == 200);
  CHECK(delivered.reply.refusals_size() == 0);
  CHECK(delivered.reply.acks_size() == 0);
  CHECK(world.stat("sessions") == 0);
  CHECK(acked(world.deliver(vehicle.id(), session.id, {session.open}, {}), session));
}

TEST_CASE("a chain of another role opens no session") {
  World world;
  TestVehicle vehicle = world.vehicle();
  for (const wayseal::Role role : {wayseal::Role::kPrekey, wayseal::Role::kTime}) {
    const Signer impostor = make_signer(Fleet::get().pki(), role, vehicle.id());
    Plan plan;
    plan.signer = &impostor;
    plan.prekey = &vehicle.bundle().one_time(0);
    const TestSession session = vehicle.open_session(plan);
    const Delivered delivered = world.deliver(vehicle.id(), session.id, {session.open}, {});
    CHECK(delivered.reply.refusals_size() == 0);
    CHECK(delivered.reply.acks_size() == 0);
  }
  CHECK(world.alarms("open-not-authentic") == 2);
}

TEST_CASE("a revoked vehicle is refused, and gets no prekeys") {
  World world;
  TestVehicle vehicle = world.vehicle();
  const TestSession session = vehicle.open_session();
  REQUIRE(Fleet::get().pki().revoke(vehicle.id()) == 1);
  Fleet::get().write_crls();
  world.stop_gently();
  world.start();
  CHECK(refused(world.deliver(vehicle.id(), {}, {session.open}, {}), vehicle, session) ==
        SessionRefused::REASON_VEHICLE_REVOKED);
  CHECK(world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1)).status == 403);
}

TEST_CASE("a forged intermediate with a revoked serial number cannot have an honest vehicle refused") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  const auto authority = Fleet::get().pki().certificate("vehicle");
  const std::string serial = wayseal::oem::serial_of(authority.get());
  // The last digit of the serial number becomes another one, so the root's signature breaks; the key stays.
  Blob number;
  for (size_t i = 0; i < serial.size(); i += 2) {
    number += static_cast<char>(std::stoi(serial.substr(i, 2), nullptr, 16));
  }
  v1::SessionOpen open;
  REQUIRE(open.ParseFromString(session.open));
  const size_t at = open.chain(1).find(number);
  REQUIRE(at != Blob::npos);
  number.back() = static_cast<char>(number.back() ^ 1);
  open.mutable_chain(1)->replace(at, number.size(), number);
  std::string revoked = serial.substr(0, serial.size() - 2);
  char digits[3];
  std::snprintf(digits, sizeof digits, "%02X", static_cast<unsigned char>(number.back()));
  revoked += digits;

  std::string lists;
  for (const char* const name : {"data-root", "vehicle", "prekey", "time"}) {
    const auto key = wayseal::oem::read_key(Fleet::get().folder() + "/ca/" + name + ".key");
    const std::vector<std::string> serials =
        std::string(name) == "data-root" ? std::vector<std::string>{revoked} : std::vector<std::string>{};
    lists += wayseal::oem::make_crl(Fleet::get().pki().certificate(name).get(), key.get(), serials, 30);
  }
  world.stop_gently();
  wayseal::oem::write_file(Fleet::get().folder() + "/backend/crl.pem", lists, wayseal::oem::kPublic);
  world.start();
  const Delivered forged = world.deliver(vehicle.id(), {}, {open.SerializeAsString()}, {});
  CHECK(forged.reply.refusals_size() == 0);
  CHECK(world.stat("refusals") == 0);
  CHECK(world.alarms("open-not-authentic") == 1);
  const auto ack =
      acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(some_batch())}), session);
  Fleet::get().write_crls();
  REQUIRE(ack);
  CHECK(ack->contiguous() == 1);
}

TEST_CASE("a rolled-back flash loses nothing: a prekey used twice is accepted and raises an alarm") {
  World world;
  TestVehicle vehicle = world.vehicle();
  Plan plan;
  plan.prekey = &vehicle.bundle().one_time(0);
  plan.counter = 1;
  TestSession first = vehicle.open_session(plan);
  TestSession second = vehicle.open_session(plan);
  REQUIRE(acked(world.deliver(vehicle.id(), first.id, {first.open}, {first.seal(some_batch())}), first));
  CHECK(world.stat("alarms") == 0);
  const auto ack =
      acked(world.deliver(vehicle.id(), second.id, {second.open}, {second.seal(some_batch())}), second);
  REQUIRE(ack);
  CHECK(ack->contiguous() == 1);
  CHECK(world.alarms("prekey-reused") == 1);
  CHECK(world.alarms("counter-reused") == 1);
  CHECK(world.stat("records_stored") == 2);
}

TEST_CASE("sessions that arrive in another order than they were opened raise no alarm") {
  World world;
  TestVehicle vehicle = world.vehicle();
  Plan plan;
  plan.prekey = &vehicle.bundle().one_time(0);
  plan.counter = 1;
  TestSession waiting = vehicle.open_session(plan);
  plan.prekey = &vehicle.bundle().one_time(1);
  plan.counter = 2;
  TestSession living = vehicle.open_session(plan);
  REQUIRE(acked(world.deliver(vehicle.id(), living.id, {living.open}, {living.seal(some_batch())}), living));
  const Delivered late = world.deliver(vehicle.id(), living.id, {waiting.open}, {waiting.seal(some_batch())});
  REQUIRE(acked(late, living, waiting));
  CHECK(world.stat("alarms") == 0);
  CHECK(world.stat("records_stored") == 2);
}

TEST_CASE("the last-resort prekey opens any number of sessions") {
  World world;
  TestVehicle vehicle = world.vehicle(0);
  CHECK(vehicle.bundle().one_time_size() == 0);
  Plan plan;
  plan.prekey = &vehicle.bundle().last_resort();
  for (int i = 0; i < 3; ++i) {
    TestSession session = vehicle.open_session(plan);
    CHECK(
        acked(world.deliver(vehicle.id(), session.id, {session.open}, {session.seal(some_batch())}), session));
  }
  CHECK(world.stat("alarms") == 0);
}

TEST_CASE("a clone is seen: two sessions that name the same predecessor") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession first = vehicle.open_session();
  Plan plan;
  plan.previous = first.id;
  TestSession a = vehicle.open_session(plan);
  TestSession b = vehicle.open_session(plan);
  world.deliver(vehicle.id(), a.id, {first.open, a.open}, {});
  CHECK(world.alarms("forked") == 0);
  CHECK(acked(world.deliver(vehicle.id(), b.id, {b.open}, {}), b));
  CHECK(world.alarms("forked") == 1);
}

TEST_CASE("a session is settled when its successor says so; its prekey is destroyed then") {
  World world;
  TestVehicle vehicle = world.vehicle();
  Plan first_plan;
  first_plan.prekey = &vehicle.bundle().one_time(0);
  TestSession first = vehicle.open_session(first_plan);
  const Blob one = first.seal(some_batch());
  const Blob two = first.seal(some_batch());
  REQUIRE(acked(world.deliver(vehicle.id(), first.id, {first.open}, {one}), first));

  Plan plan;
  plan.prekey = &vehicle.bundle().one_time(1);
  plan.previous = first.id;
  plan.previous_last = 2;
  TestSession living = vehicle.open_session(plan);
  // Its second record has not come yet: the keys have to live.
  REQUIRE(acked(world.deliver(vehicle.id(), living.id, {living.open}, {}), living));
  CHECK(world.stat("sessions_open") == 2);
  CHECK(acked(world.deliver(vehicle.id(), living.id, {}, {two}), living, first)->contiguous() == 2);
  CHECK(world.stat("sessions_open") == 1);

  SECTION("a record again is a duplicate, acknowledged as before") {
    const auto ack = acked(world.deliver(vehicle.id(), living.id, {}, {one}), living, first);
    REQUIRE(ack);
    CHECK(ack->contiguous() == 2);
    CHECK(world.stat("duplicates") == 1);
  }
  SECTION("its prekey opens nothing any more") {
    first_plan.counter = 9;
    const TestSession late = vehicle.open_session(first_plan);
    CHECK(refused(world.deliver(vehicle.id(), living.id, {late.open}, {}), vehicle, late) ==
          SessionRefused::REASON_PREKEY_DESTROYED);
  }
  SECTION("a new record of it is not taken") {
    CHECK(acked(world.deliver(vehicle.id(), living.id, {}, {first.seal(some_batch())}), living, first)
              ->contiguous() == 2);
    CHECK(world.stat("not_opened") == 1);
  }
  SECTION("and all this after a restart as well") {
    world.kill_hard();
    world.start();
    CHECK(acked(world.deliver(vehicle.id(), living.id, {first.open}, {one}), living, first)->contiguous() == 2);
  }
}

TEST_CASE("a session whose end is known by its successor alone is settled when that arrives first") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession first = vehicle.open_session();
  const Blob one = first.seal(some_batch());
  Plan plan;
  plan.previous = first.id;
  plan.previous_last = 1;
  TestSession living = vehicle.open_session(plan);
  REQUIRE(acked(world.deliver(vehicle.id(), living.id, {living.open}, {}), living));
  REQUIRE(acked(world.deliver(vehicle.id(), living.id, {first.open}, {one}), living, first));
  CHECK(world.stat("sessions_open") == 1);
}

}  // namespace cloud_test
