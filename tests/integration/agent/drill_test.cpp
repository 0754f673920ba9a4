// SPDX-License-Identifier: Apache-2.0
// The rotation drill: under telemetry of two vehicles, each key and certificate of the system is replaced, one vehicle is
// revoked, and the counts say that nothing was lost and that the revoked vehicle stored nothing afterwards.
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdio>

#include "can_log.hpp"
#include "way.hpp"

namespace agent_test {
namespace {

constexpr int kPatienceS = 40;

/// Two vehicles that send all the while; the first stays, the second is revoked in the end.
class Drill {
 public:
  Drill() : way_(canary_dbc(), 2) {
    spill(way_.path("log"), canary_log(240'000, 500));  // two minutes: longer than the drill
    spill(way_.path("revoked"), "");
    const auto fleet = nlohmann::json::parse(slurp(way_.path("fleet/wayseal-fleet.json")));
    second_ = fleet.at("vehicles").at(1);
    way_.set_gateway_environment(
        {"WAYSEAL_GATEWAY_REVOKED=" + way_.path("revoked"), "WAYSEAL_GATEWAY_ADMIN=" + way_.path("admin")});
    way_.start_provider();
    way_.start_backend();
    way_.start_est();
    way_.start_gateway();
    AgentOptions options;
    options.bus = "log = \"" + way_.path("log") + "\"\npace = \"recorded\"";
    options.scope = "prekeys records";
    way_.start_agent(options);
    other_ = way_.start_other_agent(second_, options);
    REQUIRE(eventually([this] { return stored(way_.vehicle()) > 1 && stored(second_) > 1; }, kPatienceS));
  }

  /// One step of the operator, and what has to be true soon after it, with telemetry still coming in.
  void step(const char* what, const std::vector<std::string>& arguments,
            const std::function<bool()>& done = nullptr) {
    std::vector<std::string> command{WAYSEAL_OEM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--out", way_.path("fleet")});
    const Output said = cloud_test::run(command);
    CAPTURE(what, said.text);
    REQUIRE(said.code == 0);
    if (done) wait(what, done);
  }
  void wait(const char* what, const std::function<bool()>& done) {
    const bool good = eventually(done, kPatienceS);
    CAPTURE(what, way_.agent_words(), slurp(way_.path("gateway.out")).substr(0, 2000));
    REQUIRE(good);
    const int64_t before = stored(way_.vehicle());
    REQUIRE(eventually([&] { return stored(way_.vehicle()) > before; }, kPatienceS));
    std::printf("drill: %-58s %5lld records of the first vehicle stored\n", what,
                static_cast<long long>(stored(way_.vehicle())));
  }

  void reload_gateway() {
    const int workers = count(slurp(way_.path("gateway.out")), "Loading success");
    way_.gateway().signal(SIGUSR2);
    REQUIRE(eventually([&] { return count(slurp(way_.path("gateway.out")), "Loading success") > workers; },
                       kPatienceS));
  }
  void renew_vehicles() {
    way_.agent().signal(SIGHUP);
    other_.signal(SIGHUP);
  }
  /// Lines of an event in the log of both agents.
  int both(const std::string& text) const {
    return std::min(count(slurp(way_.path("agent.err")), text),
                    count(slurp(way_.path("agent-" + second_ + ".err")), text));
  }
  static int count(const std::string& in, const std::string& what) {
    int found = 0;
    for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
    return found;
  }
  int64_t stored(const std::string& vehicle) const {
    return std::stoll(
        way_.query("SELECT COUNT(*) FROM records r JOIN sessions s ON r.session = s.id JOIN vehicles v ON "
                   "s.vehicle = v.id WHERE v.name = '" +
                   vehicle + "'"));
  }
  void restart_backend() {
    way_.backend().stop(SIGTERM);
    way_.start_backend();
  }

  Way& way() { return way_; }
  Process& other() { return other_; }
  const std::string& second() const { return second_; }

 private:
  Way way_;
  std::string second_;
  Process other_;
};

}  // namespace

TEST_CASE(
    "drill: every key and certificate is rotated under load, one vehicle is revoked, and the counts are "
    "right") {
  Drill drill;
  Way& way = drill.way();
  int renewals = 0;
  const auto renewed = [&] { return drill.both("identity confirmed") == 2 * renewals; };

  ++renewals;
  drill.renew_vehicles();
  drill.wait("vehicles' TLS and e2e keys", renewed);
  drill.wait("gateway authorities known", [&] { return drill.both("\"gateway authorities\"") >= 1; });

  drill.step("gateway's certificate", {"rotate", "gateway-certificate"});
  drill.reload_gateway();
  drill.wait("gateway's certificate in use", [] { return true; });

  drill.step("gateway's authority, a new one beside the old", {"rotate", "gateway-ca"});
  ++renewals;
  drill.renew_vehicles();
  drill.wait("both authorities in the vehicles",
             [&] { return renewed() && drill.both("\"gateway authorities\",\"detail\":\"2\"") >= 1; });
  drill.step("gateway's authority, switched", {"rotate", "gateway-ca", "--switch"});
  drill.reload_gateway();
  drill.wait("gateway's authority in use", [] { return true; });
  drill.step("gateway's authority, the old one ended", {"rotate", "gateway-ca", "--finish"});

  drill.step("vehicle authorities, new ones beside the old", {"rotate", "vehicle-ca"});
  drill.reload_gateway();
  drill.restart_backend();  // it would read the new lists by itself within a minute
  drill.step("vehicle authorities, switched", {"rotate", "vehicle-ca", "--switch"});
  ++renewals;
  drill.renew_vehicles();
  drill.wait("vehicles' certificates of the new authorities", renewed);
  drill.wait("the old gateway authority dropped",
             [&] { return drill.both("\"gateway authorities\",\"detail\":\"1\"") >= 2; });

  for (const char* const identity : {"prekey", "time"}) {
    drill.step("backend's identity", {"rotate", "backend", "--identity", identity});
    drill.restart_backend();
    ++renewals;
    drill.renew_vehicles();  // fresh prekeys, and time, under the new identity
    drill.wait(identity, renewed);
  }

  drill.step("provider's signing key, made", {"idp", "rotate"});
  drill.reload_gateway();
  drill.step("provider's signing key, switched", {"idp", "rotate", "--switch"});
  drill.wait("provider's signing key", [] { return true; });

  // The second vehicle is revoked while it sends.
  drill.step("the second vehicle revoked", {"revoke", "--vehicle", drill.second()});
  const Output told = cloud_test::run(
      {WAYSEAL_REVOKE, way.path("fleet/gateway"), way.path("revoked"), "--admin", way.path("admin")});
  CAPTURE(told.text);
  REQUIRE(told.code == 0);
  const int64_t at_revocation = drill.stored(drill.second());
  drill.wait("the first vehicle goes on",
             [&] { return drill.count(slurp(way.path("gateway.out")), "\"why\":\"revoked\"") > 0; });
  CHECK(drill.other().running());
  drill.other().stop(SIGTERM);

  REQUIRE(way.agent().running());
  REQUIRE(way.agent().stop(SIGTERM) == 0);
  // What it had not delivered yet when it was stopped, it delivers at the next start.
  spill(way.path("log"), canary_log(10, 500));
  AgentOptions last;
  last.bus = "log = \"" + way.path("log") + "\"\npace = \"max\"";
  last.scope = "prekeys records";
  last.until_delivered = true;
  way.start_agent(last);
  REQUIRE(eventually([&] { return !way.agent().running(); }, 90));
  REQUIRE(way.agent().wait() == 0);
  CHECK(drill.stored(drill.second()) == at_revocation);
  const auto stats = way.backend_stats();
  CHECK(stats.at("records_lost") == 0);
  CHECK(stats.at("samples_dropped") == 0);
  CHECK(way.query("SELECT COUNT(*) FROM sessions s JOIN vehicles v ON s.vehicle = v.id WHERE s.state = 1 AND "
                  "s.last_durable IS NOT NULL AND v.name = '" +
                  way.vehicle() + "'")
            .substr(0, 1) == "0");
  std::printf(
      "drill: %lld records of the first vehicle, %lld of the second until its revocation; %s duplicates, 0 "
      "lost\n",
      static_cast<long long>(drill.stored(way.vehicle())), static_cast<long long>(at_revocation),
      stats.at("duplicates").dump().c_str());
}

}  // namespace agent_test
