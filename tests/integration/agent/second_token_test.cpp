// SPDX-License-Identifier: Apache-2.0
// The whole way with NSS softoken as the vehicle's token, the backend's, or both. NSS can do suites 1 and 2, SoftHSM2
// only suite 2: a session takes the strongest that both sides' tokens have.
#include <catch2/catch_test_macros.hpp>

#include "can_log.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

constexpr int64_t kSignals = 3;  // in each pair of frames of the log

void skip_without_nss() {
  const std::string missing = nss_missing();
  if (!missing.empty()) SKIP(missing);
}

AgentOptions playing(const char* pace) {
  AgentOptions options;
  options.bus = std::string("log = \"log\"\npace = \"") + pace + "\"";
  return options;
}

/// Runs an agent until the backend has everything. \return what the agent counted.
nlohmann::json deliver(Way& way) {
  AgentOptions options = playing("max");
  options.until_delivered = true;
  way.start_agent(options);
  const bool ended = eventually([&] { return !way.agent().running(); }, 60);
  CAPTURE(way.agent_words(), slurp(way.path("backend.out")));
  REQUIRE(ended);
  REQUIRE(way.agent().wait() == 0);
  return way.agent_summary();
}

/// The suite of each session, in the order in which the vehicle opened them.
std::string suites_of_sessions(const Way& way) {
  return way.query("SELECT group_concat(suite, ' ') FROM (SELECT suite FROM sessions ORDER BY counter)");
}

void check_everything_arrived_once(const Way& way, int64_t samples, int64_t records) {
  const auto cloud = way.backend_stats();
  CHECK(cloud.at("samples") == samples);
  CHECK(cloud.at("records_stored") == records);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("refusals") == 0);
  CHECK(cloud.at("alarms") == 0);
  CHECK(way.query(
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n, MAX(sequence) AS last FROM records GROUP BY session) "
            "WHERE n <> last") == "0\n");
}

}  // namespace

TEST_CASE("second token: two NSS tokens deliver every sample once, under suite 1") {
  skip_without_nss();
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(20'000, 500));
  const auto agent = deliver(way);
  CHECK(agent.at("samples") == 20'000 * kSignals);
  CHECK(suites_of_sessions(way) == "1\n");
  check_everything_arrived_once(way, 20'000 * kSignals, agent.at("records_sealed"));
}

TEST_CASE("second token: NSS in the vehicle, SoftHSM2 at the backend, which offers what it can open: suite 2") {
  skip_without_nss();
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(2'000, 500));
  const auto agent = deliver(way);
  CHECK(suites_of_sessions(way) == "2\n");
  CHECK(way.query("SELECT DISTINCT suites FROM prekeys") == "2\n");
  check_everything_arrived_once(way, 2'000 * kSignals, agent.at("records_sealed"));
}

TEST_CASE("second token: SoftHSM2 in the vehicle, NSS at the backend: suite 2") {
  skip_without_nss();
  Way way(canary_dbc());
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(2'000, 500));
  const auto agent = deliver(way);
  CHECK(suites_of_sessions(way) == "2\n");
  CHECK(way.query("SELECT DISTINCT suites FROM prekeys") == "3\n");
  check_everything_arrived_once(way, 2'000 * kSignals, agent.at("records_sealed"));
}

TEST_CASE(
    "second token: kill -9 of a backend and an agent on NSS; suite 1 keys are derived again, all is stored "
    "once") {
  skip_without_nss();
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(200'000, 500));
  way.start_agent(playing("recorded"));
  const auto stored = [&] { return way.backend_stats().at("records_stored").get<int64_t>(); };
  REQUIRE(eventually([&] { return stored() >= 2; }, 30));
  way.backend().stop(9);
  way.start_backend();
  const int64_t before = stored();
  REQUIRE(eventually([&] { return stored() > before; }, 30));
  const auto status = way.agent_status();
  REQUIRE(status);
  way.agent().stop(9);

  spill(way.path("log"), canary_log(2'000, 500));
  const auto agent = deliver(way);
  CHECK(suites_of_sessions(way) == "1 1\n");
  CHECK(stored() >= status->at("records_settled").get<int64_t>() + agent.at("records_sealed").get<int64_t>());
  CHECK(way.backend_stats().at("records_lost") == 0);
  CHECK(way.backend_stats().at("alarms") == 0);
  CHECK(way.query("SELECT COUNT(*) - COUNT(DISTINCT session || '/' || sequence) FROM records") == "0\n");
}

}  // namespace agent_test
