// SPDX-License-Identifier: Apache-2.0
// From a recording to the backend's database, undisturbed and with each process killed.
#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "can_log.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

std::string between_marks(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const size_t to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

/// Sequence numbers of every session run from 1 without a hole.
void check_no_holes(const Way& way) {
  CHECK(way.query(
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n, MAX(sequence) AS last FROM records GROUP BY session) "
            "WHERE n <> last") == "0\n");
}

AgentOptions playing(const std::string& log, const char* pace) {
  AgentOptions options;
  options.bus = "log = \"" + log + "\"\npace = \"" + pace + "\"";
  return options;
}

}  // namespace

TEST_CASE("the whole way: every sample of a drive arrives once, readable with its unit") {
  const TemporaryFolder made;
  REQUIRE(cloud_test::run({WAYSEAL_OEM, "drive", "--seconds", "5", "-o", made / "log", "--dbc", made / "dbc"})
              .code == 0);
  Way way(slurp(made / "dbc"));
  spill(way.path("log"), slurp(made / "log"));
  way.start_backend();
  way.start_gateway();
  AgentOptions options = playing("log", "max");
  options.until_delivered = true;
  way.start_agent(options);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CAPTURE(way.agent_words());
  REQUIRE(way.agent().wait() == 0);

  const auto agent = way.agent_summary();
  const auto cloud = way.backend_stats();
  CHECK(agent.at("samples") > 10'000);
  CHECK(cloud.at("samples") == agent.at("samples"));
  CHECK(cloud.at("records_stored") == agent.at("records_sealed"));
  CHECK(cloud.at("duplicates") == 0);
  CHECK(cloud.at("alarms") == 0);
  CHECK(agent.at("frames_dropped") == 0);
  check_no_holes(way);

  const Output csv =
      cloud_test::run({WAYSEAL_BACKEND, "signals", "--config", way.path("fleet/backend/backend.json"),
                       "--vehicle", way.vehicle(), "--format", "csv"});
  const auto lines = static_cast<size_t>(std::count(csv.text.begin(), csv.text.end(), '\n'));
  CHECK(lines >= agent.at("samples").get<size_t>());
  CHECK(csv.text.find("Speed") != std::string::npos);
}

TEST_CASE(
    "kill -9 of backend, gateway and agent in turn: everything sealed is stored once (invariant 5: exactly "
    "once)") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(20'000, 500));  // ten seconds
  way.start_backend();
  way.start_gateway();
  way.start_agent(playing("log", "recorded"));
  const auto stored = [&] { return way.backend_stats().at("records_stored").get<int64_t>(); };
  REQUIRE(eventually([&] { return stored() >= 2; }, 30));

  way.backend().stop(9);
  way.start_backend();
  int64_t before = stored();
  CHECK(eventually([&] { return stored() > before; }, 30));

  way.gateway().stop(9);
  way.start_gateway();
  before = stored();
  CHECK(eventually([&] { return stored() > before; }, 30));

  const auto last_status = way.agent_status();
  REQUIRE(last_status.has_value());
  way.agent().stop(9);
  spill(way.path("log"), canary_log(2'000, 500));
  AgentOptions options = playing("log", "max");
  options.until_delivered = true;
  way.start_agent(options);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CAPTURE(way.agent_words());
  CHECK(way.agent().wait() == 0);

  const auto cloud = way.backend_stats();
  CHECK(cloud.at("sessions") == 2);
  CHECK(cloud.at("alarms") == 0);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(stored() >= last_status->at("records_settled").get<int64_t>() +
                        way.agent_summary().at("records_sealed").get<int64_t>());
  check_no_holes(way);
  CHECK(way.query("SELECT COUNT(*) - COUNT(DISTINCT session || '/' || sequence) FROM records") == "0\n");
}

TEST_CASE("SIGTERM stores what was collected; the next start delivers it") {
  Way way(canary_dbc());
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(100, 500));
  AgentOptions first = playing("log", "max");
  first.until_delivered = true;
  way.start_agent(first);  // fetches prekeys
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  way.gateway().stop(15);

  spill(way.path("log"), canary_log(200'000, 500));
  AgentOptions offline = playing("log", "recorded");
  offline.batch = "longest_ms = 60000\n";  // nothing is due by itself
  way.start_agent(offline);
  REQUIRE(eventually(
      [&] {
        const auto status = way.agent_status();
        return status && status->at("samples").get<int64_t>() > 300;
      },
      30));
  CHECK(way.agent().stop(15) == 0);
  const auto stopped = way.agent_summary();
  CHECK(stopped.at("records_waiting") > 0);

  way.start_gateway();
  spill(way.path("log"), "");
  AgentOptions last = playing("log", "max");
  last.until_delivered = true;
  way.start_agent(last);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  const auto cloud = way.backend_stats();
  CHECK(cloud.at("samples").get<int64_t>() == stopped.at("samples").get<int64_t>() + 300);
  CHECK(cloud.at("records_lost") == 0);
}

namespace {

/// A quickstart, fed with 1000 frames, against a gateway and a backend of its own; all samples arrive.
void check_quickstart(const std::string& program) {
  Way way(canary_dbc());
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(1000, 500));
  const Output out = cloud_test::run({"/bin/sh", "-c",
                                      "cd '" + way.path("") + "' && SOFTHSM2_CONF='" + way.vehicle_folder() +
                                          "/softhsm2.conf' '" + program + "' '" + way.module() +
                                          "' vehicle localhost " + std::to_string(way.port()) +
                                          " signals.table 3<'" + way.vehicle_folder() + "/pin' <log"});
  CAPTURE(out.text);
  CHECK(out.code == 0);
  CHECK(way.backend_stats().at("samples") == 3000);
}

}  // namespace

TEST_CASE("the README's example is the quickstart, and it runs") {
  const std::string source = slurp(WAYSEAL_QUICKSTART_SOURCE);
  const std::string readme = slurp(WAYSEAL_README);
  const std::string code = between_marks(source, "// [quickstart]\n", "// [quickstart]\n");
  CHECK(readme.find("```cpp\n" + code + "```") != std::string::npos);
  check_quickstart(WAYSEAL_QUICKSTART);
}

TEST_CASE("the same in C runs") { check_quickstart(WAYSEAL_C_QUICKSTART); }

}  // namespace agent_test
