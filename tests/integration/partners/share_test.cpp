// SPDX-License-Identifier: Apache-2.0
// What a partner gets: what it was granted, sealed for its key, page after page; while its certificates and keys change.
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "rig.hpp"

namespace partners_test {
namespace {

json values_of(const json& samples) {
  json values = json::array();
  for (const json& sample : samples) values.push_back(sample.at("value"));
  return values;
}

std::set<std::string> names_of(const json& samples) {
  std::set<std::string> names;
  for (const json& sample : samples) names.insert(sample.at("signal").get<std::string>());
  return names;
}

}  // namespace

TEST_CASE("a partner reads what it was granted and nothing else, sealed for its key") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string granted = rig.vehicle().id();
  const std::string foreign = rig.vehicle().id();
  const std::string grant = rig.grant(partner, {granted}, {"Engine.Speed"});

  const Reply answer = rig.get(partner, signals_of(granted));
  REQUIRE(rig.outcome(answer) == "200");
  CHECK(answer.head.find("content-type: application/jose") != std::string::npos);
  CHECK(answer.head.find("cache-control: no-store") != std::string::npos);
  CHECK(answer.head.find("server:") == std::string::npos);
  // Long enough that base64 does not make them by chance.
  for (const char* const plain : {"Engine", "Speed", "999.75"}) {
    CHECK(answer.body.find(plain) == std::string::npos);
  }

  const json opened = rig.open(partner, answer.body);
  INFO(opened.dump());
  REQUIRE(opened.contains("payload"));
  CHECK(opened["header"]["alg"] == "ECDH-ES+A256KW");
  CHECK(opened["header"]["enc"] == "A256GCM");
  CHECK(opened["header"]["cty"] == "json");
  CHECK(opened["header"]["kid"] == partner.name + "-one");
  CHECK(opened["header"]["epk"]["crv"] == "P-256");
  const json& payload = opened["payload"];
  CHECK(payload["vehicle"] == granted);
  CHECK(payload["signals"] == json{"Engine.Speed"});
  CHECK(payload["grants"][0]["id"] == grant);
  CHECK(payload["more"] == false);
  // What the operator sees with the backend's own tool.
  const json stored = rig.stored(granted, "Engine.Speed");
  REQUIRE(stored.size() == 3);
  REQUIRE(payload["samples"].size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(payload["samples"][i]["value"] == stored[i]["value"]);
    CHECK(payload["samples"][i]["time"] == stored[i]["time"]);
    CHECK(payload["samples"][i]["unit"] == "rpm");
    CHECK(payload["samples"][i]["signal"] == "Engine.Speed");
  }

  // A second tool opens it to the same; another key does not, neither the partner's second nor another partner's.
  CHECK(json::parse(rig.open_by_cli(partner, answer.body).text) == payload);
  CHECK(rig.open(partner, answer.body, "two").contains("failed"));
  CHECK(rig.open_by_cli(partner, answer.body, "two").code != 0);
  std::string spoilt = answer.body;
  spoilt[spoilt.size() / 2] = spoilt[spoilt.size() / 2] == 'A' ? 'B' : 'A';
  CHECK(rig.open(partner, spoilt).contains("failed"));

  const json list = rig.read(partner, "/v1/share/vehicles");
  REQUIRE(list["vehicles"].size() == 1);
  CHECK(list["vehicles"][0]["vehicle"] == granted);
  CHECK(list["vehicles"][0]["grants"][0]["signals"] == json{"Engine.Speed"});
  CHECK(list["vehicles"][0]["grants"][0]["purpose"] == "a test");
  CHECK(list["more"] == false);

  // A foreign vehicle, a foreign signal and what does not exist look the same, to the byte.
  const std::string nobody = rig.get(partner, signals_of("v-nobody")).body;
  CHECK(rig.outcome(rig.get(partner, signals_of(foreign))) == "not-found");
  CHECK(rig.get(partner, signals_of(foreign)).body == nobody);
  CHECK(rig.get(partner, signals_of(granted, "?name=Engine.Temp")).body == nobody);
  CHECK(rig.get(partner, signals_of(granted, "?name=No.Signal")).body == nobody);
  CHECK(rig.outcome(rig.get(partner, signals_of(granted, "?name=Engine.Speed"))) == "200");
}

TEST_CASE("several grants add up, each with its own signals and time") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Temp"});
  // Body.Door comes two seconds after the beginning, Engine.Speed at it.
  rig.grant(partner, {vehicle}, {"Body.Door", "Engine.Speed"}, "2023-11-14T22:13:21Z");
  const json samples = rig.read(partner, signals_of(vehicle))["samples"];
  CHECK(names_of(samples) == std::set<std::string>{"Body.Door", "Engine.Temp"});
  CHECK(samples.size() == 6);
  const json later = rig.read(partner, signals_of(vehicle, "?since=2023-11-14T22:13:22Z"))["samples"];
  CHECK(values_of(later) == json{1, 2, 3});
  const json earlier =
      rig.read(partner, signals_of(vehicle, "?since=2000-01-01T00:00:00Z&until=2023-11-14T22:13:22Z"));
  CHECK(names_of(earlier["samples"]) == std::set<std::string>{"Engine.Temp"});
  CHECK(earlier["since"] == "2023-11-14T00:00:00.000000Z");
  CHECK(rig.read(partner, signals_of(vehicle, "?name=Body.Door"))["samples"].size() == 3);
}

TEST_CASE("pages follow each other without gap and without repeat, and late data comes behind") {
  Rig rig;
  const Partner partner = rig.partner();
  cloud_test::TestVehicle vehicle = rig.vehicle();
  std::vector<int64_t> values;
  for (int i = 0; i < 2500; ++i) values.push_back(i * 4);
  rig.deliver(vehicle, kBaseUs + 10000000, values);
  rig.grant(partner, {vehicle.id()}, {"Engine.Speed"});

  json all = json::array();
  std::string cursor;
  const auto next = [&] {
    const json page = rig.read(partner, signals_of(vehicle.id(), cursor.empty() ? "" : "?cursor=" + cursor));
    all.insert(all.end(), page["samples"].begin(), page["samples"].end());
    cursor = page["cursor"];
    CHECK(page["samples"].size() <= 1000);
    return page["more"].get<bool>();
  };
  int pages = 1;
  while (next()) ++pages;
  CHECK(pages == 3);
  const json stored = rig.stored(vehicle.id(), "Engine.Speed");
  REQUIRE(stored.size() == 2503);
  CHECK(values_of(all) == values_of(stored));

  CHECK_FALSE(next());
  CHECK(all.size() == 2503);
  rig.deliver(vehicle, kBaseUs - 50000000, {40, 44});  // older than all that was read
  CHECK_FALSE(next());
  REQUIRE(all.size() == 2505);
  CHECK(all.back().at("value") == 11);

  // A cursor is its partner's and its vehicle's, and continues what was asked for.
  const Partner other = rig.partner();
  rig.grant(other, {vehicle.id()}, {"Engine.Speed"});
  const std::string second = rig.vehicle().id();
  rig.grant(partner, {second}, {"Engine.Speed"});
  CHECK(rig.outcome(rig.get(other, signals_of(vehicle.id(), "?cursor=" + cursor))) == "bad-request");
  CHECK(rig.outcome(rig.get(partner, signals_of(second, "?cursor=" + cursor))) == "bad-request");
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle.id(), "?cursor=" + std::string(32, '0')))) ==
        "bad-request");
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle.id(), "?cursor=" + cursor))) == "200");
}

TEST_CASE("two certificates of a partner overlap, and the old one ends by itself alone") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  const std::string target = signals_of(vehicle);
  CHECK(rig.outcome(rig.get(partner, target, "a")) == "200");
  CHECK(rig.outcome(rig.get(partner, target, "b")) == "200");
  // A token is its certificate's, also between the two of one partner.
  const std::string bearer = "Authorization: Bearer " + rig.token(partner, "a") + "\r\n";
  CHECK(rig.outcome(rig.request(partner, "GET", target, bearer, "", "b")) == "token-invalid cnf");

  Connection old = rig.connect(partner, "a");
  const std::string question = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + bearer + "\r\n";
  CHECK(rig.outcome(old.ask(question)) == "200");
  REQUIRE(rig.oem({"revoke", "--name", partner.name, "--certificate", partner.serial[0]}).code == 0);
  const cloud_test::Output revoked = rig.revoke_at_gateway();
  INFO(revoked.text);
  REQUIRE(revoked.code == 0);
  const Reply refused = old.ask(question);
  CHECK(rig.outcome(refused) == "revoked revoked");
  CHECK(refused.head.find("connection: close") != std::string::npos);
  CHECK(old.ask(question).status == 0);
  CHECK(rig.outcome(rig.get(partner, target, "b")) == "200");
  rig.restart_gateway();  // has the list now, and ends it in the handshake
  CHECK(rig.outcome(rig.request(partner, "GET", target, bearer, "", "a")) == "none");
  CHECK(rig.outcome(rig.get(partner, target, "b")) == "200");
}

TEST_CASE("answers are sealed for the partner's new key as soon as it is registered") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  CHECK(rig.open(partner, rig.get(partner, signals_of(vehicle)).body, "one").contains("payload"));
  rig.use_key(partner, "two");
  const Reply answer = rig.get(partner, signals_of(vehicle));
  const json opened = rig.open(partner, answer.body, "two");
  REQUIRE(opened.contains("payload"));
  CHECK(opened["header"]["kid"] == partner.name + "-two");
  CHECK(opened["payload"]["samples"].size() == 3);
  CHECK(rig.open(partner, answer.body, "one").contains("failed"));
  CHECK(rig.accesses({"--partner", partner.name}).back()["kid"] == partner.name + "-two");
}

}  // namespace partners_test
