// SPDX-License-Identifier: Apache-2.0
// Invariants that only the running system can show.
#include <catch2/catch_test_macros.hpp>

#include "can_log.hpp"
#include "spy/spy_report.hpp"
#include "tap.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

AgentOptions deliver_everything() {
  AgentOptions options;
  options.bus = "log = \"log\"\npace = \"max\"";
  options.until_delivered = true;
  return options;
}

}  // namespace

TEST_CASE("invariant 1: keys stay (a spy between the running agent and its token)") {
  Way way(canary_dbc());
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(2000, 500));
  AgentOptions options = deliver_everything();
  options.module = WAYSEAL_SPY;
  options.environment = {"WAYSEAL_SPY_MODULE=" + way.module(), "WAYSEAL_SPY_REPORT=" + way.path("spy.report")};
  way.start_agent(options);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CAPTURE(way.agent_words());
  REQUIRE(way.agent().wait() == 0);
  REQUIRE(way.backend_stats().at("samples") == 6000);

  const wayseal::test::SpyReport report = wayseal::test::read_spy_report(way.path("spy.report"));
  INFO(wayseal::test::describe(report));
  CHECK(report.violations.empty());
  CHECK(report.session_keys >= 2);
  CHECK(report.ephemerals >= 1);
}

TEST_CASE(
    "invariant 2: sealed first (a canary is found before sealing and in the backend, and nowhere between)") {
  Way way(canary_dbc());
  way.start_backend();
  Tap tap(way.path("tap.sock"), way.backend_socket());
  way.start_gateway(way.path("tap.sock"));
  spill(way.path("log"), canary_log(5000, 500));
  way.start_agent(deliver_everything());
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CAPTURE(way.agent_words());
  REQUIRE(way.agent().wait() == 0);
  way.gateway().stop(15);
  way.backend().stop(15);

  const auto forms = canary_forms();
  CHECK(slurp(way.path("log")).find(forms[2].bytes) != std::string::npos);  // on the bus
  const std::string opened = all_bytes_below(way.path("fleet/backend"));
  CHECK(opened.find(canary_in_batch()) != std::string::npos);  // in the backend

  const std::string heard = tap.finish();
  CHECK(heard.find("POST /v1/records") != std::string::npos);  // the tap did hear
  CHECK(slurp(way.path("store/spool")).size() > 1'000'000);
  const std::string between = heard + all_bytes_below(way.path("store")) + way.agent_words() +
                              slurp(way.path("gateway.out")) + slurp(way.path("backend.out")) +
                              all_bytes_below(way.vehicle_folder());
  for (const CanaryForm& form : forms) {
    CAPTURE(form.name);
    CHECK(between.find(form.bytes) == std::string::npos);
  }
}

}  // namespace agent_test
