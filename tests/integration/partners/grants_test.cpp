// SPDX-License-Identifier: Apache-2.0
// How sharing ends: by time, by withdrawal, by a change of owner; and that nobody outside can tell which it was.
#include <catch2/catch_test_macros.hpp>

#include "rig.hpp"

namespace partners_test {
namespace {

std::string last_outcome(const Rig& rig, const Partner& partner) {
  return rig.accesses({"--partner", partner.name}).back()["outcome"];
}

}  // namespace

TEST_CASE("a grant that has ended, has not begun or was withdrawn gives what a stranger's vehicle gives") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  const std::string nobody = rig.get(partner, signals_of("v-nobody")).body;
  CHECK(last_outcome(rig, partner) == "no_grant");
  const auto refused = [&](const char* why) {
    const Reply reply = rig.get(partner, signals_of(vehicle));
    CHECK(rig.outcome(reply) == "not-found");
    CHECK(reply.body == nobody);
    CHECK(last_outcome(rig, partner) == why);
    CHECK(rig.read(partner, "/v1/share/vehicles")["vehicles"].empty());
  };
  rig.grant(partner, {vehicle}, {"Engine.Speed"}, "2023-11-14", "2024-01-01");
  refused("expired");
  rig.grant(partner, {vehicle}, {"Engine.Speed"}, "2080-01-01", "2090-01-01");
  refused("not_yet");
  const std::string good = rig.grant(partner, {vehicle}, {"Engine.Speed"});
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "200");
  REQUIRE(rig.oem({"revoke", "--name", partner.name, "--grant", good}).code == 0);
  refused("not_yet");
}

TEST_CASE("a change of owner ends every grant, and later ones give nothing from before") {
  Rig rig;
  const Partner partner = rig.partner();
  cloud_test::TestVehicle vehicle = rig.vehicle();
  const std::string other = rig.vehicle().id();
  rig.grant(partner, {vehicle.id(), other}, {"Engine.Speed"});
  const std::string cursor = rig.read(partner, signals_of(vehicle.id()))["cursor"];
  REQUIRE(rig.oem({"owner", "--vehicle", vehicle.id()}).code == 0);
  const std::string nobody = rig.get(partner, signals_of("v-nobody")).body;
  CHECK(rig.get(partner, signals_of(vehicle.id())).body == nobody);
  CHECK(last_outcome(rig, partner) == "owner");
  CHECK(rig.get(partner, signals_of(vehicle.id(), "?cursor=" + cursor)).body == nobody);
  CHECK(rig.read(partner, signals_of(other))["samples"].size() == 3);
  CHECK(rig.read(partner, "/v1/share/vehicles")["vehicles"].size() == 1);

  // The new owner agrees; what the vehicle did under the old one stays closed, even when it arrives only now.
  rig.grant(partner, {vehicle.id()}, {"Engine.Speed"});
  rig.deliver(vehicle, kBaseUs + 60000000, {4, 8});
  CHECK(rig.read(partner, signals_of(vehicle.id()))["samples"].empty());
  constexpr int64_t kLaterUs = 4000000000 * int64_t{1000000};  // 2096 is too late for the grant
  rig.deliver(vehicle, kLaterUs, {4});
  rig.deliver(vehicle, 3000000000 * int64_t{1000000}, {12, 16});  // 2065
  const json samples = rig.read(partner, signals_of(vehicle.id()))["samples"];
  REQUIRE(samples.size() == 2);
  CHECK(samples[1]["value"] == 4);
}

TEST_CASE("the commands for a vehicle's owner and end of service end its sharing as well") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = json::parse(slurp(rig.fleet() + "/wayseal-fleet.json")).at("vehicles")[0];
  for (const char* const command : {"change-owner", "decommission"}) {
    CAPTURE(command);
    rig.grant(partner, {vehicle}, {"Engine.Speed"});
    CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "200");
    const cloud_test::Output done = run({WAYSEAL_OEM, command, "--out", rig.fleet(), "--vehicle", vehicle});
    INFO(done.text);
    CHECK(done.code == 0);
    CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "not-found");
    CHECK(last_outcome(rig, partner) == "owner");
  }
}

TEST_CASE("a partner that was withdrawn gets no token, no data, and loses its open connection") {
  Rig rig;
  const Partner partner = rig.partner();
  const Partner neighbour = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  rig.grant(neighbour, {vehicle}, {"Engine.Speed"});
  const std::string question = "GET " + signals_of(vehicle) +
                               " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + rig.token(partner) +
                               "\r\n\r\n";
  Connection open = rig.connect(partner);
  REQUIRE(rig.outcome(open.ask(question)) == "200");
  REQUIRE(rig.oem({"revoke", "--name", partner.name}).code == 0);
  // Before the gateway knows: the share process and the provider know already.
  CHECK(rig.outcome(open.ask(question)) == "forbidden");
  CHECK(rig.ask_token(partner).status == 401);
  REQUIRE(rig.revoke_at_gateway().code == 0);
  CHECK(rig.outcome(open.ask(question)) == "revoked revoked");
  CHECK(open.ask(question).status == 0);
  CHECK(rig.outcome(rig.ask_token(partner)) == "revoked revoked");
  CHECK(rig.outcome(rig.get(neighbour, signals_of(vehicle))) == "200");
  CHECK(last_outcome(rig, partner) == "no_partner");
}

TEST_CASE("a partner without a key is told so, and a file of partners that is broken shares nothing") {
  Rig rig;
  const Partner partner = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  const std::string file = rig.fleet() + "/share/partners.json";
  const std::string good = slurp(file);
  const auto with = [&](const std::string& text) {
    wayseal::oem::write_file(file, text, wayseal::oem::kSecret);
    const std::string outcome = rig.outcome(rig.get(partner, signals_of(vehicle)));
    wayseal::oem::write_file(file, good, wayseal::oem::kSecret);
    return outcome;
  };
  json spoilt = json::parse(good);
  json& entry = spoilt["partners"][partner.name];
  const json key = entry["key"];
  entry["key"] = nullptr;
  CHECK(with(spoilt.dump()) == "no-key");
  entry["key"] = key;
  CHECK(with(spoilt.dump()) == "200");
  CHECK(with("{") == "unavailable");
  CHECK(with("{\"partners\":{}}") == "unavailable");
  entry["key"]["x"] = entry["key"]["y"];
  CHECK(with(spoilt.dump()) == "unavailable");
  entry["key"] = key;
  entry["key"]["d"] = key["x"];
  CHECK(with(spoilt.dump()) == "unavailable");
  entry["key"] = key;
  entry["grants"][0]["vehicles"]["v-everything/.."] = 0;
  CHECK(with(spoilt.dump()) == "unavailable");
  CHECK(rig.outcome(rig.get(partner, signals_of(vehicle))) == "200");
}

TEST_CASE("the operator's commands refuse what would be a mistake, and say why") {
  Rig rig;
  const Partner partner = rig.partner();
  const auto says = [](const cloud_test::Output& output, const char* text) {
    INFO(output.text);
    CHECK(output.code != 0);
    CHECK(output.text.find(text) != std::string::npos);
  };
  says(rig.oem({"add", "--name", partner.name}), "already");
  says(rig.oem({"add", "--name", "a/b"}), "1 to 32 characters");
  says(rig.oem({"add", "--name", ".."}), "1 to 32 characters");
  says(rig.oem({"key", "--name", partner.name, "--jwk", partner.file("one.jwk")}), "private half");
  says(rig.oem({"key", "--name", "nobody", "--jwk", partner.file("one.pub.jwk")}), "no partner 'nobody'");
  json jwk = json::parse(slurp(partner.file("one.pub.jwk")));
  const auto key = [&](const char* name, const json& value) {
    json spoilt = jwk;
    spoilt[name] = value;
    spill(partner.file("spoilt"), spoilt.dump());
    return rig.oem({"key", "--name", partner.name, "--jwk", partner.file("spoilt")});
  };
  says(key("x", jwk["y"]), "no point");
  says(key("y", "AAAA"), "32 bytes");
  says(key("crv", "P-384"), "P-256");
  says(key("kid", "a b"), "kid");
  const Partner other = rig.partner();
  says(rig.oem({"certificate", "--name", partner.name, "--request", other.file("a.csr"), "--to",
                partner.file("c.pem")}),
       "subject CN=");
  const auto grant = [&](const std::string& vehicle, const std::string& signal, const std::string& expires) {
    return rig.oem({"grant", "--name", partner.name, "--vehicle", vehicle, "--signal", signal, "--purpose", "x",
                    "--expires", expires});
  };
  says(grant("v 1", "Engine.Speed", "2090-01-01"), "no vehicle id");
  says(grant("v-1", "Speed", "2090-01-01"), "Message.Signal");
  says(grant("v-1", "Engine.*", "2090-01-01"), "Message.Signal");
  says(grant("v-1", "Engine.Speed", "2090-02-30"), "no time");
  says(grant("v-1", "Engine.Speed", "2020-01-01"), "before it begins");
  says(rig.oem({"revoke", "--name", partner.name, "--grant", "g-1"}), "no grant");
  says(rig.oem({"revoke", "--name", partner.name, "--certificate", other.serial[0]}), "no certificate");
  CHECK(rig.oem({"revoke"}).code == 0);
  CHECK(rig.oem({"list"}).text.find(partner.name + "  key " + partner.name + "-one") != std::string::npos);
}

}  // namespace partners_test
