// SPDX-License-Identifier: Apache-2.0
// Vehicles get certificates, and use them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <thread>

#include "rig.hpp"

using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;
using namespace est_test;

namespace {

const char* const kProfile = "basicConstraints,keyUsage,extendedKeyUsage";

std::string verify(const Rig& rig, const std::string& root, const std::vector<std::string>& chain) {
  spill(rig.file("leaf.pem"), chain.at(0));
  spill(rig.file("intermediate.pem"), chain.at(1));
  return run({WAYSEAL_OPENSSL, "verify", "-ignore_critical", "-CAfile", rig.fleet() + "/ca/" + root + ".pem",
              "-untrusted", rig.file("intermediate.pem"), rig.file("leaf.pem")})
      .text;
}

/// Enrols a new key for a label; leaves client file NAME.
void enrol_as(Rig& rig, const std::string& client, const std::string& target, const std::string& name) {
  rig.make_key(name);
  REQUIRE(rig.enrol(client, target, rig.csr(name, rig.vehicle())) == "200");
  rig.client_of_answer(name, name);
}

}  // namespace

TEST_CASE("a vehicle enrols with its bootstrap identity, and uses the certificates at the vehicles' gateway") {
  Rig rig;
  rig.start_backend();
  rig.bootstrap_client("boot", rig.vehicle());
  rig.tls_client("made", rig.vehicle());
  const size_t before = rig.issued();

  enrol_as(rig, "boot", "tls/simpleenroll", "tls-b");
  CHECK(holds(rig.head(), "content-type: application/pkcs7-mime; smime-type=certs-only\r\n"));
  CHECK(holds(rig.head(), "content-transfer-encoding: base64\r\n"));
  CHECK(holds(rig.head(), "cache-control: no-store\r\n"));
  const auto tls = rig.certificates();
  REQUIRE(tls.size() == 2);
  CHECK(holds(describe(tls[0], {"-subject"}), rig.vehicle()));
  CHECK(describe(tls[1], {"-subject"}) == "subject=CN = OEM vehicle TLS\n");
  CHECK(holds(verify(rig, "tls-root", tls), ": OK"));
  CHECK(holds(verify(rig, "data-root", tls), "error"));
  CHECK(describe(tls[0], {"-ext", kProfile}) == describe(slurp(rig.file("made")), {"-ext", kProfile}));

  enrol_as(rig, "boot", "e2e/simpleenroll", "e2e-b");
  const auto e2e = rig.certificates();
  REQUIRE(e2e.size() == 2);
  CHECK(describe(e2e[1], {"-subject"}) == "subject=CN = OEM data vehicle\n");
  CHECK(holds(verify(rig, "data-root", e2e), ": OK"));
  CHECK(holds(describe(e2e[0], {"-ext", "extendedKeyUsage"}), "critical"));
  CHECK(rig.issued() == before + 2);

  CHECK(rig.deliver("tls-b", rig.signer_of("e2e-b")) == "stored");
  CHECK(rig.at_the_vehicles_gateway("boot", "/v1/prekeys", "") == "000");
  // The bootstrap identity is for enrolment only, and the server says in its log who it was without saying it.
  const auto lines = rig.log();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["event"] == "enrolled");
  CHECK(lines[0]["why"] == "new");
  CHECK(lines[0]["identity"] == "bootstrap");
  CHECK(lines[0]["vehicle"] == lines[1]["vehicle"]);
  CHECK_FALSE(holds(rig.log_text() + rig.gateway_log(), rig.vehicle()));
}

TEST_CASE(
    "a vehicle renews with its own certificate, in both formats of lines, and is seen to use the new one") {
  Rig rig;
  rig.start_backend();
  rig.tls_client("own", rig.vehicle());
  rig.make_key("next");
  const std::string one_line = rig.csr("next", rig.vehicle());
  std::string lines;
  for (size_t at = 0; at < one_line.size(); at += 64) lines += one_line.substr(at, 64) + "\r\n";
  REQUIRE(rig.enrol("own", "tls/simplereenroll", lines, {"-H", "Content-Transfer-Encoding: base64"}) == "200");
  rig.client_of_answer("next", "next");
  enrol_as(rig, "own", "e2e/simplereenroll", "e2e-b");
  CHECK(rig.deliver("next", rig.signer_of("e2e-b")) == "stored");

  auto state = [&] {
    for (const json& one :
         json::parse(rig.oem({"identities", "list", "--json", "--vehicle", rig.vehicle()}).text)) {
      if (one["label"] == "tls" && one["requested_by"] != "oem") return one["state"].get<std::string>();
    }
    return std::string("not there");
  };
  CHECK(state() == "issued");
  // The probe of a vehicle before it switches: any request with the new identity.
  CHECK(rig.get("next", "tls/cacerts").status == "200");
  CHECK(state() == "seen");
  CHECK(rig.at_the_vehicles_gateway("own", "/v1/records", "") ==
        "200");  // the old one is good until the operator ends it
}

TEST_CASE("authorities are handed out by label, to either identity") {
  Rig rig;
  rig.bootstrap_client("boot", rig.vehicle());
  rig.tls_client("own", rig.vehicle());
  const auto subjects = [&](const std::string& client, const std::string& label) {
    REQUIRE(rig.get(client, label + "/cacerts").status == "200");
    CHECK(holds(rig.head(), "content-type: application/pkcs7-mime\r\n"));
    std::string all;
    for (const std::string& one : rig.certificates()) all += describe(one, {"-subject", "-issuer"});
    return all;
  };
  for (const char* const client : {"boot", "own"}) {
    CHECK(subjects(client, "tls") ==
          "subject=CN = OEM vehicle TLS root\nissuer=CN = OEM vehicle TLS root\nsubject=CN = OEM vehicle TLS\n"
          "issuer=CN = OEM vehicle TLS root\n");
    CHECK(subjects(client, "e2e") ==
          "subject=CN = OEM data root\nissuer=CN = OEM data root\nsubject=CN = OEM data vehicle\nissuer=CN = "
          "OEM data root\n");
    CHECK(subjects(client, "gateway") == "subject=CN = OEM gateway CA\nissuer=CN = OEM data root\n");
  }
}

TEST_CASE("the server has the keys of the two authorities that issue, and of no other") {
  Rig rig;
  std::vector<std::string> keys;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rig.fleet() + "/est")) {
    if (!entry.is_regular_file() || !holds(slurp(entry.path()), "PRIVATE KEY")) continue;
    keys.push_back(entry.path().filename());
    CHECK(entry.status().permissions() == std::filesystem::perms{0600});
  }
  std::sort(keys.begin(), keys.end());
  CHECK(keys == std::vector<std::string>{"tls.pem", "vehicle.pem"});
}

TEST_CASE("every vehicle's token has a bootstrap key, and the register knows its certificate") {
  Rig rig;
  const std::string module = json::parse(slurp(rig.fleet() + "/wayseal-fleet.json"))["module"];
  std::string pin = slurp(rig.fleet() + "/vehicle/pin");
  pin.pop_back();
  const auto tool = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{"/usr/bin/env", "SOFTHSM2_CONF=" + rig.fleet() + "/vehicle/softhsm2.conf",
                                     "pkcs11-tool",  "--module",
                                     module,         "--token-label",
                                     "vehicle"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
  };
  REQUIRE(
      tool({"--read-object", "--type", "cert", "--label", "bootstrap", "--output-file", rig.file("boot.der")})
          .code == 0);
  const std::string der = slurp(rig.file("boot.der"));
  CHECK(der.size() <= 1024);
  const auto parsed = oem::certificate_of(der.data(), der.size());
  REQUIRE(parsed);
  const auto known = rig.known().by_serial(oem::serial_of(parsed.get()));
  REQUIRE(known);
  CHECK(known->label == "bootstrap");
  CHECK(known->vehicle == rig.vehicle());
  CHECK(known->not_after_s - known->not_before_s == 5475LL * 86400);
  const std::string pem = oem::pem_of(parsed.get());
  CHECK(holds(describe(pem, {"-issuer"}), "OEM bootstrap CA"));
  CHECK(holds(describe(pem, {"-ext", "extendedKeyUsage"}), "2.25.277344006050642732147656462799522911781.4"));
  const std::string key =
      tool({"--login", "--pin", pin, "--list-objects", "--type", "privkey", "--label", "bootstrap"}).text;
  CHECK(holds(key, "never extractable"));
}

TEST_CASE("vehicles that enrol at the same time get a certificate each; one key of one vehicle gets one") {
  Rig rig;
  rig.bootstrap_client("boot-0", rig.vehicle(0));
  rig.bootstrap_client("boot-1", rig.vehicle(1));
  const size_t before = rig.issued();
  std::vector<std::thread> threads;
  std::vector<std::string> answers(8);
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string name = "par-" + std::to_string(i % 2);
    if (i < 2) {
      rig.make_key(name);
      spill(rig.file(name + ".csr"), rig.csr(name, rig.vehicle(i % 2)));
    }
    threads.emplace_back([&, i, name] {
      answers[i] = run({WAYSEAL_CURL, "-s", "--cacert", rig.fleet() + "/gateway/gateway-ca.pem", "--cert",
                        rig.file("boot-" + std::to_string(i % 2)), "-H", "Content-Type: application/pkcs10",
                        "--data-binary", "@" + rig.file(name + ".csr"),
                        "https://localhost:" + std::to_string(rig.port()) + kEst + "tls/simpleenroll"})
                       .text;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(rig.issued() == before + 2);
  CHECK(answers[0].size() > 1000);
  CHECK(answers[0] != answers[1]);
  for (size_t i = 2; i < answers.size(); ++i) CHECK(answers[i] == answers[i % 2]);
}
