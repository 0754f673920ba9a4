// SPDX-License-Identifier: Apache-2.0
// Every access is written down before its answer leaves; logs hold none of what was shared.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <sstream>

#include "rig.hpp"

namespace partners_test {

TEST_CASE("the list of accesses names who read what, with every refusal, and in the order of time") {
  Rig rig;
  const Partner partner = rig.partner();
  const Partner other = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  const std::string grant = rig.grant(partner, {vehicle}, {"Engine.Speed", "Engine.Temp"});
  rig.get(partner, signals_of(vehicle, "?since=2023-11-14T22:13:20Z&name=Engine.Speed"));
  rig.get(other, signals_of(vehicle), "b");
  rig.get(partner, signals_of(vehicle, "?name=Body.Door"));
  rig.get(partner, signals_of(vehicle, "?since=yesterday"));
  rig.get(partner, "/v1/share/vehicles");
  const json all = rig.accesses();
  REQUIRE(all.size() == 5);
  CHECK(all[0]["partner"] == partner.name);
  CHECK(all[0]["vehicle"] == vehicle);
  CHECK(all[0]["outcome"] == "given");
  CHECK(all[0]["count"] == 3);
  CHECK(all[0]["grants"] == grant);
  CHECK(all[0]["purposes"] == "a test");
  CHECK(all[0]["signals"] == "Engine.Speed");
  CHECK(all[0]["since"] == "2023-11-14T22:13:20.000000Z");
  CHECK(all[0]["kid"] == partner.name + "-one");
  CHECK(all[1]["partner"] == other.name);
  CHECK(all[1]["outcome"] == "no_grant");
  CHECK(all[1]["count"] == 0);
  CHECK(all[1]["certificate"] != all[0]["certificate"]);
  CHECK(all[2]["outcome"] == "signal");
  CHECK(all[2]["name"] == "Body.Door");
  CHECK(all[3]["outcome"] == "parameters");
  CHECK(all[4]["route"] == "vehicles");
  CHECK(all[4]["count"] == 1);
  // What an owner may ask for: this vehicle, whoever it was.
  CHECK(rig.accesses({"--vehicle", vehicle}).size() == 4);
  CHECK(rig.accesses({"--partner", other.name}).size() == 1);
  CHECK(rig.accesses({"--vehicle", "v-nobody"}).empty());
  const std::string table = rig.share_log({"--vehicle", vehicle}).text;
  CHECK(table.find("a test") != std::string::npos);
  CHECK(table.find("no_grant") != std::string::npos);
}

TEST_CASE("what cannot be written down is not shared, and is shared when it can") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  const auto sql = [&](const std::string& text) {
    return run({WAYSEAL_SQLITE, rig.world.folder() / "accesses.db", text}).code;
  };
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "200");
  REQUIRE(sql("CREATE TRIGGER full BEFORE INSERT ON accesses BEGIN SELECT RAISE(FAIL, 'disk is full'); END;") ==
          0);
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "unavailable");
  CHECK(rig.outcome(rig.get(partner, "/v1/share/vehicles")) == "unavailable");
  CHECK(rig.outcome(rig.get(partner, signals_of("v-nobody"))) == "unavailable");
  CHECK(rig.share_log_text().find("disk is full") != std::string::npos);
  REQUIRE(sql("DROP TRIGGER full;") == 0);
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "200");
  CHECK(rig.accesses().size() == 2);
}

TEST_CASE("accesses outlive a kill of the process, and so do cursors") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  const std::string cursor = rig.read(partner, signals_of(vehicle))["cursor"];
  rig.share().stop(9);
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "unavailable");
  rig.start_share();
  CHECK(rig.accesses().size() == 1);
  const json next = rig.read(partner, signals_of(vehicle, "?cursor=" + cursor));
  CHECK(next["samples"].empty());
  CHECK(next["more"] == false);
}

TEST_CASE("no log has a vehicle, a value, a token or a key in it") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  const std::string token = rig.token(partner);
  const std::string bearer = "Authorization: Bearer " + token + "\r\n";
  const Reply answer = rig.request(partner, "GET", signals_of(vehicle, "?since=2001-02-03T04:05:06Z"), bearer);
  REQUIRE(rig.outcome(answer) == "200");
  CHECK(rig.outcome(rig.request(partner, "GET", signals_of(vehicle, "?x=1"), bearer)) == "bad-request");
  CHECK(rig.outcome(rig.request(partner, "GET", "/v1/share/vehicles/" + vehicle, bearer)) == "not-found path");
  CHECK(rig.outcome(rig.request(partner, "GET", "/V1/share/" + vehicle, bearer)) == "not-found path");
  const json payload = rig.open(partner, answer.body)["payload"];
  const std::string signature = token.substr(token.rfind('.') + 1);
  for (const std::string& log : {rig.share_log_text(), rig.gateway_log(), rig.idp_log()}) {
    CHECK_FALSE(log.empty());
    for (const std::string& secret :
         {vehicle, partner.name, signature, std::string("999.75"), std::string("Engine"),
          std::string("2001-02"), answer.body.substr(answer.body.size() - 20),
          payload["access"].get<std::string>()}) {
      CAPTURE(secret, log);
      CHECK(log.find(secret) == std::string::npos);
    }
  }
  // Yet the operator can follow one partner and one vehicle through the log.
  std::set<std::string> partners;
  std::set<std::string> vehicles;
  std::istringstream lines(rig.share_log_text());
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line);
    if (entry.at("event") != "access") continue;
    partners.insert(entry.at("partner").get<std::string>());
    vehicles.insert(entry.at("vehicle").get<std::string>());
  }
  CHECK(partners.size() == 1);
  CHECK(vehicles.size() == 1);
  CHECK(vehicles.begin()->size() == 12);
}

}  // namespace partners_test
