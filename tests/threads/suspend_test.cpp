// SPDX-License-Identifier: Apache-2.0
// Sleep and its clocks: suspend with and without a monotonic clock that stands still, UTC that jumps.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "threads/way_rig.hpp"
#include "unit/collect/batch_reader.hpp"

namespace wayseal::fakes {
namespace {

constexpr int64_t kHourMs = 60 * 60 * 1000;
constexpr int64_t kSleepMs = 8 * kHourMs;
constexpr int64_t kFrameMs = 2;

WayOptions steady() {
  WayOptions options;
  options.queue_records = 16;
  options.batch_duration_ms = 50;
  return options;
}

/// Both sides step for `ms` of the vehicle's time, with a frame every kFrameMs.
void drive(Way& way, int64_t ms) {
  FakeClock& clock = way.world.clock;
  const MonotonicTime end = after_ms(clock.now(), ms);
  while (clock.now() < end) {
    way.send_at(clock.now());
    static_cast<void>(way.client.step_bus(clock.now()));
    for (int i = 0; i < 100 && way.client.step_cloud(clock.now()) == Status::kWouldBlock; ++i) {
    }
    clock.advance_ms(kFrameMs);
  }
}

/// A batch as the backend has it.
struct Told {
  Blob session;
  uint64_t counter = 0;  ///< Of the session.
  std::set<uint32_t> frames;
  int quality = 0;
  int64_t utc_offset_us = 0;
};

/// Batches that hold a frame from `first` on, in no order.
std::vector<Told> batches_from(const WayWorld& world, uint32_t first) {
  std::vector<Told> found;
  for (const auto& one : world.stored) {
    if (one.second.type != static_cast<uint8_t>(ContentType::kBatch)) continue;
    const test::ReadBatch batch = test::read_batch({one.second.payload.begin(), one.second.payload.end()});
    Told told{one.first.first,
              world.backend.sessions.at(one.first.first).counter,
              {},
              batch.quality,
              batch.utc_offset_us};
    for (const test::ReadSample& sample : batch.signals.at({0, 0}))
      told.frames.insert(static_cast<uint32_t>(sample.raw));
    if (*told.frames.rbegin() >= first) found.push_back(told);
  }
  return found;
}

void check_all_delivered_once(const Way& way) {
  const Delivered there = delivered(way.world);
  CHECK(there.frames.size() == way.next_frame);
  CHECK(there.checks.size() == way.next_frame);
  CHECK(there.repeated == 0);
  CHECK(there.wrong == 0);
  CHECK(nonces_are_unique(way.world.vault));
  CHECK_FALSE(way.world.nonce_seen_twice);
}

/// What timers did since a moment, for limits.
struct Bustle {
  explicit Bustle(const Way& way) : client(way.client), before(client.stats()) {}
  uint32_t sessions() const { return client.stats().sealer.sessions_opened - before.sealer.sessions_opened; }
  uint32_t fetches() const { return client.stats().courier.prekey_fetches - before.courier.prekey_fetches; }
  uint32_t connections() const { return client.stats().courier.connections - before.courier.connections; }
  uint32_t uploads() const { return client.stats().courier.uploads - before.courier.uploads; }
  uint32_t retries() const { return client.stats().courier.retries - before.courier.retries; }
  uint64_t reports() const { return client.stats().sealer.loss_reports - before.sealer.loss_reports; }
  uint64_t batches() const { return client.stats().collector.batches - before.collector.batches; }
  const Client& client;
  const ClientStats before;
};

/// Nothing is done more often than a second of driving calls for.
void check_calm(const Bustle& bustle, uint32_t sessions) {
  CHECK(bustle.sessions() == sessions);
  CHECK(bustle.fetches() <= 2);
  CHECK(bustle.connections() <= 3);
  CHECK(bustle.reports() <= 1);
  CHECK(bustle.retries() <= 2);
  CHECK(bustle.batches() <= 1000 / 50 + 2);
  CHECK(bustle.uploads() <= bustle.batches() + 3);
}

}  // namespace

TEST_CASE("resume: a new session, records from before are delivered, and no timer runs wild") {
  // Monotonic time stands still in a suspend, or, with another port, goes on.
  const int64_t monotonic_jump_ms = GENERATE(int64_t{0}, kSleepMs, 20 * 24 * kHourMs);
  CAPTURE(monotonic_jump_ms);
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 1000);
  world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
  world.channel.close();
  drive(way, 500);
  REQUIRE(way.client.flush_bus() == Status::kOk);
  REQUIRE(way.client.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);
  REQUIRE(way.client.stats().spool.waiting_records > 5);
  const uint32_t first_after = way.next_frame;

  world.clock.advance_ms(monotonic_jump_ms);
  world.clock.break_continuity();
  world.utc_jump_ms = kSleepMs > monotonic_jump_ms ? kSleepMs - monotonic_jump_ms : 0;
  const Bustle bustle(way);
  world.channel.heal();
  drive(way, 1000);
  check_calm(bustle, 1);
  CHECK(way.client.stats().time_trusted);
  REQUIRE(way.deliver_all(world.clock));
  check_all_delivered_once(way);
  std::set<Blob> sessions;
  for (const Told& told : batches_from(world, first_after)) {
    CHECK(*told.frames.begin() >= first_after);
    CHECK(told.counter == 2);
    sessions.insert(told.session);
  }
  CHECK(sessions.size() == 1);
}

TEST_CASE("resume: no batch after it carries the time from before it") {
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 1000);
  const int64_t offset_us = batches_from(world, way.next_frame / 2).front().utc_offset_us;
  CHECK(offset_us == BackendHalf::kNowMs * 1000);
  world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
  world.channel.close();
  REQUIRE(way.client.flush_bus() == Status::kOk);
  REQUIRE(way.client.prepare_sleep(after_ms(world.clock.now(), 1000)) == Status::kOk);

  world.clock.break_continuity();
  world.utc_jump_ms = kSleepMs;
  const uint32_t first_after = way.next_frame;
  drive(way, 500);
  CHECK_FALSE(way.client.stats().time_trusted);  // nobody to ask
  const uint32_t first_trusted = way.next_frame;
  world.channel.heal();
  drive(way, 1000);
  CHECK(way.client.stats().time_trusted);
  REQUIRE(way.deliver_all(world.clock));
  check_all_delivered_once(way);
  size_t untrusted = 0;
  size_t trusted = 0;
  for (const Told& told : batches_from(world, first_after)) {
    const bool is_trusted = told.quality == static_cast<int>(TimeQuality::kTrusted);
    CHECK(told.utc_offset_us == (is_trusted ? offset_us + kSleepMs * 1000 : 0));
    if (*told.frames.rbegin() < first_trusted) CHECK_FALSE(is_trusted);
    (is_trusted ? trusted : untrusted) += 1;
  }
  CHECK(untrusted >= 5);
  CHECK(trusted >= 5);
}

TEST_CASE("resume in the middle of an upload: the line is dead, and everything arrives once") {
  const uint64_t cut_at = GENERATE(uint64_t{1}, uint64_t{400}, uint64_t{3000});
  const bool answer_lost = GENERATE(false, true);
  CAPTURE(cut_at, answer_lost);
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 200);
  LineFaults faults;
  (answer_lost ? faults.cut_after_received : faults.cut_after_sent) = cut_at;
  faults.write_max = 500;
  world.channel.close();
  world.channel.set_faults(faults);
  drive(way, 200);
  world.clock.break_continuity();
  world.utc_jump_ms = kSleepMs;
  world.channel.heal();
  drive(way, 500);
  REQUIRE(way.deliver_all(world.clock));
  check_all_delivered_once(way);
  CHECK(way.client.stats().sealer.sessions_opened == 2);
}

TEST_CASE("monotonic time that jumps without a resume: the session goes on until its age, nothing runs wild") {
  const int64_t jump_ms = GENERATE(kSleepMs, 25 * kHourMs);
  CAPTURE(jump_ms);
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 1000);
  world.clock.advance_ms(jump_ms);
  const Bustle bustle(way);
  drive(way, 1000);
  check_calm(bustle, jump_ms >= 24 * kHourMs ? 1 : 0);
  REQUIRE(way.deliver_all(world.clock));
  check_all_delivered_once(way);
  CHECK(way.client.stats().time_trusted);
}

TEST_CASE("UTC that jumps: forward is followed, backward is refused and disturbs nothing") {
  const int64_t jump_ms = GENERATE(24 * kHourMs, -100 * kHourMs);
  CAPTURE(jump_ms);
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 1000);
  world.utc_jump_ms = jump_ms;
  world.clock.advance_ms(25 * kHourMs);  // time is asked for once a day
  const Bustle bustle(way);
  drive(way, 1000);
  CHECK(bustle.fetches() >= 1);
  check_calm(bustle, 1);
  CHECK(way.client.stats().time_trusted);
  const uint32_t first_after = way.next_frame;
  drive(way, 500);
  REQUIRE(way.deliver_all(world.clock));
  check_all_delivered_once(way);
  for (const Told& told : batches_from(world, first_after)) {
    const int64_t followed_ms = jump_ms > 0 ? jump_ms : 0;
    CHECK(told.utc_offset_us == (BackendHalf::kNowMs + followed_ms) * 1000);
  }
}

TEST_CASE("resume without a warning: no sample is dated by the time of the other side of it") {
  WayWorld world;
  Way way(world, world.vault, world.clock, steady());
  way.start();
  drive(way, 1020);  // a batch is open
  const uint32_t first_after = way.next_frame;
  world.clock.break_continuity();
  world.utc_jump_ms = kSleepMs;
  drive(way, 1000);
  REQUIRE(way.deliver_all(world.clock));
  size_t misdated = 0;
  for (const Told& told : batches_from(world, 0)) {
    if (told.quality != static_cast<int>(TimeQuality::kTrusted)) continue;
    for (const uint32_t frame : told.frames) {
      const int64_t jump_ms = frame < first_after ? 0 : kSleepMs;
      misdated += told.utc_offset_us != (BackendHalf::kNowMs + jump_ms) * 1000 ? 1U : 0U;
    }
  }
  CHECK(misdated == 0);
}

}  // namespace wayseal::fakes
