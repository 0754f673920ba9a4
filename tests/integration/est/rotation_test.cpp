// SPDX-License-Identifier: Apache-2.0
// The OEM's own keys are replaced while vehicles come and go.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>

#include "rig.hpp"

using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;
using namespace est_test;

namespace {

/// One step, done twice: the second time changes nothing that anybody would notice.
std::string step(const Rig& rig, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "rotate");
  const Output first = rig.oem(arguments);
  INFO(first.text);
  REQUIRE(first.code == 0);
  const std::string crl = slurp(rig.fleet() + "/gateway/vehicle-ca.pem");
  const std::string server = slurp(rig.fleet() + "/gateway/server.pem");
  REQUIRE(rig.oem(arguments).code == 0);
  CHECK(slurp(rig.fleet() + "/gateway/vehicle-ca.pem") == crl);
  if (arguments[1] != "gateway-certificate") CHECK(slurp(rig.fleet() + "/gateway/server.pem") == server);
  CHECK(run({WAYSEAL_GATEWAY_CHECK, rig.fleet() + "/gateway"}).code == 0);
  return first.text;
}

std::string refused(const Rig& rig, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "rotate");
  const Output output = rig.oem(arguments);
  CHECK(output.code == 1);
  return output.text;
}

/// Both certificates for a vehicle by its own or its bootstrap identity; leaves client files NAME-tls and NAME-e2e.
void enrol_both(Rig& rig, const std::string& client, const std::string& operation, const std::string& name) {
  for (const std::string label : {"tls", "e2e"}) {
    rig.make_key(name + "-" + label);
    REQUIRE(rig.enrol(client, label + "/" + operation, rig.csr(name + "-" + label, rig.vehicle())) == "200");
    rig.client_of_answer(name + "-" + label, name + "-" + label);
  }
}

std::string deliver(Rig& rig, const std::string& name) {
  return rig.deliver(name + "-tls", rig.signer_of(name + "-e2e"));
}

std::string issuer(const Rig& rig, const std::string& client) {
  return describe(slurp(rig.file(client)), {"-issuer"});
}

}  // namespace

TEST_CASE("the vehicles' authorities are replaced while vehicles deliver under both") {
  Rig rig;
  rig.start_backend();
  rig.bootstrap_client("boot", rig.vehicle());
  enrol_both(rig, "boot", "simpleenroll", "old");
  CHECK(deliver(rig, "old") == "stored");
  CHECK(holds(refused(rig, {"vehicle-ca", "--switch"}), "prepared"));

  CHECK(holds(step(rig, {"vehicle-ca"}), "--switch"));
  CHECK(holds(refused(rig, {"vehicle-ca", "--finish"}), "--switch comes first"));
  rig.make_key("during");
  REQUIRE(rig.enrol("old-tls", "tls/simplereenroll", rig.csr("during", rig.vehicle())) == "200");
  CHECK(describe(rig.leaf(), {"-issuer"}) == "issuer=CN = OEM vehicle TLS\n");
  rig.restart_gateway();
  rig.restart_backend();
  CHECK(deliver(rig, "old") == "stored");

  CHECK(holds(step(rig, {"vehicle-ca", "--switch"}), "--finish"));
  CHECK(cloud_test::slurp(rig.fleet() + "/est/issuers/issuers.json") ==
        "{\"tls\":\"tls-2\",\"e2e\":\"vehicle-2\"}\n");
  CHECK_FALSE(std::filesystem::exists(rig.fleet() + "/est/issuers/tls.pem"));
  CHECK(holds(refused(rig, {"vehicle-ca"}), "--finish comes first"));
  // No server was started again, and an answer that was lost before is still the one of the old authority.
  REQUIRE(rig.enrol("old-tls", "tls/simplereenroll", rig.csr("during", rig.vehicle())) == "200");
  CHECK(describe(rig.leaf(), {"-issuer"}) == "issuer=CN = OEM vehicle TLS\n");
  CHECK(rig.certificates().size() == 2);
  enrol_both(rig, "old-tls", "simplereenroll", "new");
  CHECK(issuer(rig, "new-tls") == "issuer=CN = OEM vehicle TLS 2\n");
  CHECK(issuer(rig, "new-e2e") == "issuer=CN = OEM data vehicle 2\n");
  CHECK(deliver(rig, "new") == "stored");
  CHECK(deliver(rig, "old") == "stored");
  REQUIRE(rig.get("new-tls", "e2e/cacerts").status == "200");
  CHECK(rig.certificates().size() == 3);

  CHECK(holds(refused(rig, {"vehicle-ca", "--finish"}), "still good"));
  CHECK(holds(step(rig, {"vehicle-ca", "--finish", "--force"}), "revoked"));
  rig.restart_gateway();
  rig.restart_backend();
  CHECK(deliver(rig, "new") == "stored");
  CHECK(deliver(rig, "old") == "prekeys 000");
  CHECK(rig.deliver("new-tls", rig.signer_of("old-e2e")) == "prekeys 403");
  REQUIRE(rig.get("new-tls", "tls/cacerts").status == "200");
  CHECK(rig.certificates().size() == 2);
  // And once more: generations go on.
  CHECK(holds(step(rig, {"vehicle-ca"}), "--switch"));
  CHECK(std::filesystem::exists(rig.fleet() + "/ca/tls-3.pem"));
}

TEST_CASE("a new gateway authority reaches vehicles before it is used, signed by the root they have") {
  Rig rig;
  rig.tls_client("own", rig.vehicle());
  const std::string trusted = slurp(rig.fleet() + "/gateway/gateway-ca.pem");
  CHECK(holds(refused(rig, {"gateway-ca", "--switch"}), "prepared"));
  CHECK(holds(step(rig, {"gateway-ca", "--finish"}), "0 old"));

  CHECK(holds(step(rig, {"gateway-ca"}), "--switch"));
  REQUIRE(rig.get("own", "gateway/cacerts").status == "200");
  const auto anchors = rig.certificates();
  REQUIRE(anchors.size() == 2);
  spill(rig.file("anchor.pem"), anchors[1]);
  CHECK(holds(
      run({WAYSEAL_OPENSSL, "verify", "-CAfile", rig.fleet() + "/ca/data-root.pem", rig.file("anchor.pem")})
          .text,
      ": OK"));
  CHECK(describe(anchors[1], {"-subject"}) == "subject=CN = OEM gateway CA 2\n");
  CHECK(holds(describe(anchors[1], {"-ext", "basicConstraints,extendedKeyUsage"}), "CA:TRUE, pathlen:0"));
  CHECK(holds(describe(anchors[1], {"-ext", "extendedKeyUsage"}), "TLS Web Server Authentication\n"));
  CHECK(holds(refused(rig, {"gateway-ca", "--finish"}), "--switch comes first"));

  const auto connects_with = [&](const std::string& ca) {
    spill(rig.file("ca.pem"), ca);
    return run({WAYSEAL_CURL, "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", rig.file("ca.pem"),
                "--cert", rig.file("own"),
                "https://localhost:" + std::to_string(rig.port()) + kEst + "tls/cacerts"})
        .text;
  };
  CHECK(connects_with(trusted) == "200");
  CHECK(holds(step(rig, {"gateway-ca", "--switch"}), "--finish"));
  rig.restart_gateway();
  CHECK(holds(refused(rig, {"gateway-ca"}), "--finish comes first"));
  CHECK(connects_with(trusted) == "000");
  CHECK(connects_with(trusted + anchors[1] + slurp(rig.fleet() + "/ca/data-root.pem")) == "200");
  CHECK(connects_with(slurp(rig.fleet() + "/gateway/gateway-ca.pem")) == "200");
  CHECK(holds(step(rig, {"gateway-ca", "--finish"}), "Nothing is left"));
  REQUIRE(rig.get("own", "gateway/cacerts").status == "200");
  CHECK(rig.certificates().size() == 1);
}

TEST_CASE("the gateway's certificate is replaced with the names that it had, or with new ones") {
  Rig rig;
  const auto names = [&] {
    return describe(slurp(rig.fleet() + "/gateway/server.pem"), {"-ext", "subjectAltName"});
  };
  const std::string before = slurp(rig.fleet() + "/gateway/server.pem");
  const std::string had = names();
  CHECK(holds(step(rig, {"gateway-certificate"}), "reload the gateways"));
  CHECK(slurp(rig.fleet() + "/gateway/server.pem") != before);
  CHECK(names() == had);
  rig.tls_client("own", rig.vehicle());
  rig.restart_gateway();
  CHECK(rig.get("own", "tls/cacerts").status == "200");
  REQUIRE(rig.oem({"rotate", "gateway-certificate", "--server-name", "localhost", "::1"}).code == 0);
  const std::string other = names();
  CHECK(holds(other, "IP Address:0:0:0:0:0:0:0:1"));
  REQUIRE(rig.oem({"rotate", "gateway-certificate"}).code == 0);
  CHECK(names() == other);
}

TEST_CASE("the backend's prekey identity is replaced, and sessions of before go on") {
  Rig rig;
  rig.start_backend();
  rig.bootstrap_client("boot", rig.vehicle());
  enrol_both(rig, "boot", "simpleenroll", "own");
  auto signer = rig.signer_of("own-e2e");
  cloud_test::TestVehicle vehicle(rig.vehicle(), std::move(signer));
  REQUIRE(rig.at_the_vehicles_gateway("own-tls", "/v1/prekeys", vehicle.prekeys_request(2)) == "200");
  vehicle.take(slurp(rig.file("reply")));  // a vehicle that then drives through a tunnel for a while

  const std::string identity = GENERATE(as<std::string>(), "prekey", "time");
  for (int i = 0; i < 2; ++i) {
    const Output output = rig.oem({"rotate", "backend", "--identity", identity});
    INFO(output.text);
    REQUIRE(output.code == 0);
  }
  rig.restart_backend();
  cloud_test::TestSession session = vehicle.open_session();
  cloud_test::v1::Upload upload;
  upload.set_ack_session(session.id);
  upload.add_items()->set_session_open(session.open);
  upload.add_items()->set_sealed(session.seal(cloud_test::frame(1, cloud_test::batch(1, 1000000, {1, 2, 3}))));
  REQUIRE(rig.at_the_vehicles_gateway("own-tls", "/v1/records", upload.SerializeAsString()) == "200");
  cloud_test::v1::UploadReply reply;
  REQUIRE(reply.ParseFromString(slurp(rig.file("reply"))));
  REQUIRE(reply.acks_size() == 1);
  CHECK(session.open_ack(reply.acks(0)));
  CHECK(reply.refusals_size() == 0);
  CHECK(deliver(rig, "own") == "stored");  // with a bundle that the new key has signed
}

TEST_CASE("a rotation in the backend's token that was broken off goes on where it was") {
  Rig rig;
  const std::string module = json::parse(slurp(rig.fleet() + "/wayseal-fleet.json"))["module"];
  std::string pin = slurp(rig.fleet() + "/backend/pin");
  pin.pop_back();
  const auto tool = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{"/usr/bin/env", "SOFTHSM2_CONF=" + rig.fleet() + "/backend/softhsm2.conf",
                                     "pkcs11-tool",  "--module",
                                     module,         "--token-label",
                                     "backend",      "--login",
                                     "--pin",        pin};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
  };
  SECTION("the new key was made") {
    REQUIRE(
        tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "prekey-next", "--id", "01"}).code ==
        0);
  }
  SECTION("the old certificate was removed as well") {
    REQUIRE(
        tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "prekey-next", "--id", "01"}).code ==
        0);
    REQUIRE(tool({"--delete-object", "--type", "privkey", "--label", "prekey"}).code == 0);
    REQUIRE(tool({"--delete-object", "--type", "cert", "--label", "prekey"}).code == 0);
  }
  const Output output = rig.oem({"rotate", "backend"});
  INFO(output.text);
  REQUIRE(output.code == 0);
  CHECK_FALSE(holds(tool({"--list-objects"}).text, "prekey-next"));
  rig.start_backend();
}
