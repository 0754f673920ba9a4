// SPDX-License-Identifier: Apache-2.0
// What the agent says when it cannot run, and what it keeps when it cannot deliver.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "can_log.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

/// Starts an agent that must end by itself with code 2. \return its words.
std::string refused_start(Way& way, const AgentOptions& options) {
  way.start_agent(options);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 30));
  CHECK(way.agent().wait() == 2);
  return way.agent_words();
}

AgentOptions a_log() {
  AgentOptions options;
  options.bus = "log = \"log\"\npace = \"max\"";
  return options;
}

}  // namespace

TEST_CASE("an agent that cannot run says why, and shows no secret") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(10, 500));
  const std::string pin = slurp(way.vehicle_folder() + "/pin");

  AgentOptions options = a_log();
  options.token_label = "absent";
  CHECK(refused_start(way, options).find("there is no token 'absent'") != std::string::npos);

  options = a_log();
  options.pin_file = "wrong-pin";
  spill(way.path("wrong-pin"), "314159265");
  chmod(way.path("wrong-pin").c_str(), 0600);
  CHECK(refused_start(way, options).find("refused the PIN") != std::string::npos);
  chmod(way.path("wrong-pin").c_str(), 0644);
  CHECK(refused_start(way, options).find("must have mode 0600") != std::string::npos);

  options = a_log();
  options.module = "/nonexistent.so";
  CHECK(refused_start(way, options).find("PKCS#11 module /nonexistent.so is not there") != std::string::npos);

  options = a_log();
  options.bus = "log = \"missing\"";
  CHECK(refused_start(way, options).find("cannot be read") != std::string::npos);
  options.bus = "log = \"log\"\npase = \"max\"";
  CHECK(refused_start(way, options).find("tcu.toml:3: [bus] unknown key 'pase'") != std::string::npos);

  spill(way.path("signals.table"), "not a table");
  CHECK(refused_start(way, a_log()).find("is damaged or of another version") != std::string::npos);

  const std::string words = way.agent_words();
  CHECK(words.find("314159265") == std::string::npos);
  CHECK(words.find(pin.substr(0, pin.find('\n'))) == std::string::npos);
  CHECK(words.find(way.vehicle()) == std::string::npos);
}

TEST_CASE("a second agent on the same store is refused, the first goes on") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(100'000, 500));
  AgentOptions options;
  options.bus = "log = \"log\"";
  way.start_agent(options);
  REQUIRE(eventually([&] { return way.agent_status().has_value(); }, 30));
  const Output second =
      cloud_test::run({"/usr/bin/env", "SOFTHSM2_CONF=" + way.vehicle_folder() + "/softhsm2.conf", WAYSEAL_TCU,
                       "--config", way.path("tcu.toml")});
  CHECK(second.code == 2);
  CHECK(second.text.find("in use by another agent") != std::string::npos);
  CHECK(way.agent_status().has_value());
}

TEST_CASE(
    "a client certificate that the gateway refuses: named in the status, nothing leaves the spool, delivered "
    "later") {
  Way way(canary_dbc());
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(100, 500));
  AgentOptions options = a_log();
  options.until_delivered = true;
  way.start_agent(options);  // fetches prekeys
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  way.gateway().stop(15);

  const std::string crl = slurp(way.path("fleet/gateway/vehicle-crl.pem"));
  REQUIRE(
      cloud_test::run({WAYSEAL_OEM, "revoke", "--out", way.path("fleet"), "--vehicle", way.vehicle()}).code ==
      0);
  const std::string revoked = slurp(way.path("fleet/gateway/vehicle-crl.pem"));
  REQUIRE(revoked != crl);
  way.start_gateway();
  AgentOptions refused = a_log();
  way.start_agent(refused);
  REQUIRE(eventually(
      [&] {
        const auto status = way.agent_status();
        return status && status->at("channel").at("failure") == "client-certificate-refused" &&
               status->at("records_waiting") > 0;
      },
      30));
  CHECK(way.agent().stop(15) == 0);

  way.gateway().stop(15);
  spill(way.path("fleet/gateway/vehicle-crl.pem"), crl);
  way.start_gateway();
  spill(way.path("log"), "");
  way.start_agent(options);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CHECK(way.backend_stats().at("samples") == 600);
}

}  // namespace agent_test
