// SPDX-License-Identifier: Apache-2.0
// The same life before the reference backend itself, in this process, on SQLite and a SoftHSM2 token. Both ends are cut
// again and again: the vehicle at a write, the backend before its commit and between commit and answer.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "power_cut/life_rig.hpp"
#include "service.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "world.hpp"

namespace wayseal::test {
namespace {

constexpr int kCuts = 200;
constexpr uint64_t kSeed = 11;

std::string text(const Blob& bytes) { return {bytes.begin(), bytes.end()}; }
Blob blob(const std::vector<uint8_t>& bytes) { return bytes; }

/// The reference backend without its sockets.
class CloudEnd final : public OtherEnd {
 public:
  explicit CloudEnd(std::string vehicle_id) : vehicle_id_(std::move(vehicle_id)) {
    const std::string fleet = cloud_test::Fleet::get().folder() + "/backend";
    config_ = cloud::load_config(fleet + "/backend.json");
    config_.database = folder_ / "backend.db";
    config_.log = folder_ / "log";
    config_.policy.prekeys_per_request = LifeBackend::kPrekeysGiven;
    ::setenv("SOFTHSM2_CONF", config_.softhsm2_conf.c_str(), 1);
    start();
  }

  std::string serve(const fakes::HttpRequest& request, int64_t utc_ms) override {
    if (restart_due_) start();
    const bool prekeys = request.path == "/v1/prekeys";
    // The vehicle's clock may run ahead of ours, and it does not believe in a time that goes back.
    if (prekeys) {
      const int64_t least_ms = std::max(utc_ms, told_ms_ + (utc_ms - told_at_ms_)) + 1;
      while (cloud::now_ms() < least_ms) std::this_thread::yield();
      told_ms_ = cloud::now_ms() + 1;
      told_at_ms_ = utc_ms;
    }
    const cloud::Reply reply =
        service_->handle(prekeys ? cloud::Route::kPrekeys : cloud::Route::kRecords, vehicle_id_, request.body);
    if (reply.status >= 500) ++troubles_;
    return fakes::http_answer(static_cast<int>(reply.status), reply.body);
  }

  /// Whatever it has not committed is gone; it comes up again with the next request.
  void kill() { restart_due_ = true; }

  // All prekeys that the vehicle may have used by now without a word.
  void refuse_next_session() override {
    database().run("UPDATE prekeys SET state = 3 WHERE claimed_by IS NULL OR last_resort = 1");
  }
  bool accounts_for(const EntryName& name) override {
    const auto sequence = static_cast<int64_t>(name.second);
    return has("SELECT 1 FROM records r JOIN sessions s ON r.session = s.id WHERE s.session_id = ? AND "
               "r.sequence = ?",
               text(name.first), sequence) ||
           has("SELECT 1 FROM losses WHERE session_id = ?1 AND first <= ?2 AND last >= ?2", text(name.first),
               sequence);
  }
  bool knows_session(const Blob& id) override {
    return has("SELECT 1 FROM sessions WHERE session_id = ?", text(id));
  }
  std::string missing() override {
    const auto open = count("SELECT COUNT(*) FROM sessions WHERE last_durable IS NOT NULL AND state = 1");
    return open == 0 ? "" : std::to_string(open) + " sessions are not complete";
  }
  uint64_t lost_without_session() override {
    return static_cast<uint64_t>(count("SELECT COALESCE(SUM(count), 0) FROM nameless_losses"));
  }
  std::string alarm() {
    std::string kinds;
    database().each("SELECT kind FROM alarms",
                    [&kinds](const cloud::Row& row) { kinds += " " + row.bytes(0); });
    return kinds;
  }
  int64_t count(const char* sql) { return database().integer(sql).value_or(0); }
  uint64_t starts() const { return starts_; }
  uint64_t troubles() const { return troubles_; }

 private:
  cloud::Database& database() { return core_->store.database(); }
  template <typename... T>
  bool has(const char* sql, const T&... values) {
    return database().integer(sql, values...).has_value();
  }

  void start() {
    service_.reset();
    core_.reset();
    log_ = std::make_unique<cloud::Log>(config_.log);
    core_ = std::make_unique<cloud::Core>(config_, *log_, cloud::read_pin_file(config_.pin_file));
    service_ = std::make_unique<cloud::Service>(*core_);
    restart_due_ = false;
    ++starts_;
  }

  std::string vehicle_id_;
  cloud_test::TemporaryFolder folder_;
  cloud::Config config_;
  std::unique_ptr<cloud::Log> log_;
  std::unique_ptr<cloud::Core> core_;
  std::unique_ptr<cloud::Service> service_;
  bool restart_due_ = false;
  int64_t told_ms_ = 0;
  int64_t told_at_ms_ = 0;
  uint64_t starts_ = 0;
  uint64_t troubles_ = 0;
};

/// A vehicle of the fleet: the fake vault with real certificates.
struct FleetProvisioning {
  FleetProvisioning() {
    auto& pki = cloud_test::Fleet::get().pki();
    identity.id = "v-life";
    identity.key = fakes::random_scalar();
    const EcPoint point = fakes::public_point(identity.key);
    const auto issued = pki.issue_role(Role::kVehicle, identity.id, oem::key_of_point(point.data).get(), 90);
    identity.leaf = blob(oem::der_of(issued.leaf.get()));
    identity.intermediate = blob(oem::der_of(issued.intermediate.get()));
    root = blob(oem::der_of(pki.certificate("data-root").get()));
    REQUIRE(verifier.set_root({root.data(), root.size()}) == Status::kOk);
    identity.verifier = &verifier;
  }
  X509Verifier verifier;
  Blob root;
  LifeIdentity identity;
};

class CloudChain {
 public:
  CloudChain() : end_(who_.identity.id), world_(kSeed, who_.identity, cloud::now_ms(), end_), watch_(world_) {
    world_.spool.before_write = [this] { count_down(world_.spool, world_.state); };
    world_.state.before_write = [this] { count_down(world_.state, world_.spool); };
    world_.sent = [this](const Blob& record) { watch_.sent(record); };
    world_.fate = [this](const LifeWorld&) { return fate(); };
  }

  void run(int cuts) {
    for (int i = 0; i < cuts && tally.failures.empty();) {
      left_ = 1 + dice_() % 150;
      mode_ = kCutModes[dice_() % 3];
      ClientLife life(world_);
      if (life.run()) {
        world_.phase = 1;
        continue;
      }
      ++i;
      tally.add(mode_, world_.phase);
      tally.note(kSeed, "cut " + std::to_string(i), watch_.power_on_again(life, end_));
    }
    if (!tally.failures.empty()) return;
    left_ = 0;
    ClientLife life(world_);
    static_cast<void>(life.run());
    tally.note(kSeed, "in the end", life.wrong());
    tally.note(kSeed, "in the end", watch_.wrong());
    if (end_.lost_without_session() == 0) tally.note(kSeed, "missing in the end", end_.missing());
    tally.note(kSeed, "alarms", end_.alarm());
  }

  CutTally tally;
  uint64_t kills = 0;
  CloudEnd& end() { return end_; }

 private:
  // One request in eight meets a backend that dies.
  RequestFate fate() {
    const uint64_t dice = dice_() % 16;
    if (dice > 1 || left_ == 0) return RequestFate::kServed;
    ++kills;
    end_.kill();
    return dice == 0 ? RequestFate::kLostBefore : RequestFate::kLostAfter;
  }

  void count_down(FakeFlash& writing, FakeFlash& other) {
    watch_.look();
    if (left_ == 0 || --left_ != 0) return;
    writing.cut_power_at(1, mode_);
    other.cut_power(mode_);
  }

  FleetProvisioning who_;
  CloudEnd end_;
  LifeWorld world_;
  LifeWatch watch_;
  std::mt19937_64 dice_{kSeed};
  uint64_t left_ = 0;
  CutMode mode_ = CutMode::kClean;
};

}  // namespace

TEST_CASE(
    "invariants 3, 4, 5, 8: power cut again and again, before the reference backend, which dies as well") {
  const CutChoice choice;
  const int cuts = static_cast<int>(kCuts / choice.stride);
  CloudChain chain;
  chain.run(cuts);
  chain.tally.print("reference backend", choice);
  std::printf(
      "reference backend: killed %llu times, %lld sessions, %lld records, %lld loss ranges, %llu lost "
      "without a session, %lld duplicates\n",
      static_cast<unsigned long long>(chain.kills),
      static_cast<long long>(chain.end().count("SELECT COUNT(*) FROM sessions")),
      static_cast<long long>(chain.end().count("SELECT COUNT(*) FROM records")),
      static_cast<long long>(chain.end().count("SELECT COUNT(*) FROM losses")),
      static_cast<unsigned long long>(chain.end().lost_without_session()),
      static_cast<long long>(chain.end().count("SELECT value FROM counters WHERE name = 'duplicates'")));
  chain.tally.check();
  CHECK(chain.tally.cuts == static_cast<uint64_t>(cuts));
  CHECK(chain.end().troubles() == 0);
}

}  // namespace wayseal::test
