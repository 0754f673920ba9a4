// SPDX-License-Identifier: Apache-2.0
// Identities are made and replaced in the field: the agent, its token, the real gateway and the real enrolment server.
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <random>

#include "can_log.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "way.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace agent_test {
namespace {

void start_cloud(Way& way) {
  way.start_provider();
  way.start_backend();
  way.start_est();
  way.start_gateway();
}

AgentOptions playing(const Way& way) {
  AgentOptions options;
  options.bus = "log = \"" + way.path("log") + "\"\npace = \"recorded\"";
  options.scope = "prekeys records";
  options.until_delivered = true;
  return options;
}

int64_t count_of(const Way& way, const char* key) {
  const auto status = way.agent_status();
  return status ? status->at(key).get<int64_t>() : -1;
}

int confirmations(const Way& way) {
  const std::string words = way.agent_words();
  int count = 0;
  for (size_t at = words.find("identity confirmed"); at != std::string::npos;
       at = words.find("identity confirmed", at + 1))
    ++count;
  return count;
}

void require_all_delivered(Way& way) {
  REQUIRE(eventually([&] { return !way.agent().running(); }, 90));
  CAPTURE(way.agent_words());
  REQUIRE(way.agent().wait() == 0);
  CHECK(way.agent_summary().at("samples_dropped") == 0);
  CHECK(way.backend_stats().at("alarms") == 0);
  CHECK(way.backend_stats().at("records_lost") == 0);
}

}  // namespace

TEST_CASE(
    "rotation: both keys are replaced under load, no record is lost or repeated, and the old ones are gone") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(16'000, 500));  // eight seconds
  start_cloud(way);
  way.start_agent(playing(way));
  REQUIRE(eventually([&] { return way.backend_stats().at("records_stored") > 2; }, 30));
  way.agent().signal(SIGHUP);
  const bool confirmed = eventually([&] { return confirmations(way) == 2; }, 30);
  CAPTURE(way.agent_words(), slurp(way.path("gateway.out")));
  REQUIRE(confirmed);
  const auto sealed_before = count_of(way, "records_sealed");
  CHECK(count_of(way, "identities_renewed") == 2);
  CHECK(count_of(way, "identities_rolled_back") == 0);
  CHECK(sealed_before > 0);
  // Once more, back into the first places.
  way.agent().signal(SIGHUP);
  REQUIRE(eventually([&] { return confirmations(way) == 4; }, 30));
  require_all_delivered(way);
  const auto agent = way.agent_summary();
  CHECK(way.backend_stats().at("records_stored") == agent.at("records_sealed"));
  CHECK(way.backend_stats().at("duplicates") == 0);
  // Nothing of it in any log.
  const std::string words = way.agent_words() + slurp(way.path("gateway.out")) + slurp(way.path("est.out"));
  CHECK(words.find(way.vehicle()) == std::string::npos);
}

TEST_CASE("rotation: an enrolment server that is away costs nothing but the renewal") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(8'000, 500));
  start_cloud(way);
  way.est().stop(SIGKILL);
  AgentOptions options = playing(way);
  options.renew_days = 3650;  // due at once
  way.start_agent(options);
  require_all_delivered(way);
  CHECK(way.agent_summary().at("identities_not_renewed") >= 1);
  CHECK(way.agent_summary().at("identities_renewed") == 0);
  CHECK(way.backend_stats().at("records_stored") == way.agent_summary().at("records_sealed"));
}

TEST_CASE(
    "rotation: the agent is killed again and again while it replaces its keys, and every record is stored "
    "once") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(4'000, 500));
  start_cloud(way);
  std::mt19937 dice(5);
  AgentOptions options = playing(way);
  options.until_delivered = false;
  constexpr int kKills = 12;
  int renewed = 0;
  for (int i = 0; i < kKills; ++i) {
    way.start_agent(options);
    CAPTURE(i, way.agent_words());
    REQUIRE(eventually([&] { return count_of(way, "records_sealed") > 0 || !way.agent().running(); }, 30));
    REQUIRE(way.agent().running());
    way.agent().signal(SIGHUP);
    // Not at a time but at a number of looks: wherever it has got to by then.
    const auto looks = dice() % 400;
    for (auto n = looks; n > 0; --n)
      renewed = std::max<int>(renewed, static_cast<int>(count_of(way, "identities_renewed")));
    way.agent().stop(SIGKILL);
  }
  options.until_delivered = true;
  way.start_agent(options);
  require_all_delivered(way);
  CHECK(way.backend_stats().at("sessions_open") <= 1);
  WARN(kKills << " kills, up to " << renewed << " renewals before one, " << way.backend_stats().at("sessions")
              << " sessions");
}

TEST_CASE("rotation: a vehicle without any identity but its bootstrap certificate enrols, and delivers") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(4'000, 500));
  start_cloud(way);
  {
    ::setenv("SOFTHSM2_CONF", (way.vehicle_folder() + "/softhsm2.conf").c_str(), 1);
    wayseal::Pkcs11Module module;
    REQUIRE(module.load(way.module().c_str(), nullptr) == wayseal::Status::kOk);
    std::string digits = slurp(way.vehicle_token().pin_file);
    digits.erase(digits.find_last_not_of('\n') + 1);
    wayseal::test::MemoryPin pin(digits);
    wayseal::ProvisioningToken token(module, "vehicle", pin);
    for (const char* label : {"tls", "tls-intermediate", "e2e", "e2e-intermediate"})
      token.remove_certificate(label);
  }
  way.start_agent(playing(way));
  require_all_delivered(way);
  CHECK(way.backend_stats().at("records_stored") == way.agent_summary().at("records_sealed"));
  CHECK(slurp(way.path("gateway.out")).find("simpleenroll") != std::string::npos);
}

}  // namespace agent_test
