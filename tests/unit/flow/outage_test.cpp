// SPDX-License-Identifier: Apache-2.0
// The whole cloud side, with one fault at any one call of token or storage: everything arrives in the end, once.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <vector>

#include "unit/flow/courier_rig.hpp"

namespace wayseal::fakes {
namespace {

/// What a fault does at the call that it was ordered for.
struct Strike {
  std::function<void(CourierWorld&, VaultCall)> vault;
  std::function<void(test::FakeFlash&)> flash;  ///< What fails for good is mended after a minute.
};

/// Counts the calls of everything that a test lets fail, and strikes at one of them.
class Fault {
 public:
  Fault(CourierWorld& world, Strike strike, uint64_t at) : world_(world), strike_(std::move(strike)), at_(at) {
    if (strike_.vault) {
      world_.vault.on_call([this](VaultCall call) {
        if (++calls_ == at_) strike_.vault(world_, call);
      });
    }
    if (strike_.flash) {
      watch(world_.spool_flash);
      watch(world_.state_flash);
    }
  }
  ~Fault() {
    world_.vault.on_call([](VaultCall) {});
    world_.spool_flash.on_call = nullptr;
    world_.state_flash.on_call = nullptr;
  }
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;

  bool happened() const { return calls_ >= at_; }

 private:
  void watch(test::FakeFlash& flash) {
    flash.on_call = [this, &flash] {
      ++calls_;
      if (calls_ == at_) {
        strike_.flash(flash);
        back_ = after_ms(world_.clock.now(), 60 * 1000);
      }
      if (calls_ == at_ + 1) flash.fail_write_at(0, Status::kOk);  // one fault is one
      if (calls_ < at_ || world_.clock.now() < back_) return;
      flash.fail_all_writes({});
      flash.make_unreadable(0, 0);
    };
  }

  CourierWorld& world_;
  Strike strike_;
  uint64_t at_;
  uint64_t calls_ = 0;
  MonotonicTime back_;
};

constexpr int kRecords = 6;  // the queue holds them all

/// First prekeys, two uploads, a sleep between them, and a second session because of a spent one.
bool deliver_day(CourierLife& life) {
  for (int part = 0; part < 3; ++part) {
    for (int i = 0; i < kRecords / 3; ++i) {
      std::string payload = "record " + std::to_string(life.collected++);
      payload.resize(300, '.');
      if (!SealerLife::collect(life.bus_queue, payload)) return false;
    }
    life.run_for(5000);
    if (part == 1) static_cast<void>(life.sealer.prepare_sleep(after_ms(life.clock().now(), 1000)));
  }
  return life.deliver_all(30 * 60 * 1000);
}

/// \return how many days had their fault.
int days_with(const Strike& strike) {
  SealerConfig sealing;
  sealing.policy.limits.records = 4;
  for (uint64_t n = 1, days = 0;; n += 1 + n / 64, ++days) {
    CourierWorld world;
    CourierLife life(world, {}, sealing);
    INFO("call " << n);
    bool happened = false;
    {
      Fault fault(world, strike, n);
      CHECK(deliver_day(life));
      happened = fault.happened();
    }
    if (!happened) return static_cast<int>(days);
    std::vector<std::string> payloads = life.payloads(ContentType::kBatch);
    const uint64_t damaged = life.spool.stats().damaged;
    std::sort(payloads.begin(), payloads.end());
    CHECK(std::adjacent_find(payloads.begin(), payloads.end()) == payloads.end());
    CHECK(payloads.size() + damaged >= kRecords);
    CHECK_FALSE(world.vault.nonce_reused());
  }
}

}  // namespace

TEST_CASE("outage: whichever call of the token loses it, everything arrives once") {
  CHECK(days_with({[](CourierWorld& world, VaultCall call) { world.vault.fail(call, 1, Status::kTokenLost); },
                   {}}) > 15);
}

TEST_CASE("outage: whichever call of the token fails, everything arrives once") {
  CHECK(days_with({[](CourierWorld& world, VaultCall call) { world.vault.fail(call, 1, Status::kTimeout); },
                   {}}) > 15);
}

TEST_CASE("outage: whichever write of spool or state fails, everything arrives once") {
  CHECK(days_with({{}, [](test::FakeFlash& flash) { flash.fail_write_at(1, Status::kStorageFailed); }}) > 60);
}

TEST_CASE("outage: whichever read of spool or state fails, everything arrives once or is counted") {
  CHECK(days_with({{}, [](test::FakeFlash& flash) { flash.fail_read_at(1, Status::kStorageFailed); }}) > 60);
}

TEST_CASE("outage: a medium that is gone for a minute, whenever it goes, loses nothing") {
  CHECK(days_with({{}, [](test::FakeFlash& flash) {
                     flash.fail_all_writes(Status::kStorageFailed);
                     flash.make_unreadable(0, flash.geometry().size());
                   }}) > 60);
}

}  // namespace wayseal::fakes
