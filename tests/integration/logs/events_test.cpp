// SPDX-License-Identifier: Apache-2.0
// Security events as an operator reads them: one schema, and one name for a vehicle in every program's log of a day.
#include <google/protobuf/util/json_util.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <sstream>

#include "event.pb.h"
#include "gateway.hpp"
#include "hostile.hpp"

namespace logs_test {
namespace {

using cloud_test::Output;
using cloud_test::run;
using Event = wayseal::v1::SecurityEvent;

/// Reads the JSON mapping with libprotobuf, which takes no field that the schema lacks.
std::vector<Event> events_of(const std::string& text) {
  std::vector<Event> events;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Event event;
    INFO(line);
    CHECK(google::protobuf::util::JsonStringToMessage(line, &event).ok());
    CHECK(event.schema() == 1);
    CHECK(event.event_id().size() == 16);
    CHECK(event.time_ms() > 1700000000000);
    events.push_back(event);
  }
  return events;
}

std::vector<Event> events(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {WAYSEAL_BACKEND, "events", "--json"});
  const Output output = run(arguments);
  CAPTURE(output.text);
  REQUIRE(output.code == 0);
  return events_of(output.text);
}

std::string token_today(const std::string& config, const std::string& vehicle) {
  const Output output =
      run({WAYSEAL_BACKEND, "tokens", "--config", config, "--vehicle", vehicle, "--days", "2"});
  CAPTURE(output.text);
  REQUIRE(output.code == 0);
  REQUIRE(output.text.size() == 2 * 24);
  CHECK(output.text.substr(11, 12) != output.text.substr(35, 12));  // another name each day
  return output.text.substr(11, 12);
}

}  // namespace

TEST_CASE("an alarm of the backend and a refusal of the gateway are events, about the same name") {
  ::setenv("WAYSEAL_LOG_KEY", kLogKey, 1);
  cloud_test::World world;
  cloud_test::Gateway gateway(world, {"WAYSEAL_RATE_VEHICLE=2"});
  cloud_test::TestVehicle vehicle = world.vehicle();
  cloud_test::v1::SignedPrekeysRequest spoiled;
  REQUIRE(spoiled.ParseFromString(vehicle.prekeys_request(1)));
  spoiled.mutable_signature()->back() = static_cast<char>(spoiled.signature().back() ^ 1);
  CHECK(world.post("/v1/prekeys", vehicle.id(), spoiled.SerializeAsString()).status == 403);
  CHECK(world.alarms("prekeys-not-authentic") == 1);

  gateway.client("own", vehicle.id());
  CHECK(gateway.post("own", "/v1/nothing", "").status == "404");
  CHECK(accepted(gateway.post("own", "/v1/records", "")));
  CHECK(gateway.post("own", "/v1/records", "").status == "429");
  REQUIRE(cloud_test::eventually([&] { return gateway.log().find("\"rate\"") != std::string::npos; }));

  const std::string name = token_today(world.config(), vehicle.id());
  const auto own = events({"--config", world.config()});
  REQUIRE(own.size() == 1);
  CHECK(own[0].kind() == Event::PREKEYS_NOT_AUTHENTIC);
  CHECK(own[0].severity() == Event::ALARM);
  CHECK(own[0].source() == Event::BACKEND);
  CHECK(own[0].subject() == name);
  CHECK(world.log().find("\"security\":{\"eventId\":") != std::string::npos);
  CHECK(events({"--config", world.config(), "--kind", "PREKEY_REUSED"}).empty());

  const auto seen = events({"--gateway-log", gateway.log_path()});
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].kind() == Event::REQUEST_MALFORMED);
  CHECK(seen[0].refusal().status() == 404);
  CHECK(seen[1].kind() == Event::RATE_LIMITED);
  CHECK(seen[1].refusal().reason() == "rate");
  for (const Event& event : seen) CHECK(event.subject() == name);
  CHECK(events({"--gateway-log", gateway.log_path(), "--severity", "ALARM"}).empty());
  CHECK(events({"--gateway-log", gateway.log_path()})[1].event_id() == seen[1].event_id());
  CHECK(run({WAYSEAL_BACKEND, "events", "--config", world.config(), "--kind", "NONE"}).code == 1);
}

TEST_CASE("a backend keeps a number of events, and counts the old ones that it drops") {
  ::setenv("WAYSEAL_LOG_KEY", kLogKey, 1);
  cloud_test::World world;
  cloud_test::TestVehicle vehicle = world.vehicle();
  const std::string database = world.folder() / "backend.db";
  const auto ask = [&](const std::string& sql) {
    const Output output = run({WAYSEAL_SQLITE, "-cmd", ".timeout 5000", database, sql});
    CAPTURE(output.text);
    REQUIRE(output.code == 0);
    return output.text;
  };
  ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO "
      "events(event_id, at_ms, kind, severity, message) SELECT randomblob(16), i, 0, 0, x'' FROM n");
  cloud_test::v1::SignedPrekeysRequest spoiled;
  REQUIRE(spoiled.ParseFromString(vehicle.prekeys_request(1)));
  spoiled.mutable_signature()->back() = static_cast<char>(spoiled.signature().back() ^ 1);
  CHECK(world.post("/v1/prekeys", vehicle.id(), spoiled.SerializeAsString()).status == 403);
  CHECK(ask("SELECT COUNT(*), MIN(at_ms), MAX(kind) FROM events") == "10000|2|206\n");
  CHECK(ask("SELECT value FROM counters WHERE name = 'events_dropped'") == "1\n");
}

TEST_CASE("without a log key a gateway still names vehicles by a hash") {
  ::unsetenv("WAYSEAL_LOG_KEY");
  cloud_test::World world;
  cloud_test::Gateway gateway(world);
  gateway.client("own", "v-logs");
  CHECK(accepted(gateway.post("own", "/v1/records", "")));
  REQUIRE(cloud_test::eventually([&] { return gateway.log().find("\"status\":200") != std::string::npos; }));
  const std::string log = gateway.log();
  const size_t at = log.find("\"vehicle\":\"") + 11;
  CHECK(log.substr(at, 12).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(log[at + 12] == '"');
}

TEST_CASE("a log key that is none stops a program at its start") {
  const Output output = run({"env", "WAYSEAL_LOG_KEY=c2hvcnQ=", WAYSEAL_BACKEND, "tokens", "--database",
                             "/dev/null", "--vehicle", "v"});
  CHECK(output.code == 1);
  CHECK(output.text.find("WAYSEAL_LOG_KEY") != std::string::npos);
  CHECK(output.text.find("c2hvcnQ") == std::string::npos);
}

}  // namespace logs_test
