// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <set>

#include "world.hpp"

namespace cloud_test {
namespace {

std::set<uint64_t> one_time_ids(const TestVehicle& vehicle) {
  std::set<uint64_t> ids;
  for (const auto& prekey : vehicle.bundle().one_time()) ids.insert(prekey.id());
  return ids;
}

int64_t now_ms() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

TEST_CASE("a vehicle gets prekeys that name it, and signed time, each by its own role") {
  World world;
  TestVehicle vehicle = Fleet::get().make_vehicle();
  const HttpReply reply = world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(5));
  REQUIRE(reply.status == 200);
  CHECK(reply.head.find("Content-Type: application/x-protobuf") != std::string::npos);
  vehicle.take(reply.body);

  CHECK(vehicle.bundle().version() == 1);
  CHECK(vehicle.bundle().vehicle_id() == vehicle.id());
  CHECK(vehicle.bundle().challenge() == vehicle.challenge());
  CHECK(vehicle.bundle().one_time_size() == 5);
  CHECK(one_time_ids(vehicle).size() == 5);
  CHECK(one_time_ids(vehicle).count(vehicle.bundle().last_resort().id()) == 0);
  for (const auto& prekey : vehicle.bundle().one_time()) {
    CHECK(prekey.id() != 0);
    CHECK(prekey.point().size() == 65);
    CHECK(prekey.suites() == 2);  // what SoftHSM2 can do
    CHECK(prekey.expires_ms() > now_ms() + 20LL * 86400 * 1000);
  }

  v1::PrekeysReply parsed;
  REQUIRE(parsed.ParseFromString(reply.body));
  REQUIRE(verifies_signed(parsed.time(), "wayseal/1 time"));
  CHECK(parsed.time().chain(0) != parsed.bundle().chain(0));
  v1::TimeStatement time;
  REQUIRE(time.ParseFromString(parsed.time().body()));
  CHECK(time.challenge() == vehicle.challenge());
  CHECK(std::abs(time.utc_ms() - now_ms()) < 5000);
}

TEST_CASE("prekeys that were never used are given again before new ones are made") {
  World world;
  TestVehicle vehicle = world.vehicle(3);
  const auto first = one_time_ids(vehicle);
  const uint64_t last_resort = vehicle.bundle().last_resort().id();
  world.fetch(vehicle, 5);
  auto second = one_time_ids(vehicle);
  CHECK(second.size() == 5);
  for (const uint64_t id : first) CHECK(second.count(id) == 1);
  CHECK(vehicle.bundle().last_resort().id() == last_resort);
}

TEST_CASE("a used prekey is not given again") {
  World world;
  TestVehicle vehicle = world.vehicle(2);
  const uint64_t used = vehicle.bundle().one_time(0).id();
  TestSession session = vehicle.open_session();
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open}, {}), session));
  world.fetch(vehicle, 2);
  CHECK(one_time_ids(vehicle).count(used) == 0);
  CHECK(one_time_ids(vehicle).size() == 2);
}

TEST_CASE("unused prekeys of a vehicle are capped") {
  World world({{"prekeys_unused_max", 3}, {"prekeys_per_request", 64}});
  TestVehicle vehicle = world.vehicle(64);
  CHECK(vehicle.bundle().one_time_size() == 3);
  world.fetch(vehicle, 64);
  CHECK(vehicle.bundle().one_time_size() == 3);
}

TEST_CASE("nobody gets prekeys in another vehicle's name, by another role, or with a spoiled signature") {
  World world;
  TestVehicle vehicle = Fleet::get().make_vehicle();
  TestVehicle other = Fleet::get().make_vehicle();

  CHECK(world.post("/v1/prekeys", other.id(), vehicle.prekeys_request(1)).status == 403);
  const auto lie = [&](v1::PrekeysRequest& request) { request.set_vehicle_id(other.id()); };
  CHECK(world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1, lie)).status == 403);
  CHECK(world.post("/v1/prekeys", other.id(), vehicle.prekeys_request(1, lie)).status == 403);

  for (const wayseal::Role role : {wayseal::Role::kPrekey, wayseal::Role::kTime}) {
    TestVehicle impostor(vehicle.id(), make_signer(Fleet::get().pki(), role, vehicle.id()));
    CHECK(world.post("/v1/prekeys", vehicle.id(), impostor.prekeys_request(1)).status == 403);
  }

  v1::SignedPrekeysRequest spoiled;
  REQUIRE(spoiled.ParseFromString(vehicle.prekeys_request(1)));
  spoiled.mutable_signature()->back() = static_cast<char>(spoiled.signature().back() ^ 1);
  CHECK(world.post("/v1/prekeys", vehicle.id(), spoiled.SerializeAsString()).status == 403);
  CHECK(world.alarms("wrong-vehicle") == 3);
  CHECK(world.alarms("prekeys-not-authentic") == 3);
  CHECK(world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1)).status == 200);
}

TEST_CASE("a request that does not parse or is out of range is a 400") {
  World world;
  TestVehicle vehicle = Fleet::get().make_vehicle();
  CHECK(world.post("/v1/prekeys", vehicle.id(), "\x0a\xff\xff").status == 400);
  CHECK(world.post("/v1/prekeys", vehicle.id(), "").status == 400);
  const auto bad = [&](const std::function<void(v1::PrekeysRequest&)>& edit) {
    return world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1, edit)).status;
  };
  CHECK(bad([](auto& request) { request.set_version(2); }) == 400);
  CHECK(bad([](auto& request) { request.set_challenge("short"); }) == 400);
  CHECK(bad([](auto& request) { request.set_wanted(65); }) == 400);
  CHECK(bad([](auto& request) { request.set_suites(0); }) == 400);
}

TEST_CASE("a vehicle without a common suite gets the time all the same, and no bundle") {
  World world;
  TestVehicle vehicle = Fleet::get().make_vehicle();
  const auto suite_1_only = [](auto& request) { request.set_suites(1); };  // the token lacks HKDF
  const auto answer = world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1, suite_1_only));
  REQUIRE(answer.status == 200);
  v1::PrekeysReply reply;
  REQUIRE(reply.ParseFromString(answer.body));
  CHECK(reply.has_time());
  CHECK_FALSE(reply.has_bundle());
}

TEST_CASE("two sessions at once do not get the same prekey ids across vehicles") {
  World world;
  const TestVehicle a = world.vehicle(8);
  const TestVehicle b = world.vehicle(8);
  auto ids = one_time_ids(a);
  for (const uint64_t id : one_time_ids(b)) CHECK(ids.insert(id).second);
}

}  // namespace cloud_test
