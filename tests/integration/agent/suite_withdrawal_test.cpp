// SPDX-License-Identifier: Apache-2.0
// A suite is withdrawn while records are sealed and delivered: by the vehicle's policy, between two of its runs, and by
// the backend. The next session uses another suite, and every sample is stored once.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <set>
#include <sstream>
#include <thread>

#include "can_log.hpp"
#include "tcu/ports.hpp"
#include "way.hpp"
#include "wayseal/flow/client.hpp"

namespace agent_test {
namespace {

using wayseal::Client;
using wayseal::CryptoPolicy;
using wayseal::Status;

constexpr uint64_t kSignals = 3;  // in each pair of frames of the log

void skip_without_nss() {
  const std::string missing = nss_missing();
  if (!missing.empty()) SKIP(missing);
}

CryptoPolicy policy_of(uint8_t suites) {
  CryptoPolicy policy;
  policy.suites = {suites};
  return policy;
}

tcu::Config config_of(const Way& way) {
  tcu::Config config;
  config.bus.log = way.path("log");
  config.bus.as_fast_as_it_goes = true;
  config.token = {
      way.vehicle_token().module, way.vehicle_token().module_args, "vehicle", way.vehicle_token().pin_file, {}};
  config.gateway = {"localhost", static_cast<uint16_t>(way.port())};
  config.store = {way.path("store"), 8};
  return config;
}

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

enum class Log : uint8_t { kPlayed, kHeld };

/// A client in this process, on the way's token. Its bus side runs in a thread of its own: the log is played as fast as
/// records are sealed and delivered, so that there is always something under way.
class BusyClient {
 public:
  BusyClient(const Way& way, uint8_t suites, Log log = Log::kPlayed)
      : log_(log),
        table_bytes_(bytes_of(slurp(way.path("signals.table")))),
        cloud_(config_of(way)),
        bus_(config_of(way).bus, clock()) {
    REQUIRE(table_.load({table_bytes_.data(), table_bytes_.size()}) == Status::kOk);
    wayseal::ClientConfig config;
    config.recorder.batch_duration_ms = 20;
    config.recorder.when_full = wayseal::WhenFull::kWait;
    config.sealer.policy = policy_of(suites);
    config.courier.linger_ms = 20;
    config.courier.back_off_min_ms = 50;
    config.courier.back_off_max_ms = 400;
    client_.emplace(cloud_.with(bus_.port()),
                    wayseal::ClientMemory{{collector_.data(), collector_.size()},
                                          {queue_.data(), queue_.size()},
                                          {cloud_memory_.data(), cloud_memory_.size()}},
                    config);
    REQUIRE(client_->start(table_) == Status::kOk);
    thread_ = std::thread([this] { play(); });
  }
  ~BusyClient() {
    stop_ = true;
    thread_.join();
  }
  BusyClient(const BusyClient&) = delete;
  BusyClient& operator=(const BusyClient&) = delete;

  /// So many records may wait in the spool before the bus side pauses.
  void may_wait(uint64_t records) { most_waiting_ = records; }

  Client* operator->() { return &*client_; }
  bool bus_done() const { return bus_done_; }
  bool everything_delivered() const { return bus_done_ && client_->all_delivered(); }

  /// Drives the cloud side until `done`. \return whether it was within `seconds`.
  bool run_until(const std::function<bool()>& done, int seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (client_->step_cloud(clock().now()) != Status::kWouldBlock) cloud_.wait(1);
      waiting_ = client_->stats().spool.waiting_records;
    }
    return true;
  }

 private:
  const wayseal::PosixClock& clock() { return cloud_.clock(); }

  void play() {
    while (!stop_ && !client_->bus_ended()) {
      const bool more = log_ == Log::kPlayed && waiting_ <= most_waiting_ &&
                        client_->step_bus(clock().now()) == Status::kWouldBlock;
      if (!more) std::this_thread::yield();
    }
    while (!stop_ && client_->flush_bus() == Status::kFull) std::this_thread::yield();
    bus_done_ = true;
  }

  const Log log_;
  std::vector<uint8_t> table_bytes_;
  wayseal::SignalTable table_;
  tcu::CloudPorts cloud_;
  tcu::Bus bus_;
  std::vector<uint8_t> collector_ = std::vector<uint8_t>(256 * 1024);
  std::vector<uint8_t> queue_ = std::vector<uint8_t>(wayseal::RecordQueue::memory_needed(16));
  std::vector<uint8_t> cloud_memory_ = std::vector<uint8_t>(wayseal::kClientCloudMemory);
  std::optional<Client> client_;
  std::atomic<uint64_t> waiting_{0};
  std::atomic<uint64_t> most_waiting_{64};
  std::atomic<bool> stop_{false};
  std::atomic<bool> bus_done_{false};
  std::thread thread_;
};

/// The suite of each session, in the order in which the vehicle opened them.
std::string suites_of_sessions(const Way& way) {
  return way.query("SELECT group_concat(suite, ' ') FROM (SELECT suite FROM sessions ORDER BY counter)");
}

/// Every value of the counter in the log, once; all sequences of all sessions without a hole; nothing refused or lost.
void check_every_sample_once(const Way& way, size_t pairs) {
  const auto cloud = way.backend_stats();
  CHECK(cloud.at("samples") == pairs * kSignals);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("refusals") == 0);
  CHECK(cloud.at("alarm_kinds") == nlohmann::json::object());
  CHECK(way.query(
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n, MAX(sequence) AS last FROM records GROUP BY session) "
            "WHERE n <> last") == "0\n");
  const Output csv =
      cloud_test::run({WAYSEAL_BACKEND, "signals", "--config", way.path("fleet/backend/backend.json"),
                       "--vehicle", way.vehicle(), "--signal", "Counter", "--since", "all", "--format", "csv"});
  std::set<std::string> values;
  size_t lines = 0;
  std::istringstream text(csv.text);
  for (std::string line; std::getline(text, line);) {
    if (line.find("Counter") == std::string::npos) continue;
    ++lines;
    values.insert(line.substr(line.find("Counter")));
  }
  CHECK(lines == pairs);
  CHECK(values.size() == pairs);
}

AgentOptions agent_with(const char* suites, const char* pace) {
  AgentOptions options;
  options.bus = std::string("log = \"log\"\npace = \"") + pace + "\"";
  options.suites = suites;
  return options;
}

void deliver(Way& way, const char* suites) {
  AgentOptions options = agent_with(suites, "max");
  options.until_delivered = true;
  way.start_agent(options);
  const bool ended = eventually([&] { return !way.agent().running(); }, 60);
  CAPTURE(way.agent_words(), slurp(way.path("backend.out")));
  REQUIRE(ended);
  REQUIRE(way.agent().wait() == 0);
}

}  // namespace

TEST_CASE("withdrawal under load: the next session uses suite 2, and every sample of both is stored once") {
  skip_without_nss();
  constexpr size_t kPairs = 20'000;
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(kPairs, 500));
  BusyClient client(way, 3);
  const auto sealing_and_delivering = [&] {
    const auto stats = client->stats();
    return stats.spool.settled >= 20 && stats.spool.waiting_records > 0;
  };
  REQUIRE(client.run_until(sealing_and_delivering));
  REQUIRE_FALSE(client.bus_done());
  const uint64_t sealed_before = client->stats().sealer.records_sealed;

  CHECK(client->set_policy(policy_of(0)) == Status::kUnsupported);
  CHECK(client->set_policy(policy_of(4)) == Status::kUnsupported);
  REQUIRE(client.run_until([&] { return client->stats().sealer.records_sealed >= sealed_before + 20; }));
  CHECK(client->stats().sealer.sessions_opened == 1);  // refused policies have changed nothing

  REQUIRE_FALSE(client.bus_done());
  REQUIRE(client->set_policy(policy_of(2)) == Status::kOk);
  REQUIRE(client.run_until([&] { return client.everything_delivered(); }));
  const auto stats = client->stats();
  CHECK(stats.sealer.sessions_opened == 2);
  CHECK(suites_of_sessions(way) == "1 2\n");
  CHECK(stats.sealer.samples_sealed == kPairs * kSignals);
  CHECK(stats.spool.settled == stats.sealer.records_sealed);
  CHECK(stats.spool.refused + stats.spool.evicted == 0);
  CHECK(way.backend_stats().at("records_stored") == stats.sealer.records_sealed);
  CHECK(way.query(
            "SELECT COUNT(*) >= 40 FROM records WHERE session IN (SELECT id FROM sessions WHERE suite = 1)") ==
        "1\n");
  check_every_sample_once(way, kPairs);
}

TEST_CASE(
    "withdrawal under load with no way to the backend: what was sealed before waits, and is stored once") {
  skip_without_nss();
  constexpr size_t kPairs = 8'000;
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(kPairs, 500));
  BusyClient client(way, 3);
  REQUIRE(client.run_until([&] { return client->stats().spool.settled >= 5; }));
  way.gateway().stop(9);
  client.may_wait(1'000);
  const uint64_t sealed = client->stats().sealer.records_sealed;
  REQUIRE(client.run_until([&] { return client->stats().sealer.records_sealed >= sealed + 20; }));
  REQUIRE_FALSE(client.bus_done());
  REQUIRE(client->set_policy(policy_of(2)) == Status::kOk);
  REQUIRE(client.run_until([&] { return client->stats().sealer.sessions_opened == 2 && client.bus_done(); }));
  way.start_gateway();
  REQUIRE(client.run_until([&] { return client.everything_delivered(); }));
  CHECK(suites_of_sessions(way) == "1 2\n");
  check_every_sample_once(way, kPairs);
}

TEST_CASE(
    "withdrawal refused: a policy that leaves this token no suite changes nothing, and no agent starts with "
    "it") {
  constexpr size_t kPairs = 4'000;
  Way way(canary_dbc());  // SoftHSM2: no suite 1
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(kPairs, 500));
  setenv("SOFTHSM2_CONF", (way.vehicle_folder() + "/softhsm2.conf").c_str(), 1);
  {
    BusyClient client(way, 3);
    REQUIRE(client.run_until([&] { return client->stats().spool.settled > 0; }));
    CHECK(client->set_policy(policy_of(1)) == Status::kUnsupported);
    REQUIRE(client.run_until([&] { return client.everything_delivered(); }));
    CHECK(client->stats().sealer.sessions_opened == 1);
  }
  check_every_sample_once(way, kPairs);
  way.start_agent(agent_with("1", "max"));
  REQUIRE(eventually([&] { return !way.agent().running(); }, 30));
  CHECK(way.agent().wait() == 2);
  CHECK(way.agent_words().find("cannot start (unsupported)") != std::string::npos);
}

TEST_CASE(
    "withdrawal between two runs: the spool's suite 1 records are delivered beside the new suite 2 session") {
  skip_without_nss();
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(100, 500));
  deliver(way, "1, 2");
  way.gateway().stop(15);
  spill(way.path("log"), canary_log(200'000, 500));
  way.start_agent(agent_with("1, 2", "recorded"));
  REQUIRE(eventually(
      [&] {
        const auto status = way.agent_status();
        return status && status->at("records_waiting").get<int64_t>() >= 2;
      },
      30));
  CHECK(way.agent().stop(15) == 0);
  const auto stopped = way.agent_summary();
  REQUIRE(stopped.at("records_waiting") > 0);

  way.start_gateway();
  spill(way.path("log"), canary_log(1'000, 500));
  deliver(way, "2");
  CHECK(suites_of_sessions(way) == "1 1 2\n");
  const auto cloud = way.backend_stats();
  CHECK(cloud.at("samples").get<uint64_t>() == stopped.at("samples").get<uint64_t>() + 1'100 * kSignals);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("refusals") == 0);
  CHECK(cloud.at("alarm_kinds") == nlohmann::json::object());
}

TEST_CASE(
    "withdrawal by the backend: prekeys stop offering suite 1, sessions under those given before are opened") {
  skip_without_nss();
  constexpr size_t kPairs = 20'000;
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(kPairs, 500));
  {
    BusyClient client(way, 3);
    REQUIRE(client.run_until([&] { return client->stats().spool.settled >= 20; }));
    // From now on nothing is delivered, so that the backend learns of the session's end and the next one's start late.
    way.backend().stop(9);
    way.set_backend_policy("suites_offered", {2});
    client.may_wait(1'000);
    CryptoPolicy new_session = policy_of(3);
    new_session.limits.records = 1'000'000;  // tighter: ends the session
    REQUIRE(client->set_policy(new_session) == Status::kOk);
    REQUIRE(client.run_until([&] { return client->stats().sealer.sessions_opened == 2; }));
    way.start_backend();
    REQUIRE(client.run_until([&] { return client.everything_delivered(); }));
  }
  CHECK(suites_of_sessions(way) == "1 1\n");
  check_every_sample_once(way, kPairs);

  // A new start asks for the time, and gets prekeys with it.
  spill(way.path("log"), "");
  deliver(way, "1, 2");
  spill(way.path("log"), canary_log(100, 500));
  deliver(way, "1, 2");
  CHECK(suites_of_sessions(way).substr(0, 3) == "1 1");
  CHECK(way.query("SELECT suite FROM sessions ORDER BY counter DESC LIMIT 1") == "2\n");
  CHECK(way.backend_stats().at("refusals") == 0);
  CHECK(way.backend_stats().at("samples").get<uint64_t>() == (kPairs + 100) * kSignals);
}

TEST_CASE("no common suite: the vehicle waits and loses nothing until the backend offers one again") {
  skip_without_nss();
  constexpr size_t kPairs = 4'000;
  Way way(canary_dbc());
  way.use_nss_vehicle();
  way.use_nss_backend();
  way.set_backend_policy("suites_offered", {2});
  way.start_backend();
  way.start_gateway();
  spill(way.path("log"), canary_log(kPairs, 500));
  {
    // Prekeys for suite 2 that the backend would give again, as nobody has used them.
    BusyClient client(way, 3, Log::kHeld);
    REQUIRE(client.run_until([&] { return client->stats().prekeys.one_time > 0; }));
  }

  BusyClient client(way, 1);
  REQUIRE(client.run_until([&] { return client->stats().courier.prekey_fetches >= 3; }));
  CHECK(client->stats().courier.last_http_status == 200);
  CHECK(client->stats().time_trusted);
  CHECK(client->stats().sealer.sessions_opened == 0);
  way.backend().stop(9);
  way.set_backend_policy("suites_offered", {1, 2});
  way.start_backend();
  REQUIRE(client.run_until([&] { return client.everything_delivered(); }));
  CHECK(suites_of_sessions(way) == "1\n");
  CHECK(client->stats().sealer.samples_sealed == kPairs * kSignals);
  CHECK(way.backend_stats().at("samples").get<uint64_t>() == kPairs * kSignals);
  CHECK(way.backend_stats().at("records_lost") == 0);
}

}  // namespace agent_test
