// SPDX-License-Identifier: Apache-2.0
// The whole way through a gateway that wants access tokens, with the real identity provider behind it.
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>

#include "can_log.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

void start_cloud(Way& way) {
  way.start_provider();
  way.start_backend();
  way.start_gateway();
}

AgentOptions playing(const Way& way) {
  AgentOptions options;
  options.bus = "log = \"" + way.path("log") + "\"\npace = \"recorded\"";
  options.scope = "prekeys records";
  return options;
}

void set_token_life(const Way& way, int seconds) {
  auto config = nlohmann::json::parse(slurp(way.path("fleet/idp/idp.json")));
  config["ttl_seconds"] = seconds;
  spill(way.path("fleet/idp/idp.json"), config.dump(2));
}

int64_t stored(const Way& way) { return way.backend_stats().at("records_stored").get<int64_t>(); }

void require_all_delivered(Way& way) {
  REQUIRE(eventually([&] { return !way.agent().running(); }, 60));
  CAPTURE(way.agent_words());
  REQUIRE(way.agent().wait() == 0);
  const auto agent = way.agent_summary();
  CHECK(stored(way) == agent.at("records_sealed").get<int64_t>());
  CHECK(way.backend_stats().at("duplicates") == 0);
  CHECK(agent.at("samples_dropped") == 0);
}

int tokens_given(const Way& way) {
  const std::string log = slurp(way.path("provider.out"));
  int count = 0;
  for (size_t at = log.find("\"kid\""); at != std::string::npos; at = log.find("\"kid\"", at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("access: tokens are fetched and renewed on the way, and every record is stored once") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(12'000, 500));  // six seconds
  set_token_life(way, 3);
  start_cloud(way);
  AgentOptions options = playing(way);
  options.until_delivered = true;
  way.start_agent(options);
  require_all_delivered(way);
  const auto agent = way.agent_summary();
  CHECK(agent.at("access_tokens") >= 3);
  CHECK(agent.at("access_tokens_refused") == 0);
  // No token, and no part of one, in what anybody wrote.
  const std::string words =
      way.agent_words() + slurp(way.path("gateway.out")) + slurp(way.path("provider.out"));
  CHECK(words.find("eyJ") == std::string::npos);
  CHECK(words.find(way.vehicle()) == std::string::npos);
}

TEST_CASE(
    "access: signing keys rotate and the provider is killed under load, and no record is lost or repeated") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(20'000, 500));  // ten seconds
  set_token_life(way, 1);
  start_cloud(way);
  AgentOptions options = playing(way);
  options.until_delivered = true;
  way.start_agent(options);
  REQUIRE(eventually([&] { return stored(way) >= 1; }, 30));

  const auto rotate = [&](std::vector<std::string> more) {
    std::vector<std::string> command{WAYSEAL_OEM, "idp", "rotate", "--out", way.path("fleet")};
    command.insert(command.end(), more.begin(), more.end());
    return cloud_test::run(command);
  };
  const Output prepared = rotate({});
  CAPTURE(prepared.text);
  REQUIRE(prepared.code == 0);
  way.gateway().signal(SIGUSR2);
  REQUIRE(eventually([&] {
    const std::string log = slurp(way.path("gateway.out"));
    return log.find("Loading success") != std::string::npos;
  }));
  const Output switched = rotate({"--switch"});
  CAPTURE(switched.text);
  REQUIRE(switched.code == 0);
  REQUIRE(
      eventually([&] { return slurp(way.path("provider.out")).find("\"kid\":\"b-") != std::string::npos; }));

  way.provider().stop(9);
  const int64_t before = stored(way);
  way.start_provider();
  REQUIRE(eventually([&] { return stored(way) > before || !way.agent().running(); }, 30));
  require_all_delivered(way);
  CHECK(tokens_given(way) >= 1);
}

TEST_CASE(
    "access: a vehicle that is no client gets no token, stores nothing at the backend, and loses nothing") {
  Way way(canary_dbc());
  spill(way.path("log"), canary_log(2'000, 500));
  const std::string client = way.path("fleet/idp/clients/" + way.vehicle() + ".json");
  const std::string content = slurp(client);
  std::filesystem::remove(client);
  start_cloud(way);
  way.start_agent(playing(way));
  REQUIRE(
      eventually([&] { return slurp(way.path("provider.out")).find("invalid_client") != std::string::npos; }));
  CHECK(stored(way) == 0);
  CHECK(way.backend_stats().at("vehicles") == 0);
  spill(client, content);  // it is one again
  REQUIRE(eventually([&] { return stored(way) >= 1; }, 60));
  way.agent().stop(SIGTERM);
  const auto agent = way.agent_summary();
  CHECK(agent.at("samples_dropped") == 0);
  CHECK(agent.at("records_sealed").get<int64_t>() >= stored(way));
}

}  // namespace agent_test
