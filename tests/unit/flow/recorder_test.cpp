// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/recorder.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <thread>

#include "fakes/fake_can_bus.hpp"
#include "fakes/fake_clock.hpp"
#include "unit/collect/batch_reader.hpp"
#include "unit/collect/plain_table.hpp"

namespace wayseal::test {
namespace {

constexpr int64_t kMs = kNsPerMs;

const std::vector<PlainMessage> kMessages = {{0x100, 8, {{0, 16}, {2, 8, true}, {3, 8}}},
                                             {0x200, 8, {{0, 64}}}};

struct RigOptions {
  size_t slots = 4;
  size_t slot_bytes = kContentMax;
  uint8_t buses = 1;
  TimeBase time_base = TimeBase::kMonotonic;
  RecorderConfig config;
};

class Rig {
 public:
  explicit Rig(const RigOptions& options = {})
      : table_bytes_(make_plain_table(kMessages)),
        slots_(RecordQueue::memory_needed(options.slots, options.slot_bytes)),
        memory_(Collector::memory_needed(2, 4, Collector::chunks_needed(2, 4))),
        bus(options.buses, options.time_base),
        queue({slots_.data(), slots_.size()}, options.slot_bytes),
        recorder(bus, queue, time, clock) {
    REQUIRE(table.load({table_bytes_.data(), table_bytes_.size()}) == Status::kOk);
    REQUIRE(recorder.start(table, {memory_.data(), memory_.size()}, options.config) == Status::kOk);
  }

  /// What waits in the queue, by signal.
  void drain() {
    QueuedContent content;
    while (queue.front(content)) {
      ContentView view;
      REQUIRE(parse_content(content.content, view) == Status::kOk);
      batches.push_back(read_batch({reinterpret_cast<const char*>(view.payload.data()), view.payload.size()}));
      for (const auto& [key, samples] : batches.back().signals) {
        auto& all = read[key];
        all.insert(all.end(), samples.begin(), samples.end());
      }
      queue.pop();
    }
  }

  CollectorStats stats() const {
    CollectorStats stats;
    REQUIRE(recorder.stats(stats));
    return stats;
  }

  BusSnapshot bus_snapshot(uint8_t index) const {
    BusSnapshot snapshot;
    REQUIRE(recorder.bus(index, snapshot));
    return snapshot;
  }

 private:
  std::vector<uint8_t> table_bytes_;
  std::vector<uint8_t> slots_;
  std::vector<uint8_t> memory_;

 public:
  fakes::FakeCanBus bus;
  RecordQueue queue;
  TimeSnapshot time;
  fakes::FakeClock clock;
  SignalTable table;
  Recorder recorder;
  std::vector<ReadBatch> batches;
  std::map<SignalKey, std::vector<ReadSample>> read;
};

}  // namespace

TEST_CASE("A suspend in the middle of a step ends the batch before the frames that came after it") {
  Rig rig;
  rig.time.publish({TimeQuality::kTrusted, 1000, rig.clock.continuity()});
  rig.bus.send(0x100, {1, 0, 0, 0, 0, 0, 0, 0}, 5 * kMs);
  REQUIRE(rig.recorder.step({0}) == Status::kOk);
  rig.bus.send(0x100, {2, 0, 0, 0, 0, 0, 0, 0}, 15 * kMs);
  rig.bus.on_call([&rig] {
    if (rig.bus.waiting() > 0) rig.clock.break_continuity();
  });
  REQUIRE(rig.recorder.step({0}) == Status::kOk);
  rig.bus.on_call({});
  REQUIRE(rig.recorder.flush() == Status::kOk);
  rig.drain();
  REQUIRE(rig.batches.size() == 2);
  CHECK(rig.batches[0].quality == 1);
  CHECK(rig.batches[0].samples == 3);
  CHECK(rig.batches[1].quality == 0);
  CHECK(rig.batches[1].samples == 3);
}

TEST_CASE("Frames become samples with the raw values and times that were on the bus") {
  Rig rig;
  rig.bus.send(0x100, {0x34, 0x12, 0xFE, 7, 0, 0, 0, 0}, 5 * kMs);
  rig.bus.send(0x100, {0x35, 0x12, 0xFF}, 15 * kMs + 999);  // short: the third signal is not there
  rig.bus.send(0x200, {1, 2, 3, 4, 5, 6, 7, 0x88}, 16 * kMs);
  rig.bus.send(0x300, {1}, 17 * kMs);
  REQUIRE(rig.recorder.step({20 * kMs}) == Status::kOk);
  REQUIRE(rig.recorder.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.at({0, 0}) == std::vector<ReadSample>{{5000, 0x1234}, {15000, 0x1235}});
  CHECK(rig.read.at({0, 1}) ==
        std::vector<ReadSample>{{5000, 0xFFFFFFFFFFFFFFFE}, {15000, 0xFFFFFFFFFFFFFFFF}});
  CHECK(rig.read.at({0, 2}) == std::vector<ReadSample>{{5000, 7}});
  CHECK(rig.read.at({1, 0}) == std::vector<ReadSample>{{16000, 0x8807060504030201}});
  CHECK(rig.bus_snapshot(0).frames_unknown == 1);
  CHECK(rig.bus_snapshot(0).counters.frames == 4);
  CHECK(rig.stats().samples == 6);
}

TEST_CASE("A step takes a bounded number of frames and says when more wait") {
  RigOptions options;
  options.config.rounds_per_step = 2;
  Rig rig(options);
  const size_t per_step = 2 * kReceiveFramesMax;
  for (size_t i = 0; i < 2 * per_step + 5; ++i) rig.bus.send(0x200, {1}, 0);
  CHECK(rig.recorder.step({0}) == Status::kWouldBlock);
  CHECK(rig.bus.waiting() == per_step + 5);
  CHECK(rig.recorder.step({0}) == Status::kWouldBlock);
  CHECK(rig.recorder.step({0}) == Status::kOk);
  CHECK(rig.bus.waiting() == 0);
}

TEST_CASE("Bus states, drops and error frames reach the other side as a loss report") {
  RigOptions options;
  options.buses = 2;
  Rig rig(options);
  rig.bus.set_queue_max(3);
  for (int i = 0; i < 5; ++i) rig.bus.send(0x100, {1, 2}, i, 1);
  rig.bus.add_error_frames(1, 4);
  rig.bus.set_state(1, BusState::kBusOff);
  rig.bus.set_state(0, BusState::kDown);
  REQUIRE(rig.recorder.step({0}) == Status::kOk);
  REQUIRE(rig.recorder.bus_count() == 2);
  CHECK(rig.bus_snapshot(0).state == BusState::kDown);
  CHECK(rig.bus_snapshot(1).state == BusState::kBusOff);
  const BusLoss loss = bus_loss(1, rig.bus_snapshot(1));
  CHECK(loss.bus == 1);
  CHECK(loss.frames == 3);
  CHECK(loss.frames_dropped == 2);
  CHECK(loss.error_frames == 4);
  CHECK(loss.bus_off_events == 1);
  CHECK(bus_loss(0, rig.bus_snapshot(0)).down_events == 1);
  BusSnapshot none;
  CHECK_FALSE(rig.recorder.bus(2, none));
}

TEST_CASE("When every bus is down a step says so and what is collected is still handed over") {
  Rig rig;
  rig.bus.send(0x200, {1, 0, 0, 0, 0, 0, 0, 0}, 0);
  REQUIRE(rig.recorder.step({0}) == Status::kOk);
  rig.bus.set_state(0, BusState::kDown);
  CHECK(rig.recorder.step({1}) == Status::kDisconnected);
  CHECK(rig.recorder.step({11 * kNsPerSecond}) == Status::kDisconnected);
  rig.drain();
  CHECK(rig.batches.size() == 1);
}

TEST_CASE("A full queue never stops reading a live bus, and every sample is kept or counted") {
  RigOptions options;
  options.slots = 1;
  options.slot_bytes = 300;
  Rig rig(options);
  for (uint8_t i = 0; i < 200; ++i) rig.bus.send(0x200, {i, 2, 3, i, 5, 6, i, 8}, i * kMs);
  REQUIRE(rig.recorder.step({0}) == Status::kOk);
  CHECK(rig.bus.waiting() == 0);
  const CollectorStats stats = rig.stats();
  CHECK(stats.samples_dropped > 0);
  CHECK(stats.samples + stats.samples_dropped == 200);
  rig.drain();
  REQUIRE(rig.recorder.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.at({1, 0}).size() == stats.samples);
}

TEST_CASE("A recording waits for a full queue and loses nothing") {
  RigOptions options;
  options.slots = 1;
  options.slot_bytes = 300;
  options.time_base = TimeBase::kRecorded;
  options.config.when_full = WhenFull::kWait;
  Rig rig(options);
  for (uint8_t i = 0; i < 200; ++i) rig.bus.send(0x200, {i, 2, 3, i, 5, 6, i, 8}, i * kMs);
  rig.bus.end();
  int waits = 0;
  while (!rig.recorder.ended()) {
    if (rig.recorder.step({0}) == Status::kFull) ++waits;
    rig.drain();
  }
  REQUIRE(rig.recorder.flush() == Status::kOk);
  rig.drain();
  CHECK(waits > 3);
  REQUIRE(rig.read.at({1, 0}).size() == 200);
  CHECK(rig.read.at({1, 0})[199].raw == 0x08C70605C70302C7);
  CHECK(rig.stats().samples_dropped == 0);
  CHECK(rig.batches[0].quality == 2);
}

TEST_CASE("The driver is asked for what the table knows, or for everything when there is no room for filters") {
  Rig rig;
  CanFilter scratch[2];
  REQUIRE(rig.recorder.apply_filters(scratch) == Status::kOk);
  CHECK(rig.bus.filters().size() == 2);
  rig.bus.send(0x300, {1}, 0);
  rig.bus.send(0x100, {1, 0}, 0);
  CHECK(rig.bus.waiting() == 1);
  REQUIRE(rig.recorder.apply_filters({scratch, 1}) == Status::kOk);
  CHECK(rig.bus.filters().empty());
  rig.bus.set_filter_max(1);
  CHECK(rig.recorder.apply_filters(scratch) == Status::kUnsupported);
  CHECK(rig.bus.filters().empty());
}

TEST_CASE("Before start nothing works, and a wrong configuration is refused") {
  fakes::FakeCanBus bus;
  RecordQueue queue({});
  const TimeSnapshot time;
  const fakes::FakeClock clock;
  Recorder recorder(bus, queue, time, clock);
  CHECK(recorder.step({0}) == Status::kBadState);
  CHECK(recorder.flush() == Status::kBadState);
  CHECK(recorder.apply_filters({}) == Status::kBadState);
  RecorderConfig config;
  config.rounds_per_step = 0;
  CHECK(recorder.start(SignalTable(), {}, config) == Status::kInvalidArgument);
}

TEST_CASE("Two threads: what the bus side keeps arrives while the other side reads its counters") {
  RigOptions options;
  options.slots = 8;
  options.slot_bytes = 400;
  options.time_base = TimeBase::kRecorded;
  options.config.when_full = WhenFull::kWait;
  Rig rig(options);
  constexpr int kFrames = 20000;
  for (int i = 0; i < kFrames; ++i) {
    rig.bus.send(0x100, {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8), 1, 2}, i * kMs);
  }
  rig.bus.end();
  std::atomic<bool> done{false};
  std::thread bus_side([&rig, &done] {
    while (!rig.recorder.ended()) {
      if (rig.recorder.step({0}) == Status::kFull) std::this_thread::yield();
    }
    while (rig.recorder.flush() != Status::kOk) std::this_thread::yield();
    done = true;
  });
  uint64_t seen = 0;
  bool stepped_back = false;
  while (!done) {
    rig.time.publish({TimeQuality::kTrusted, 1});
    BusSnapshot snapshot;
    if (rig.recorder.bus(0, snapshot)) {
      stepped_back = stepped_back || snapshot.counters.frames < seen;
      seen = snapshot.counters.frames;
    }
    rig.drain();
    std::this_thread::yield();
  }
  bus_side.join();
  rig.drain();
  CHECK_FALSE(stepped_back);
  const auto& samples = rig.read.at({0, 0});
  REQUIRE(samples.size() == kFrames);
  int wrong = 0;
  for (int i = 0; i < kFrames; ++i) {
    const auto at = static_cast<size_t>(i);
    wrong += samples[at].raw != (static_cast<uint64_t>(i) & 0xFFFF) || samples[at].time_us != i * 1000;
  }
  CHECK(wrong == 0);
}

}  // namespace wayseal::test
