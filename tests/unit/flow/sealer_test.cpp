// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/sealer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>

#include "unit/flow/sealer_rig.hpp"

namespace wayseal {
namespace {

using fakes::BackendHalf;
using fakes::Blob;
using fakes::SealerLife;
using fakes::SealerWorld;
using fakes::VaultCall;

using Texts = std::vector<std::string>;

TEST_CASE("sealer: what was collected before the first prekeys is sealed when they come") {
  SealerWorld world;
  SealerLife life(world);
  for (const char* text : {"a", "b", "c"}) REQUIRE(SealerLife::collect(life.bus_queue, text));
  CHECK(life.run() == Status::kNotFound);
  CHECK(life.sealer.wants_prekeys());
  CHECK(life.bus_queue.size() == 3);
  CHECK(world.vault.calls(VaultCall::kMakeEphemeral) == 0);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  CHECK(life.run() == Status::kOk);
  CHECK_FALSE(life.sealer.wants_prekeys());
  CHECK(life.deliver() == 3);
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b", "c"});
  CHECK(life.sealer.stats().records_sealed == 3);
  CHECK(life.sealer.stats().samples_sealed == 3);
}

TEST_CASE("sealer: without work and an empty spool no session is opened, so no prekey is spent") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  CHECK(life.run() == Status::kOk);
  CHECK(life.sealer.session().state() == SessionState::kNone);
  CHECK(life.prekeys.counts().one_time == 2);
}

TEST_CASE("sealer: a step seals at most as many contents as configured, own events first") {
  SealerWorld world;
  SealerConfig config;
  config.records_per_step = 2;
  SealerLife life(world, config);
  REQUIRE(life.fetch(2).bundle == Status::kOk);
  for (const char* text : {"a", "b", "c"}) REQUIRE(SealerLife::collect(life.bus_queue, text));
  REQUIRE(SealerLife::collect(life.own_queue, "event", ContentType::kSecurityEvent));
  CHECK(life.sealer.step(world.clock.now()) == Status::kWouldBlock);
  CHECK(life.own_queue.size() == 0);
  CHECK(life.bus_queue.size() == 2);
  CHECK(life.sealer.step(world.clock.now()) == Status::kOk);
  life.deliver();
  CHECK(life.payloads(ContentType::kSecurityEvent) == Texts{"event"});
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b", "c"});
}

TEST_CASE("sealer: every start is a new session that says where the one before ended") {
  SealerWorld world;
  {
    SealerLife life(world);
    REQUIRE(life.fetch(8).bundle == Status::kOk);
    for (int i = 0; i < 3; ++i) REQUIRE(SealerLife::collect(life.bus_queue, "first life"));
    REQUIRE(life.run() == Status::kOk);
    REQUIRE(life.spool.sync() == Status::kOk);
    REQUIRE(SealerLife::collect(life.bus_queue, "never synced"));
    REQUIRE(life.run() == Status::kOk);
    world.spool_flash.cut_power(test::CutMode::kLoseUnsynced);
  }
  world.spool_flash.power_on();
  SealerLife life(world);
  REQUIRE(SealerLife::collect(life.bus_queue, "second life"));
  REQUIRE(life.run() == Status::kOk);
  life.deliver();
  REQUIRE(world.backend.sessions.size() == 2);
  const auto& now = world.backend.sessions.at(fakes::id_blob(life.sealer.session().id()));
  const auto& before = world.backend.sessions.at(now.previous);
  CHECK(before.counter + 1 == now.counter);
  const size_t delivered = life.payloads(ContentType::kBatch).size() - 1;
  CHECK(now.previous_last_durable == delivered);
  CHECK((delivered == 3 || delivered == 4));
}

TEST_CASE("sealer: a session that never became durable is nobody's previous session") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  const Blob first = fakes::id_blob(life.sealer.session().id());
  // The next SessionOpen cannot be stored.
  world.clock.break_continuity();
  REQUIRE(SealerLife::collect(life.bus_queue, "b"));
  REQUIRE(life.spool.sync() == Status::kOk);
  world.spool_flash.fail_all_writes(Status::kFull);
  CHECK(life.run() == Status::kFull);
  CHECK(life.sealer.session().state() == SessionState::kNone);
  world.spool_flash.fail_all_writes(std::nullopt);
  world.clock.advance_ms(120000);
  Status status = life.run();
  for (int i = 0; i < 5 && status != Status::kOk; ++i) {
    world.clock.advance_ms(120000);
    status = life.run();
  }
  REQUIRE(status == Status::kOk);
  life.deliver();
  const auto& now = world.backend.sessions.at(fakes::id_blob(life.sealer.session().id()));
  CHECK(now.previous == first);
  CHECK(now.previous_last_durable == 1);
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b"});
}

TEST_CASE("sealer: a lost token costs nothing but a new session") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "b"));
  SECTION("between two records") { world.vault.lose_token(); }
  SECTION("in the middle of a seal") { world.vault.fail(VaultCall::kSeal, 1, Status::kTokenLost); }
  CHECK(life.run() == Status::kTokenLost);
  CHECK(life.bus_queue.size() == 1);
  CHECK(life.run() == Status::kOk);
  CHECK(life.sealer.stats().token_reopens == 1);
  CHECK(life.sealer.stats().sessions_opened == 2);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b"});
  CHECK_FALSE(world.vault.nonce_reused());
}

TEST_CASE("sealer: an absent token is tried again ever more rarely, and nothing is dropped") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  world.vault.remove_token();
  for (int ms = 0; ms < 600000; ms += 100) {
    CHECK(life.sealer.step(world.clock.now()) == Status::kTokenLost);
    world.clock.advance_ms(100);
  }
  // 0, 0.5, 1, 2, 4, ... s, then once a minute: about 17 in ten minutes.
  CHECK(world.vault.calls(VaultCall::kReopen) < 20);
  CHECK(world.vault.calls(VaultCall::kReopen) > 10);
  world.vault.insert_token();
  world.clock.advance_ms(60000);
  CHECK(life.run() == Status::kOk);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a"});
}

TEST_CASE("sealer: a wrong PIN is tried once and never again") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  world.vault.lose_token();
  world.vault.set_wrong_pin();
  for (int i = 0; i < 50; ++i) {
    static_cast<void>(life.sealer.step(world.clock.now()));
    world.clock.advance_ms(60000);
  }
  CHECK(life.sealer.step(world.clock.now()) == Status::kDenied);
  CHECK(world.vault.logins() == 1);
  CHECK(world.vault.calls(VaultCall::kReopen) == 1);
  CHECK(life.bus_queue.size() == 1);
}

TEST_CASE("sealer: keys that fail again and again are given up for a new session") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  world.vault.fail_always(VaultCall::kSeal, Status::kTimeout);
  for (int i = 0; i < 3; ++i) {
    CHECK(life.sealer.step(world.clock.now()) == Status::kTimeout);
    world.clock.advance_ms(60000);
  }
  CHECK(life.sealer.stats().voids == 3);
  CHECK(life.sealer.session().state() == SessionState::kNone);
  world.vault.heal();
  CHECK(life.run() == Status::kOk);
  CHECK(life.sealer.stats().sessions_opened == 2);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a"});
}

TEST_CASE("sealer: a spool that fails is mounted again, and nothing that waits in the queue is lost") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  REQUIRE(life.spool.sync() == Status::kOk);
  world.spool_flash.fail_all_writes(Status::kStorageFailed);
  REQUIRE(SealerLife::collect(life.bus_queue, "b"));
  CHECK(life.run() == Status::kStorageFailed);
  world.clock.advance_ms(60000);
  CHECK(life.run() == Status::kStorageFailed);
  CHECK(life.bus_queue.size() == 1);
  world.spool_flash.fail_all_writes(std::nullopt);
  world.clock.advance_ms(60000);
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.stats().spool_remounts >= 1);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b"});
}

TEST_CASE("sealer: a write that happened and was reported as failed stores no content twice") {
  const Status failure = GENERATE(Status::kStorageFailed, Status::kFull);
  for (uint64_t n = 1; n <= 4; ++n) {
    INFO("write " << n);
    SealerWorld world;
    SealerLife life(world);
    REQUIRE(life.fetch(8).bundle == Status::kOk);
    REQUIRE(SealerLife::collect(life.bus_queue, "a"));
    REQUIRE(life.run() == Status::kOk);
    world.spool_flash.fail_after_write_at(n, failure);
    REQUIRE(SealerLife::collect(life.bus_queue, std::string(700, 'b')));
    for (int i = 0; i < 10; ++i) {
      static_cast<void>(life.run());
      world.clock.advance_ms(60000);
    }
    REQUIRE(life.run() == Status::kOk);
    life.deliver();
    CHECK(life.payloads(ContentType::kBatch) == Texts{"a", std::string(700, 'b')});
  }
}

TEST_CASE("sealer: while the spool cannot be written, no prekey is spent and the token is left alone") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  REQUIRE(life.spool.sync() == Status::kOk);
  const Status failure = GENERATE(Status::kStorageFailed, Status::kFull);
  world.spool_flash.fail_all_writes(failure);
  if (failure == Status::kFull) world.clock.break_continuity();
  REQUIRE(SealerLife::collect(life.bus_queue, "b"));
  CHECK(life.run() == failure);
  const size_t prekeys = life.prekeys.counts().one_time;
  const auto agreed = world.vault.calls(VaultCall::kMakeEphemeral);
  for (int i = 0; i < 20; ++i) {
    world.clock.advance_ms(60000);
    CHECK(life.run() == failure);
  }
  CHECK(life.prekeys.counts().one_time == prekeys);
  CHECK(world.vault.calls(VaultCall::kMakeEphemeral) == agreed);
  world.spool_flash.fail_all_writes(std::nullopt);
  world.clock.advance_ms(60000);
  REQUIRE(life.run() == Status::kOk);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b"});
}

TEST_CASE("sealer: a sync that failed for the courier is the sealer's to mend") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  world.spool_flash.fail_write_at(1, Status::kStorageFailed);
  REQUIRE(life.spool.sync() == Status::kStorageFailed);
  CHECK(life.run() == Status::kOk);
  CHECK(life.sealer.stats().spool_remounts == 1);
  CHECK(life.spool.ready() == Status::kOk);
}

TEST_CASE("sealer: records are durable after the interval, and after the bytes") {
  SealerWorld world;
  SealerConfig config;
  config.sync_interval_ms = 1000;
  config.sync_bytes = 1000;
  SealerLife life(world, config);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  const auto durable = [&life] { return life.spool.last_durable(life.sealer.session().id()).value_or(0); };
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  CHECK(durable() == 0);
  world.clock.advance_ms(999);
  REQUIRE(life.run() == Status::kOk);
  CHECK(durable() == 0);
  world.clock.advance_ms(1);
  REQUIRE(life.run() == Status::kOk);
  CHECK(durable() == 1);
  REQUIRE(SealerLife::collect(life.bus_queue, std::string(1000, 'x')));
  REQUIRE(life.run() == Status::kOk);
  CHECK(durable() == 2);
}

TEST_CASE("sealer: before sleep everything collected becomes durable, with the floor of time") {
  SealerWorld world;
  {
    SealerLife life(world);
    REQUIRE(life.fetch(8).bundle == Status::kOk);
    for (const char* text : {"a", "b", "c"}) REQUIRE(SealerLife::collect(life.bus_queue, text));
    world.clock.advance_ms(5000);
    const uint64_t floor_before = static_cast<uint64_t>(life.time.not_before().ms);
    CHECK(life.sealer.prepare_sleep(after_ms(world.clock.now(), 100)) == Status::kOk);
    CHECK(floor_before == static_cast<uint64_t>(BackendHalf::kNowMs + 5000));
    world.spool_flash.cut_power(test::CutMode::kLoseUnsynced);
    world.state_flash.cut_power(test::CutMode::kLoseUnsynced);
  }
  world.spool_flash.power_on();
  world.state_flash.power_on();
  SealerLife life(world);
  CHECK(life.time.not_before() == UtcTime{BackendHalf::kNowMs + 5000});
  CHECK(life.deliver() == 3);
}

TEST_CASE("sealer: before sleep it stops at the deadline and says that something is left") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  for (int i = 0; i < 8; ++i) REQUIRE(SealerLife::collect(life.bus_queue, "x"));
  world.vault.on_call([&world](VaultCall call) {
    if (call == VaultCall::kSeal) world.clock.advance_ms(10);  // a slow token
  });
  CHECK(life.sealer.prepare_sleep(after_ms(world.clock.now(), 25)) == Status::kTimeout);
  CHECK(life.bus_queue.size() == 5);
  CHECK(life.spool.last_durable(life.sealer.session().id()).value_or(0) == 3);
  // A token that was reset meanwhile is opened again once.
  world.vault.lose_token();
  CHECK(life.sealer.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  CHECK(life.bus_queue.size() == 0);
  CHECK(life.deliver() == 8);
}

TEST_CASE("sealer: a policy without a usable suite is refused, one that withdraws the suite ends the session") {
  SealerWorld world;
  SealerLife life(world);
  REQUIRE(life.fetch(8).bundle == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "a"));
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.session().suite() == Suite::kP256HkdfSha256Aes256Gcm);
  CryptoPolicy policy;
  policy.suites = {8};
  CHECK(life.sealer.set_policy(policy) == Status::kUnsupported);
  CHECK(life.sealer.session().state() == SessionState::kAlive);
  policy.suites = {2};
  CHECK(life.sealer.set_policy(policy) == Status::kOk);
  REQUIRE(SealerLife::collect(life.bus_queue, "b"));
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.session().suite() == Suite::kP256CmacKdfAes256Gcm);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b"});
}

TEST_CASE("sealer: a session gives way to the next at its limit, without a gap") {
  SealerWorld world;
  SealerConfig config;
  config.policy.limits.records = 2;
  SealerLife life(world, config);
  REQUIRE(life.fetch(1).bundle == Status::kOk);
  for (const char* text : {"a", "b", "c", "d", "e"}) REQUIRE(SealerLife::collect(life.bus_queue, text));
  REQUIRE(life.run() == Status::kOk);
  CHECK(life.sealer.stats().sessions_opened == 3);
  life.deliver();
  CHECK(life.payloads(ContentType::kBatch) == Texts{"a", "b", "c", "d", "e"});
  std::set<Blob> transcripts;
  for (const auto& claim : world.backend.claims) transcripts.insert(claim.second.begin(), claim.second.end());
  CHECK(transcripts.size() == 3);  // one one-time prekey, then twice the last resort
}

TEST_CASE("sealer: trusted time is told to the bus side, and taken back after a resume") {
  SealerWorld world;
  SealerLife life(world);
  UtcOffset offset;
  static_cast<void>(life.run());
  REQUIRE(life.bus_time.load(offset));
  CHECK(offset.quality == TimeQuality::kUntrusted);
  REQUIRE(life.fetch(2).time == Status::kOk);
  static_cast<void>(life.run());
  REQUIRE(life.bus_time.load(offset));
  CHECK(offset.quality == TimeQuality::kTrusted);
  CHECK(offset.utc_offset_us == BackendHalf::kNowMs * 1000 - world.clock.now().ns / 1000);
  world.clock.break_continuity();
  static_cast<void>(life.run());
  REQUIRE(life.bus_time.load(offset));
  CHECK(offset.quality == TimeQuality::kUntrusted);
  CHECK(offset.utc_offset_us == 0);
}

TEST_CASE("sealer: a wrong configuration is told at every step, and does nothing") {
  SealerWorld world;
  SealerConfig config;
  config.records_per_step = 0;
  SealerLife life(world, config);
  CHECK(life.sealer.step(world.clock.now()) == Status::kInvalidArgument);
  CHECK(life.sealer.prepare_sleep(world.clock.now()) == Status::kInvalidArgument);
}

TEST_CASE("invariant 8: a power cut at any write loses only what was not synced, and leads to a new session") {
  // A drive with two sessions; after the cut everything that the spool gives opens, and every synced record is
  // there.
  int cuts = 0;
  for (uint64_t n = 1;; ++n) {
    SealerWorld world;
    size_t synced = 0;
    bool cut = false;
    {
      SealerLife life(world);
      REQUIRE(life.fetch(8).bundle == Status::kOk);
      const bool on_state = n % 2 == 0;
      (on_state ? world.state_flash : world.spool_flash)
          .cut_power_at((n + 1) / 2, test::CutMode::kLoseUnsynced);
      for (int i = 0; i < 6; ++i) {
        REQUIRE(SealerLife::collect(life.bus_queue, "record " + std::to_string(i)));
        if (i == 3) world.clock.break_continuity();
        if (life.run() == Status::kOk && life.spool.sync() == Status::kOk) synced = static_cast<size_t>(i) + 1;
        if (!world.state_flash.powered() || !world.spool_flash.powered()) break;
      }
      cut = !world.state_flash.powered() || !world.spool_flash.powered();
      if (cut) {  // one supply for both
        if (world.state_flash.powered()) world.state_flash.cut_power(test::CutMode::kLoseUnsynced);
        if (world.spool_flash.powered()) world.spool_flash.cut_power(test::CutMode::kLoseUnsynced);
      }
    }
    world.state_flash.power_on();
    world.spool_flash.power_on();
    SealerLife life(world);
    REQUIRE(SealerLife::collect(life.bus_queue, "after"));
    REQUIRE(life.run() == Status::kOk);
    life.deliver();
    const Texts texts = life.payloads(ContentType::kBatch);
    REQUIRE(texts.size() >= synced + 1);
    for (size_t i = 0; i < synced; ++i) REQUIRE(texts[i] == "record " + std::to_string(i));
    REQUIRE(texts.back() == "after");
    const auto& now = world.backend.sessions.at(fakes::id_blob(life.sealer.session().id()));
    if (synced > 0) {
      uint64_t highest = 0;
      for (const auto& one : world.stored) {
        if (one.first.first == now.previous) highest = std::max(highest, one.first.second);
      }
      REQUIRE(now.previous_last_durable == highest);
    }
    REQUIRE_FALSE(world.vault.nonce_reused());
    REQUIRE(world.spool_flash.violations() + world.state_flash.violations() == 0);
    if (!cut) {
      if (n % 2 == 0 && cuts > 0 && n > 60) break;
      if (n > 200) break;
      continue;
    }
    ++cuts;
  }
  INFO("cuts: " << cuts);
  CHECK(cuts >= 20);
}

}  // namespace
}  // namespace wayseal
