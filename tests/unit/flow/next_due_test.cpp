// SPDX-License-Identifier: Apache-2.0
// A firmware that sleeps until something is due does at the same moments what one does that looks every millisecond.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "unit/flow/client_rig.hpp"

namespace wayseal::fakes {
namespace {

constexpr int64_t kBurstMs = 700;  // between two bursts of frames

ClientConfig quick() {
  ClientConfig config = ClientRig::short_batches();
  config.recorder.batch_duration_ms = 150;
  config.sealer.sync_interval_ms = 230;
  config.sealer.loss_report_interval_ms = 900;
  config.sealer.retry_max_ms = 4000;
  config.courier.upload_bytes = 2048;
  config.courier.linger_ms = 310;
  config.courier.back_off_max_ms = 3000;
  config.courier.resend_ms = 1700;
  config.courier.idle_close_ms = 1100;
  config.courier.refresh_ms = 5 * 1000;
  return config;
}

FakeVaultOptions seeded() {
  FakeVaultOptions options;
  options.seed = 7;
  return options;
}

/// What a user, the backend or the medium could notice, and when.
using Seen = std::vector<std::pair<std::string, int64_t>>;

/// One firmware, awake at every millisecond or only when something is due.
class Firmware {
 public:
  enum class Wakes : uint8_t { kEveryMs, kWhenDue };

  explicit Firmware(Wakes wakes, const ClientConfig& config = quick(), size_t queue_records = 4)
      : rig(queue_records, config, seeded()), wakes_(wakes) {
    must(rig.client.start(rig.table));
  }

  /// Five frames every kBurstMs, for as long.
  void drive_for(int64_t ms) {
    const int64_t end = now_ms() + ms;
    while (now_ms() < end) {
      rig.send(5);
      run_for(kBurstMs);
    }
  }

  void run_for(int64_t ms) {
    const MonotonicTime end = after_ms(rig.world.clock.now(), ms);
    while (rig.world.clock.now() < end) {
      step();
      const MonotonicTime now = rig.world.clock.now();
      if (wakes_ == Wakes::kEveryMs) {
        rig.world.clock.advance_ms(1);
        continue;
      }
      MonotonicTime due = earlier(rig.client.next_bus_due(now), rig.client.next_cloud_due(now));
      REQUIRE(now <= due);
      // The first millisecond that is not before it: the one that looks every millisecond finds it then.
      if (due < end) due.ns = (due.ns + kNsPerMs - 1) / kNsPerMs * kNsPerMs;
      rig.world.clock.set(earlier(later(due, after_ms(now, 1)), end));
    }
  }

  ClientRig rig;
  Seen seen;
  uint64_t steps = 0;

 private:
  int64_t now_ms() const { return rig.world.clock.now().ns / kNsPerMs; }

  void step() {
    for (bool more = true; more;) {
      const MonotonicTime now = rig.world.clock.now();
      const Status bus = rig.client.step_bus(now);
      const Status cloud = rig.client.step_cloud(now);
      ++steps;
      more = bus == Status::kWouldBlock || cloud == Status::kWouldBlock;
      look();
    }
  }

  void look() {
    const ClientStats stats = rig.client.stats();
    const std::vector<std::pair<std::string, uint64_t>> counts = {
        {"batch", stats.collector.batches},
        {"dropped", stats.collector.samples_dropped},
        {"sealed", stats.sealer.records_sealed},
        {"report", stats.sealer.loss_reports},
        {"session", stats.sealer.sessions_opened},
        {"reopened", stats.sealer.token_reopens},
        {"remounted", stats.sealer.spool_remounts},
        {"sync", rig.world.spool_flash.syncs()},
        {"state", rig.world.state_flash.writes()},
        {"opening", rig.world.channel.openings()},
        {"open", rig.world.channel.is_open() ? 1U : 0U},
        {"request", rig.world.requests.size()},
        {"acked", stats.courier.uploads_acked},
        {"retry", stats.courier.retries},
        {"stored", rig.world.stored.size()},
        {"trusted", stats.time_trusted ? 1U : 0U},
    };
    if (last_.empty()) last_.resize(counts.size(), 0);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i].second != last_[i]) seen.emplace_back(counts[i].first, now_ms());
      last_[i] = counts[i].second;
    }
  }

  Wakes wakes_;
  std::vector<uint64_t> last_;
};

/// Plays `story` to both and compares.
void compare(const std::function<void(Firmware&)>& story, const ClientConfig& config = quick(),
             size_t queue_records = 4) {
  Firmware polling(Firmware::Wakes::kEveryMs, config, queue_records);
  story(polling);
  Firmware sleeping(Firmware::Wakes::kWhenDue, config, queue_records);
  story(sleeping);
  CHECK(polling.rig.world.stored.size() > 10);
  for (size_t i = 0; i < polling.seen.size() && i < sleeping.seen.size(); ++i) {
    CAPTURE(i);
    REQUIRE(sleeping.seen[i] == polling.seen[i]);
  }
  CHECK(sleeping.seen.size() == polling.seen.size());
  CHECK(sleeping.steps * 10 < polling.steps);
}

}  // namespace

TEST_CASE("next due: asleep in between, everything happens when it happens to one who never sleeps") {
  compare([](Firmware& firmware) {
    firmware.drive_for(20 * 1000);
    firmware.run_for(30 * 1000);
    firmware.drive_for(10 * 1000);
    firmware.run_for(130 * 1000);  // all of it refreshed, with nothing to send
  });
}

TEST_CASE("next due: while the line is down, and after") {
  compare([](Firmware& firmware) {
    firmware.drive_for(5 * 1000);
    firmware.rig.world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
    firmware.drive_for(40 * 1000);
    firmware.rig.world.channel.heal();
    firmware.drive_for(10 * 1000);
    firmware.run_for(20 * 1000);
  });
}

TEST_CASE("next due: while answers acknowledge nothing, or not all") {
  compare([](Firmware& firmware) {
    firmware.drive_for(5 * 1000);
    firmware.rig.world.ignored = {3, 4, 9};
    firmware.drive_for(20 * 1000);
    firmware.rig.world.twist = [](const HttpRequest& request, const std::string& honest) {
      return request.path == "/v1/records" ? http_answer(503, "") : honest;
    };
    firmware.drive_for(20 * 1000);
    firmware.rig.world.twist = nullptr;
    firmware.rig.world.ignored.clear();
    firmware.run_for(20 * 1000);
  });
}

TEST_CASE("next due: while the token is away the queue is full, samples are dropped, and reported in time") {
  compare(
      [](Firmware& firmware) {
        firmware.drive_for(5 * 1000);
        firmware.rig.world.vault.fail_always(VaultCall::kSeal, Status::kTokenLost);
        firmware.drive_for(30 * 1000);
        firmware.rig.world.vault.heal();
        firmware.drive_for(20 * 1000);
        firmware.run_for(20 * 1000);
      },
      quick(), 2);
}

TEST_CASE("next due: while the spool's medium fails, and without prekeys") {
  compare([](Firmware& firmware) {
    firmware.drive_for(5 * 1000);
    firmware.rig.world.spool_flash.fail_all_writes(Status::kStorageFailed);
    firmware.drive_for(20 * 1000);
    firmware.rig.world.spool_flash.fail_all_writes({});
    firmware.drive_for(5 * 1000);
    firmware.rig.world.spool_flash.fail_all_writes(Status::kFull);
    firmware.drive_for(10 * 1000);
    firmware.rig.world.spool_flash.fail_all_writes({});
    firmware.drive_for(5 * 1000);
    firmware.rig.world.one_time = 0;
    firmware.rig.world.prekey_suites = [] { return 0U; };
    firmware.drive_for(30 * 1000);
    firmware.rig.world.prekey_suites = [] { return 3U; };
    firmware.run_for(20 * 1000);
  });
}

TEST_CASE("next due: never again once the token has refused the log-in, and not before start") {
  Firmware firmware(Firmware::Wakes::kWhenDue);
  firmware.drive_for(3000);
  firmware.rig.world.vault.set_wrong_pin();
  firmware.rig.world.vault.lose_token();
  firmware.drive_for(60 * 1000);
  firmware.run_for(130 * 1000);  // until the Courier has needed the token as well
  const MonotonicTime now = firmware.rig.world.clock.now();
  CHECK(firmware.rig.client.step_cloud(now) == Status::kDenied);
  CHECK(firmware.rig.client.next_cloud_due(now) == kNever);

  ClientRig fresh;
  CHECK(fresh.client.next_cloud_due(now) == kNever);
  CHECK(fresh.client.next_bus_due(now) == kNever);
}

}  // namespace wayseal::fakes
