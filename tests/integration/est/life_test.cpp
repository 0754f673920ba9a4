// SPDX-License-Identifier: Apache-2.0
// What becomes of identities and vehicles: superseded, decommissioned, sold; and fleets from before all this.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "rig.hpp"

using cloud_test::eventually;
using cloud_test::slurp;
using cloud_test::spill;
using namespace est_test;

namespace {

/// A new certificate of a label for the first vehicle; leaves client file NAME.
void renew(Rig& rig, const std::string& client, const std::string& label, const std::string& name) {
  rig.make_key(name);
  REQUIRE(rig.enrol(client, label + "/simplereenroll", rig.csr(name, rig.vehicle())) == "200");
  rig.client_of_answer(name, name);
}

void shift(const Rig& rig, const std::string& what) {
  REQUIRE(cloud_test::run({WAYSEAL_SQLITE, rig.fleet() + "/est/register.db", "UPDATE identities SET " + what})
              .code == 0);
}

}  // namespace

TEST_CASE("an old certificate is superseded when the new one was seen in use, and long enough ago") {
  Rig rig;
  rig.start_backend();
  rig.tls_client("own", rig.vehicle());
  renew(rig, "own", "tls", "next");
  const auto supersede = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"identities", "supersede"});
    const Output output = rig.oem(more);
    REQUIRE(output.code == 0);
    return output.text;
  };
  const auto ended = [&](std::vector<std::string> more) {
    const std::string text = supersede(std::move(more));
    return text.substr(0, text.find(" certificates are superseded"));
  };
  // `own` was shown when it asked for `next`: so it has replaced what the vehicle was made with, and nobody has seen `next`.
  CHECK(holds(supersede({"--grace-days", "0"}), "\n1 certificates are superseded"));
  CHECK(ended({"--grace-days", "0"}) == "0");
  // It is used at the vehicles' gateway, and the operator reads that gateway's log.
  CHECK(rig.at_the_vehicles_gateway("next", "/v1/records", "") == "200");
  REQUIRE(eventually([&] { return holds(rig.gateway_log(), "records"); }));
  CHECK(rig.oem({"identities", "seen", "--log", rig.file("gateway.log")}).text == "2 certificates were used\n");
  CHECK(ended({"--grace-days", "1"}) == "0");
  shift(rig, "seen_s = seen_s - 90000 WHERE seen_s > 0");
  CHECK(ended({"--grace-days", "1", "--label", "e2e"}) == "0");
  CHECK(ended({"--grace-days", "1", "--vehicle", rig.vehicle(1)}) == "0");
  CHECK(holds(supersede({"--grace-days", "1"}), "\n1 certificates are superseded"));
  CHECK(ended({"--grace-days", "0"}) == "0");
  rig.restart_gateway();
  CHECK(rig.at_the_vehicles_gateway("own", "/v1/records", "") == "000");
  CHECK(rig.at_the_vehicles_gateway("next", "/v1/records", "") == "200");
  const auto list = json::parse(rig.oem({"identities", "list", "--json", "--vehicle", rig.vehicle()}).text);
  size_t superseded = 0;
  for (const json& one : list) superseded += one["state"] == "superseded" ? 1 : 0;
  CHECK(superseded == 2);
}

TEST_CASE("an old e2e certificate ends only after the vehicle was seen with the new one issued") {
  Rig rig;
  rig.tls_client("own", rig.vehicle());
  renew(rig, "own", "e2e", "e2e-b");
  const auto ended = [&] {
    const std::string text = rig.oem({"identities", "supersede", "--label", "e2e", "--grace-days", "1"}).text;
    return text.substr(text.rfind('\n', text.find(" certificates are")) + 1, 1);
  };
  CHECK(ended() == "0");
  shift(rig, "issued_s = issued_s - 90000, used_s = used_s - 90010 WHERE label IN ('e2e', 'tls')");
  CHECK(ended() == "0");  // it has not come since
  REQUIRE(rig.get("own", "tls/cacerts").status == "200");
  CHECK(ended() == "1");
}

TEST_CASE("a decommissioned vehicle gets nothing, and stores nothing") {
  Rig rig;
  rig.start_backend();
  rig.bootstrap_client("boot", rig.vehicle());
  rig.tls_client("own", rig.vehicle());
  rig.tls_client("neighbour", rig.vehicle(1));
  renew(rig, "own", "e2e", "e2e-b");
  REQUIRE(rig.deliver("own", rig.signer_of("e2e-b")) == "stored");
  rig.make_key("late");
  const std::string request = rig.csr("late", rig.vehicle());

  const Output ended = rig.oem({"decommission", "--vehicle", rig.vehicle()});
  REQUIRE(ended.code == 0);
  CHECK(holds(ended.text, "What is left"));
  CHECK(rig.oem({"decommission", "--vehicle", rig.vehicle()}).code == 0);  // again changes nothing
  CHECK(rig.oem({"decommission", "--vehicle", "v-nobody"}).code == 1);
  const size_t issued = rig.issued();
  // The gateway still has its lists of before: the register is what counts here.
  CHECK(rig.enrol("boot", "tls/simpleenroll", request) == "403 forbidden certificate_revoked");
  CHECK(rig.enrol("own", "tls/simplereenroll", request) == "403 forbidden certificate_revoked");
  // Not even with an identity that the operator makes by mistake.
  rig.bootstrap_client("mistake", rig.vehicle());
  CHECK(rig.enrol("mistake", "tls/simpleenroll", request) == "403 forbidden decommissioned");
  CHECK(rig.outcome(rig.get("mistake", "gateway/cacerts")) == "403 forbidden decommissioned");
  CHECK(rig.issued() == issued + 1);
  CHECK_FALSE(std::filesystem::exists(rig.fleet() + "/idp/clients/" + rig.vehicle() + ".json"));

  rig.restart_backend();  // it reads its list within a minute; a start is sooner
  CHECK(rig.deliver("own", rig.signer_of("e2e-b")) == "prekeys 403");
  rig.restart_gateway();
  CHECK(rig.at_the_vehicles_gateway("own", "/v1/records", "") == "000");
  CHECK(rig.at_the_vehicles_gateway("neighbour", "/v1/records", "") == "200");
  CHECK(rig.oem({"change-owner", "--vehicle", rig.vehicle()}).code == 1);
}

TEST_CASE("a vehicle whose keys are suspect enrols again by its bootstrap identity") {
  Rig rig;
  rig.start_backend();
  rig.bootstrap_client("boot", rig.vehicle());
  rig.tls_client("own", rig.vehicle());
  REQUIRE(rig.oem({"revoke", "--vehicle", rig.vehicle(), "--keep-bootstrap"}).code == 0);
  rig.restart_gateway();
  CHECK(rig.at_the_vehicles_gateway("own", "/v1/records", "") == "000");
  for (const std::string label : {"tls", "e2e"}) {
    rig.make_key(label);
    REQUIRE(rig.enrol("boot", label + "/simpleenroll", rig.csr(label, rig.vehicle())) == "200");
    rig.client_of_answer(label, label);
  }
  CHECK(rig.deliver("tls", rig.signer_of("e2e")) == "stored");
  CHECK(std::filesystem::exists(rig.fleet() + "/idp/clients/" + rig.vehicle() + ".json"));
}

TEST_CASE("a change of owner begins a new ownership and leaves the vehicle what it is") {
  Rig rig;
  rig.tls_client("own", rig.vehicle());
  REQUIRE(rig.oem({"partner", "add", "--name", "acme"}).code == 0);
  CHECK(holds(rig.oem({"change-owner", "--vehicle", rig.vehicle()}).text, "Ownership 2 "));
  const Output again = rig.oem({"change-owner", "--vehicle", rig.vehicle()});
  CHECK(holds(again.text, "Ownership 3 "));
  CHECK(holds(again.text, "grants given so far give nothing"));
  const auto registry = json::parse(slurp(rig.fleet() + "/share/partners.json"));
  CHECK(registry["owners"][rig.vehicle()]["epoch"].get<int>() >= 2);
  CHECK(rig.known().standing(rig.vehicle(1)).ownership == 1);
  CHECK(rig.get("own", "tls/cacerts").status == "200");
  CHECK(rig.oem({"change-owner", "--vehicle", "v-nobody"}).code == 1);
}

TEST_CASE("a fleet that was provisioned before goes on without enrolment") {
  Rig rig;
  rig.stop_est();
  const std::string ca = rig.fleet() + "/ca/";
  json index = json::parse(slurp(ca + "issued.json"));
  for (const auto& one : rig.known().list("")) {
    if (one.label == "bootstrap") continue;
    index.push_back(
        {{"authority", one.authority}, {"name", one.vehicle}, {"serial", one.serial}, {"revoked", false}});
  }
  spill(ca + "issued.json", index.dump());
  std::filesystem::remove_all(rig.fleet() + "/est");
  for (const char* const name : {"bootstrap-ca.pem", "bootstrap-ca.key"}) std::filesystem::remove(ca + name);
  for (const char* const name :
       {"bootstrap-ca.pem", "bootstrap-crl.pem", "enrolment-ca.pem", "enrolment-crl.pem"}) {
    std::filesystem::remove(rig.fleet() + "/gateway/" + name);
  }
  const std::string before = slurp(rig.fleet() + "/gateway/vehicle-crl.pem");
  CHECK(rig.oem({"revoke", "--vehicle", rig.vehicle()}).code == 0);
  CHECK(slurp(rig.fleet() + "/gateway/vehicle-crl.pem") != before);
  CHECK(rig.oem({"renew"}).code == 0);
  CHECK(rig.oem({"rotate", "gateway-certificate"}).code == 0);
  const Output list = rig.oem({"identities", "list"});
  CHECK(list.code == 1);
  CHECK(holds(list.text, "provisioned before"));
  CHECK(cloud_test::run({WAYSEAL_GATEWAY_CHECK, rig.fleet() + "/gateway"}).code == 0);
  rig.tls_client("late", "v-late");  // noted in the list of before
  CHECK(rig.oem({"revoke", "--vehicle", "v-late"}).code == 0);
}
