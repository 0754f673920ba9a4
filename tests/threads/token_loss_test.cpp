// SPDX-License-Identifier: Apache-2.0
// The token goes away while both threads run, in each kind of call, and comes back later.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "threads/two_threads.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::fakes {
namespace {

constexpr uint32_t kBatchFrames = 20;
constexpr uint32_t kQueueRecords = 16;
constexpr unsigned kAbsences = 3;  // openings that fail before the token is back

WayOptions short_sessions() {
  WayOptions options;
  options.queue_records = kQueueRecords;
  options.batch_duration_ms = kBatchFrames;
  options.session_records = 8;
  return options;
}

size_t failed_seals(const FakeVault& vault) {
  size_t failed = 0;
  for (const NonceUse& use : vault.nonce_uses()) failed += use.status != Status::kOk ? 1U : 0U;
  return failed;
}

void check_all_delivered_once(const Way& way, const ClientStats& stats) {
  const Delivered there = delivered(way.world);
  CHECK(stats.collector.samples_dropped == 0);
  CHECK(there.frames.size() == way.next_frame);
  CHECK(there.checks.size() == way.next_frame);
  CHECK(there.repeated == 0);
  CHECK(there.wrong == 0);
  CHECK(way.world.stored.size() == stats.sealer.records_sealed);
  CHECK(stats.sealer.contents_dropped == 0);
  CHECK(nonces_are_unique(way.world.vault));
  CHECK_FALSE(way.world.nonce_seen_twice);
  CHECK(session_keys_are_unique(way.world));
}

/// Frames for ever more batches, as long as the queue has room for them, until `seen`.
bool send_until(Way& way, const TwoThreads& threads, const std::function<bool(const ClientStats&)>& seen) {
  return wait_for([&] {
    const ClientStats stats = threads.stats();
    const uint64_t sealed = stats.sealer.records_sealed - stats.sealer.loss_reports;
    if (way.next_frame < (sealed + kQueueRecords / 2) * kBatchFrames) way.send(kBatchFrames);
    return seen(stats);
  });
}

/// Lets the token fail once, in the cloud thread, when some records have been sealed.
class Trouble {
 public:
  Trouble(Way& way, std::function<void(FakeVault&)> make) : way_(way), make_(std::move(make)) {}
  void operator()() {
    if (made_ || way_.client.stats().sealer.records_sealed < 3) return;
    made_ = true;
    sessions_ = way_.client.stats().sealer.sessions_opened;
    for (unsigned i = 1; i <= kAbsences; ++i) way_.world.vault.fail(VaultCall::kReopen, i, Status::kTokenLost);
    make_(way_.world.vault);
  }
  bool made() const { return made_; }
  uint32_t sessions_before() const { return sessions_; }

 private:
  Way& way_;
  std::function<void(FakeVault&)> make_;
  bool made_ = false;
  uint32_t sessions_ = 0;
};

}  // namespace

TEST_CASE("a token lost in any of its calls costs a new session and no sample, while frames arrive") {
  const VaultCall call = GENERATE(VaultCall::kSeal, VaultCall::kOpen, VaultCall::kDerive, VaultCall::kSign,
                                  VaultCall::kMakeEphemeral, VaultCall::kRandom);
  const unsigned nth = GENERATE(1U, 2U);
  CAPTURE(static_cast<int>(call), nth);
  WayWorld world;
  PosixClock clock;
  Way way(world, world.vault, clock, short_sessions());
  way.start();
  Trouble trouble(way, [&](FakeVault& vault) { vault.fail(call, nth, Status::kTokenLost); });
  way.watch_ports();
  TwoThreads threads(way, [&] { trouble(); });
  CHECK(send_until(way, threads, [](const ClientStats& stats) {
    return stats.sealer.token_reopens > 0 && stats.sealer.records_sealed > 15;
  }));
  const uint64_t expected_voids = call == VaultCall::kSeal ? 1 : 0;
  REQUIRE(threads.finish([&] { return delivered(world).voids >= expected_voids; }));
  const ClientStats stats = threads.stats();
  CHECK(trouble.made());
  CHECK(stats.sealer.token_reopens == 1);
  CHECK(world.vault.calls(VaultCall::kReopen) == kAbsences + 1);
  CHECK(stats.sealer.sessions_opened > trouble.sessions_before());
  CHECK(stats.sealer.voids == expected_voids);
  CHECK(failed_seals(world.vault) == expected_voids);
  CHECK(delivered(world).voids == expected_voids);  // the backend is told
  check_all_delivered_once(way, stats);
  CHECK(way.cloud_watch.foreign() == 0);
}

TEST_CASE("a token lost between two seals, and taken away for a while") {
  const bool removed = GENERATE(false, true);
  CAPTURE(removed);
  WayWorld world;
  PosixClock clock;
  Way way(world, world.vault, clock, short_sessions());
  way.start();
  Trouble trouble(way, [&](FakeVault& vault) { removed ? vault.remove_token() : vault.lose_token(); });
  TwoThreads threads(way, [&] {
    trouble();
    // Somebody puts it back when it has been looked for a few times.
    if (world.vault.calls(VaultCall::kReopen) > kAbsences + 2) world.vault.insert_token();
  });
  CHECK(send_until(way, threads, [](const ClientStats& stats) {
    return stats.sealer.token_reopens > 0 && stats.sealer.records_sealed > 15;
  }));
  REQUIRE(threads.finish());
  const ClientStats stats = threads.stats();
  CHECK(stats.sealer.token_reopens == 1);
  CHECK(stats.sealer.sessions_opened > trouble.sessions_before());
  CHECK(stats.sealer.voids == 0);  // a number is taken from a living session only
  check_all_delivered_once(way, stats);
}

TEST_CASE("a token that is lost again and again delivers everything in the end") {
  WayWorld world;
  PosixClock clock;
  WayOptions options = short_sessions();
  Way way(world, world.vault, clock, options);
  way.start();
  uint32_t losses = 0;
  uint64_t sealed = 0;
  TwoThreads threads(way, [&] {
    const uint64_t now_sealed = way.client.stats().sealer.records_sealed;
    if (losses >= 12 || now_sealed < sealed + 2) return;
    sealed = now_sealed;
    ++losses;
    const VaultCall calls[] = {VaultCall::kSeal, VaultCall::kDerive, VaultCall::kSign, VaultCall::kSeal};
    world.vault.fail(calls[losses % 4], 1 + losses % 3, Status::kTokenLost);
    world.vault.fail(VaultCall::kReopen, 1, Status::kTokenLost);
  });
  CHECK(send_until(way, threads, [](const ClientStats& stats) { return stats.sealer.token_reopens >= 8; }));
  REQUIRE(threads.finish());
  const ClientStats stats = threads.stats();
  CHECK(stats.sealer.voids == failed_seals(world.vault));
  check_all_delivered_once(way, stats);
}

}  // namespace wayseal::fakes
