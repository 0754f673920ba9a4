// SPDX-License-Identifier: Apache-2.0
// The bus thread, the cloud thread, and a status page that looks on, with a token that takes its time.
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <mutex>

#include "threads/two_threads.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::fakes {
namespace {

constexpr std::chrono::milliseconds kSealTime{10};
constexpr std::chrono::milliseconds kSignTime{50};

/// A token of usual slowness.
void take_time(VaultCall call) {
  if (call == VaultCall::kSeal) std::this_thread::sleep_for(kSealTime);
  if (call == VaultCall::kSign) std::this_thread::sleep_for(kSignTime);
}

/// Holds the thread that asks until the test lets it go.
class Gate {
 public:
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = false;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (closed_) ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
  }
  /// Opens the gate when a test ends early, so that the thread behind it can be joined.
  struct Opener {
    explicit Opener(Gate& at) : gate(at) {}
    ~Opener() { gate.open(); }
    Opener(const Opener&) = delete;
    Opener& operator=(const Opener&) = delete;
    Gate& gate;
  };

  /// Waits until somebody stands at the closed gate.
  bool wait_until_held() {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return held_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  int held_ = 0;
};

/// What any thread may see of the bus side. \return false when it contradicts itself or what was seen before.
class StatusPage {
 public:
  explicit StatusPage(const Recorder& recorder) : recorder_(recorder) {}

  bool look() {
    CollectorStats stats;
    BusSnapshot bus;
    // In this order: the bus is published before what came of its frames.
    if (!recorder_.stats(stats) || !recorder_.bus(0, bus)) return true;
    ++looks_;
    const uint64_t decoded = stats.samples + stats.samples_dropped;
    const uint64_t received = (bus.counters.frames - bus.frames_unknown) * kSignalsPerFrame;
    const bool sound = decoded <= received && decoded % kSignalsPerFrame == 0 && stats.batches >= batches_ &&
                       decoded >= decoded_ && bus.counters.frames >= frames_ &&
                       bus.counters.frames_dropped >= frames_dropped_ && bus.state == BusState::kActive;
    batches_ = stats.batches;
    decoded_ = decoded;
    frames_ = bus.counters.frames;
    frames_dropped_ = bus.counters.frames_dropped;
    return sound;
  }
  uint64_t frames() const { return frames_; }
  uint64_t looks() const { return looks_; }

 private:
  const Recorder& recorder_;
  uint64_t batches_ = 0, decoded_ = 0, frames_ = 0, frames_dropped_ = 0, looks_ = 0;
};

/// Frames sent = frames taken and dropped by the driver; samples decoded = samples delivered and counted as
/// dropped, and the backend knows of both.
void check_the_books(const Way& way, const ClientStats& stats, uint64_t known, uint64_t unknown) {
  BusSnapshot bus;
  REQUIRE(way.client.recorder().bus(0, bus));
  const Delivered there = delivered(way.world);
  CHECK(bus.counters.frames + bus.counters.frames_dropped == known + unknown);
  CHECK(stats.collector.samples + stats.collector.samples_dropped ==
        (bus.counters.frames - bus.frames_unknown) * kSignalsPerFrame);
  CHECK(stats.collector.batches_dropped == 0);
  CHECK(stats.sealer.samples_sealed == stats.collector.samples);
  CHECK(there.samples == stats.collector.samples);
  CHECK(there.samples_dropped == stats.collector.samples_dropped);
  CHECK(there.frames_dropped == bus.counters.frames_dropped);
  CHECK(there.frames.size() + there.checks.size() == there.samples);
  CHECK(there.repeated == 0);
  CHECK(there.wrong == 0);
  CHECK(way.world.stored.size() == stats.sealer.records_sealed);
}

void check_the_nonces(const WayWorld& world) {
  CHECK(nonces_are_unique(world.vault));
  CHECK_FALSE(world.nonce_seen_twice);
  CHECK(session_keys_are_unique(world));
}

}  // namespace

TEST_CASE("two threads at full load: with a token of 10 ms a seal and 50 ms a signature nothing is lost") {
  constexpr uint32_t kFrames = 12000;
  constexpr uint32_t kBatchFrames = 200;
  constexpr uint32_t kBurst = 100;
  WayWorld world;
  PosixClock clock;
  WayOptions options;
  options.queue_records = kFrames / kBatchFrames + 4;  // room for all that is sent
  options.batch_duration_ms = kBatchFrames;
  options.session_records = 20;  // signatures while frames arrive
  Way way(world, world.vault, clock, options);
  way.start();
  way.on_vault = take_time;
  way.watch_ports();
  TwoThreads threads(way);
  std::atomic<bool> sent{false};
  uint64_t unsound = 0;
  StatusPage page(way.client.recorder());
  std::thread looker([&] {
    while (!sent.load(std::memory_order_relaxed)) unsound += page.look() ? 0U : 1U;
  });
  // As fast as the reader takes them: no real bus is as fast.
  for (uint32_t burst = 0; burst < kFrames / kBurst; ++burst) {
    way.send(kBurst);
    way.send_unknown();
    if (!wait_for([&] { return way.bus.waiting() < kBurst; })) break;
  }
  const bool finished = threads.finish();
  sent.store(true, std::memory_order_relaxed);
  looker.join();
  REQUIRE(finished);
  CHECK(unsound == 0);
  CHECK(page.looks() > 0);
  const ClientStats stats = threads.stats();
  CHECK(stats.collector.samples == kFrames * kSignalsPerFrame);
  CHECK(stats.collector.samples_dropped == 0);
  CHECK(stats.sealer.sessions_opened >= 2);
  CHECK(stats.time_trusted);
  check_the_books(way, stats, kFrames, kFrames / kBurst);
  check_the_nonces(world);
  CHECK(way.bus_watch.calls() > 0);
  CHECK(way.bus_watch.foreign() == 0);
  CHECK(way.cloud_watch.calls() > 0);
  CHECK(way.cloud_watch.foreign() == 0);
}

TEST_CASE(
    "invariant 9: the bus side never waits (a seal that hangs: frames are read, what overflows is counted)") {
  const VaultCall hangs_in[] = {VaultCall::kSeal, VaultCall::kSign, VaultCall::kOpen};
  for (const VaultCall hanging : hangs_in) {
    CAPTURE(static_cast<int>(hanging));
    constexpr uint32_t kBurst = 1000;
    constexpr size_t kDriver = 4000;
    Gate gate;
    std::atomic<bool> armed{false};
    WayWorld world;
    PosixClock clock;
    WayOptions options;
    options.queue_records = 2;
    options.session_records = 3;
    options.driver_frames = kDriver;
    Way way(world, world.vault, clock, options);
    way.start();
    way.on_vault = [&](VaultCall call) {
      if (call == hanging && armed.load(std::memory_order_relaxed)) gate.pass();
    };
    way.watch_ports();
    TwoThreads threads(way);
    const Gate::Opener opener(gate);
    gate.close();
    armed.store(true, std::memory_order_relaxed);
    StatusPage page(way.client.recorder());
    way.send(kBurst);
    REQUIRE(gate.wait_until_held());

    // While it hangs: more than queue and open batch hold is sent, and all of it is read.
    const uint64_t cloud_calls = way.cloud_watch.calls();
    CollectorStats bus_side;
    CHECK(wait_for([&] {
      if (way.bus.waiting() == 0) way.send(kBurst);
      return page.look() && way.client.recorder().stats(bus_side) && bus_side.samples_dropped > 10 * kBurst;
    }));
    const uint64_t sent = way.next_frame;
    CHECK(wait_for([&] { return page.look() && page.frames() == sent; }));
    CHECK(way.cloud_watch.calls() == cloud_calls);  // it hangs still
    way.send(kDriver + kBurst);  // the driver's own queue may overflow, which is counted as well
    gate.open();
    armed.store(false, std::memory_order_relaxed);

    // The last report comes after the last drop.
    REQUIRE(threads.finish([&] {
      const Delivered there = delivered(world);
      CollectorStats now;
      BusSnapshot bus;
      return way.client.recorder().stats(now) && way.client.recorder().bus(0, bus) &&
             there.samples_dropped == now.samples_dropped &&
             there.frames_dropped == bus.counters.frames_dropped;
    }));
    const ClientStats stats = threads.stats();
    CHECK(stats.collector.samples_dropped > 0);
    check_the_books(way, stats, way.next_frame, 0);
    check_the_nonces(world);
    CHECK(way.bus_watch.foreign() == 0);
    CHECK(way.cloud_watch.foreign() == 0);
  }
}

}  // namespace wayseal::fakes
