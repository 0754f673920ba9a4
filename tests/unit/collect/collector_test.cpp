// SPDX-License-Identifier: Apache-2.0
#include "wayseal/collect/collector.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <memory>
#include <optional>
#include <random>

#include "unit/collect/batch_reader.hpp"
#include "unit/collect/plain_table.hpp"

namespace wayseal::test {
namespace {

using Kept = std::map<SignalKey, std::vector<ReadSample>>;

constexpr SignalRule kEverySample = {0, true, false};
constexpr SignalRule kOnChange = {0, true, true};
constexpr SignalRule kNever = {0, false, false};

struct RigOptions {
  size_t slots = 4;
  size_t slot_bytes = kContentMax;
  size_t chunks = 0;  ///< 0: as many as suffice.
  CollectorConfig config;
};

/// A collector, its queue, and a reader at the other end.
class Rig {
 public:
  explicit Rig(const std::vector<PlainMessage>& messages, const RigOptions& options = {})
      : table_bytes_(make_plain_table(messages)),
        slots_(RecordQueue::memory_needed(options.slots, options.slot_bytes)),
        queue({slots_.data(), slots_.size()}, options.slot_bytes),
        collector(queue, time) {
    REQUIRE(table.load({table_bytes_.data(), table_bytes_.size()}) == Status::kOk);
    const size_t chunks = options.chunks != 0
                              ? options.chunks
                              : Collector::chunks_needed(table.group_count(), table.signal_count());
    memory_.resize(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
    REQUIRE(collector.start(table, {memory_.data(), memory_.size()}, options.config) == Status::kOk);
  }

  /// One row of a message's group: a value for each of its signals, or none.
  void row(uint16_t group, int64_t time_ns, const std::vector<std::optional<uint64_t>>& values) {
    collector.begin_frame(time_ns);
    collector.begin_group(group);
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i]) continue;
      const uint64_t before = collector.stats().samples;
      collector.sample(static_cast<uint16_t>(table.group(group).first_signal + i), *values[i]);
      if (collector.stats().samples == before) continue;
      const int64_t time_us = (time_ns - (((time_ns % 1000) + 1000) % 1000)) / 1000;
      kept[{group, static_cast<uint32_t>(i)}].push_back({time_us, *values[i]});
    }
  }

  /// Reads everything that waits in the queue.
  void drain() {
    QueuedContent content;
    while (queue.front(content)) {
      ContentView view;
      REQUIRE(parse_content(content.content, view) == Status::kOk);
      REQUIRE(view.type == ContentType::kBatch);
      sizes.push_back(view.payload.size());
      const ReadBatch batch =
          read_batch({reinterpret_cast<const char*>(view.payload.data()), view.payload.size()});
      CHECK(batch.table_id == kPlainTableId);
      CHECK(batch.samples == content.samples);
      for (const auto& [key, samples] : batch.signals) {
        auto& all = read[key];
        all.insert(all.end(), samples.begin(), samples.end());
      }
      batches.push_back(batch);
      queue.pop();
    }
  }

 private:
  std::vector<uint8_t> table_bytes_;
  std::vector<uint8_t> slots_;
  std::vector<uint8_t> memory_;

 public:
  RecordQueue queue;
  TimeSnapshot time;
  SignalTable table;
  Collector collector;
  Kept kept;  ///< What the collector says it kept.
  Kept read;  ///< What came out.
  std::vector<ReadBatch> batches;
  std::vector<size_t> sizes;
};

constexpr int64_t kMs = kNsPerMs;

std::vector<PlainMessage> one_message(std::vector<SignalRule> rules) {
  PlainMessage message = {0x100, 64, {}};
  for (size_t i = 0; i < rules.size(); ++i)
    message.signals.push_back({static_cast<uint8_t>(i), 8, false, rules[i]});
  return {message};
}

/// Feeds a random drive: messages of different sizes and periods, short frames, times that jitter, step back
/// and jump, values that stand still, count, toggle or are noise.
class RandomDrive {
 public:
  explicit RandomDrive(unsigned seed) : random_(seed) {
    const size_t count = 1 + pick(12);
    for (size_t m = 0; m < count; ++m) {
      PlainMessage message = {static_cast<uint32_t>(0x100 + m), 64, {}};
      const size_t signals = pick(8) == 0 ? 64 : 1 + pick(10);
      for (size_t s = 0; s < signals; ++s) {
        message.signals.push_back({static_cast<uint8_t>(s), 8, false, random_rule()});
        kinds_.push_back(pick(5));
        values_.push_back(random_());
      }
      messages.push_back(message);
    }
  }

  void step(Rig& rig) {
    const auto group = static_cast<uint16_t>(pick(messages.size()));
    const size_t signals = messages[group].signals.size();
    advance_time();
    const size_t held = pick(6) == 0 ? pick(signals + 1) : signals;
    std::vector<std::optional<uint64_t>> values(signals);
    for (size_t i = 0; i < held; ++i) values[i] = next_value(rig.table.group(group).first_signal + i);
    rig.row(group, time_ns_, values);
  }

  size_t pick(size_t below) { return static_cast<size_t>(random_() % below); }

  std::vector<PlainMessage> messages;

 private:
  SignalRule random_rule() {
    SignalRule rule = kEverySample;
    if (pick(10) == 0) rule.collected = false;
    if (pick(4) == 0) rule.on_change = true;
    if (pick(4) == 0) rule.min_interval_ms = static_cast<uint32_t>(pick(100));
    return rule;
  }

  void advance_time() {
    switch (pick(400)) {
      case 0: time_ns_ -= static_cast<int64_t>(random_() % 1000000000000ULL); break;
      case 1: time_ns_ += static_cast<int64_t>(random_() % 1000000000000ULL); break;
      case 2: time_ns_ = -time_ns_; break;
      default: time_ns_ += static_cast<int64_t>(pick(3000000)) - 100000;
    }
  }

  uint64_t next_value(size_t signal) {
    uint64_t& value = values_[signal];
    switch (kinds_[signal]) {
      case 0: break;
      case 1: ++value; break;
      case 2: value ^= pick(2); break;
      case 3: value = random_(); break;
      default: value += pick(300) - 150;
    }
    return value;
  }

  std::mt19937_64 random_;
  std::vector<size_t> kinds_;
  std::vector<uint64_t> values_;
  int64_t time_ns_ = 1700000000LL * kNsPerSecond;
};

}  // namespace

TEST_CASE("Whatever goes in comes out with its time, and no batch is larger than its slot") {
  const unsigned seed = GENERATE(range(0U, 60U));
  CAPTURE(seed);
  RandomDrive drive(seed);
  RigOptions options;
  options.slots = 64;  // as many as one frame can fill
  options.slot_bytes = 259 + drive.pick(seed % 3 == 0 ? 300 : 16000);
  options.chunks = seed % 5 == 0 ? Collector::kChunkReserve + drive.pick(100) : 0;
  options.config.batch_duration_ms = static_cast<int64_t>(1 + drive.pick(20000));
  Rig rig(drive.messages, options);
  for (int i = 0; i < 6000; ++i) {
    drive.step(rig);
    rig.drain();
  }
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.kept == rig.read);
  CHECK(rig.collector.stats().samples_dropped == 0);
  CHECK(rig.collector.stats().batches_dropped == 0);
  CHECK(rig.collector.stats().batches == rig.batches.size());
}

TEST_CASE("With a consumer that comes late, kept and dropped samples add up and the kept ones come out") {
  const unsigned seed = GENERATE(range(100U, 120U));
  CAPTURE(seed);
  RandomDrive drive(seed);
  for (PlainMessage& message : drive.messages) {
    for (PlainSignal& signal : message.signals) signal.rule = kEverySample;
  }
  RigOptions options;
  options.slots = 1 + drive.pick(3);
  options.slot_bytes = 259 + drive.pick(2000);
  Rig rig(drive.messages, options);
  uint64_t fed = 0;
  for (int i = 0; i < 6000; ++i) {
    const CollectorStats before = rig.collector.stats();
    drive.step(rig);
    const CollectorStats after = rig.collector.stats();
    fed += after.samples - before.samples + after.samples_dropped - before.samples_dropped;
    if (drive.pick(200) == 0) rig.drain();
  }
  rig.drain();
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  const CollectorStats stats = rig.collector.stats();
  size_t read = 0;
  for (const auto& [key, samples] : rig.read) read += samples.size();
  CHECK(stats.samples_dropped > 0);
  CHECK(read == stats.samples);
  CHECK(fed == stats.samples + stats.samples_dropped);
  CHECK(rig.kept == rig.read);
  CHECK(stats.batches_dropped == 0);
}

TEST_CASE("A full batch uses its slot but for a few percent, and no more") {
  // What the signals beside the first do. The first is noise and fills the record.
  const bool still = GENERATE(false, true);
  const uint32_t message_count = GENERATE(1U, 4U);
  CAPTURE(still, message_count);
  std::mt19937_64 random(7);
  std::vector<PlainMessage> messages;
  for (uint32_t m = 0; m < message_count; ++m) {
    messages.push_back({0x100 + m, 64, {}});
    for (uint8_t s = 0; s < 60; ++s) messages.back().signals.push_back({s, 8, false, kEverySample});
  }
  RigOptions options;
  options.slots = 8;
  options.config.batch_duration_ms = 3600 * 1000;
  Rig rig(messages, options);
  for (int i = 0; i < 8000; ++i) {
    std::vector<std::optional<uint64_t>> values = {random()};
    for (uint64_t s = 1; s < 60; ++s) values.push_back(still ? s : random() % (20 * s));
    rig.row(static_cast<uint16_t>(static_cast<uint32_t>(i) % message_count), i * kMs, values);
    rig.drain();
  }
  REQUIRE(rig.sizes.size() > 2);
  for (const size_t size : rig.sizes) {
    CHECK(size <= kPayloadMax);
    CHECK(size >= kPayloadMax - kPayloadMax / 25);
  }
  CHECK(rig.collector.stats().batches_dropped == 0);
  CHECK(rig.collector.stats().samples_dropped == 0);
}

TEST_CASE("On change keeps a value once, across batches, until it differs") {
  Rig rig(one_message({kOnChange}));
  const uint64_t values[] = {0, 0, 5, 5, 5, 0, 0, 9};
  for (int i = 0; i < 8; ++i) {
    rig.row(0, i * kMs, {values[i]});
    REQUIRE(rig.collector.flush() == Status::kOk);
    rig.drain();
  }
  CHECK(rig.read.at({0, 0}) == std::vector<ReadSample>{{0, 0}, {2000, 5}, {5000, 0}, {7000, 9}});
  CHECK(rig.batches.size() == 4);
}

TEST_CASE("A minimum interval keeps the first sample and those that are far enough behind the last kept") {
  Rig rig(one_message({{100, true, false}}));
  const int64_t times_ms[] = {0, 99, 100, 150, 199, 200, 1000, 400, 450, 500};
  for (const int64_t time : times_ms) rig.row(0, time * kMs, {1});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  std::vector<int64_t> kept;
  for (const ReadSample& sample : rig.read.at({0, 0})) kept.push_back(sample.time_us / 1000);
  CHECK(kept == std::vector<int64_t>{0, 100, 200, 1000, 400, 500});  // 400: time stepped back
}

TEST_CASE("A change inside the minimum interval is kept once the interval has passed") {
  Rig rig(one_message({{100, true, true}}));
  rig.row(0, 0, {1});
  rig.row(0, 50 * kMs, {2});
  rig.row(0, 110 * kMs, {2});
  rig.row(0, 300 * kMs, {2});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.at({0, 0}) == std::vector<ReadSample>{{0, 1}, {110000, 2}});
}

TEST_CASE("A signal that is not collected leaves no trace, nor does a message without collected signals") {
  Rig rig(one_message({kNever, kEverySample}));
  rig.row(0, 0, {1, 2});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.size() == 1);
  CHECK(rig.read.count({0, 1}) == 1);

  Rig silent(one_message({kNever}));
  silent.row(0, 0, {1});
  REQUIRE(silent.collector.flush() == Status::kOk);
  silent.drain();
  CHECK(silent.batches.empty());
  CHECK(silent.collector.stats().samples == 0);
}

TEST_CASE("A change that was dropped is kept with the next frame that has room") {
  RigOptions options;
  options.slots = 1;
  options.slot_bytes = 259;
  Rig rig(one_message({kEverySample, kOnChange}), options);
  std::mt19937_64 random(1);
  rig.row(0, 0, {0, 1});
  for (int i = 1; i < 200; ++i) rig.row(0, i * kMs, {random(), 1});
  REQUIRE(rig.collector.stats().samples_dropped > 0);
  rig.row(0, 200 * kMs, {random(), 2});
  rig.drain();
  rig.row(0, 201 * kMs, {random(), 2});
  rig.row(0, 202 * kMs, {random(), 2});
  rig.drain();
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.at({0, 1}) == std::vector<ReadSample>{{0, 1}, {201000, 2}});
}

TEST_CASE("Times are rounded down to microseconds, before 1970 as well, and errors do not add up") {
  Rig rig(one_message({kEverySample}));
  const int64_t times[] = {-1, 999, 1000, 1999, 2001, -1000, -1001, 5000000000000000999};
  for (const int64_t time : times) rig.row(0, time, {1});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  std::vector<int64_t> read;
  for (const ReadSample& sample : rig.read.at({0, 0})) read.push_back(sample.time_us);
  CHECK(read == std::vector<int64_t>{-1, 0, 1, 1, 2, -1, -2, 5000000000000000});
}

TEST_CASE("A batch spans no more than its duration, by the frames' times") {
  RigOptions options;
  options.config.batch_duration_ms = 1000;
  options.slots = 8;
  Rig rig(one_message({kEverySample}), options);
  for (int i = 0; i < 35; ++i) rig.row(0, i * 100 * kMs, {1});
  rig.drain();
  REQUIRE(rig.batches.size() == 3);
  for (const ReadBatch& batch : rig.batches) CHECK(batch.samples == 10);
}

TEST_CASE("A batch is closed by the clock when no frames come") {
  RigOptions options;
  options.config.batch_duration_ms = 1000;
  Rig rig(one_message({kEverySample}), options);
  REQUIRE(rig.collector.tick({5 * kNsPerSecond}, 0) == Status::kOk);
  rig.row(0, 0, {1});
  REQUIRE(rig.collector.tick({6 * kNsPerSecond - 1}, 0) == Status::kOk);
  rig.drain();
  CHECK(rig.batches.empty());
  REQUIRE(rig.collector.tick({6 * kNsPerSecond}, 0) == Status::kOk);
  rig.drain();
  CHECK(rig.batches.size() == 1);
}

TEST_CASE("A batch that is due while the queue is full goes on growing and loses nothing") {
  RigOptions options;
  options.slots = 1;
  options.config.batch_duration_ms = 1000;
  Rig rig(one_message({kEverySample}), options);
  for (int i = 0; i < 50; ++i) rig.row(0, i * 100 * kMs, {static_cast<uint64_t>(i)});
  CHECK(rig.collector.flush() == Status::kFull);
  CHECK_FALSE(rig.collector.has_room());
  rig.drain();
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.read.at({0, 0}).size() == 50);
  CHECK(rig.collector.stats().samples_dropped == 0);
  CHECK(rig.batches.size() == 2);
}

TEST_CASE("A batch says how far its times can be trusted") {
  Rig rig(one_message({kEverySample}));
  rig.row(0, 0, {1});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.time.publish({TimeQuality::kTrusted, 1700000000000000});
  rig.row(0, 0, {1});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  CHECK(rig.batches.at(0).quality == 0);
  CHECK(rig.batches.at(0).utc_offset_us == 0);
  CHECK(rig.batches.at(1).quality == 1);
  CHECK(rig.batches.at(1).utc_offset_us == 1700000000000000);

  RigOptions recorded;
  recorded.config.time_base = TimeBase::kRecorded;
  Rig replay(one_message({kEverySample}), recorded);
  replay.time.publish({TimeQuality::kTrusted, 1700000000000000});
  replay.row(0, 0, {1});
  REQUIRE(replay.collector.flush() == Status::kOk);
  replay.drain();
  CHECK(replay.batches.at(0).quality == 2);
  CHECK(replay.batches.at(0).utc_offset_us == 0);
}

TEST_CASE("A batch is dated by the clock that it was taken with, on both sides of a suspend") {
  constexpr int64_t kBefore = 1700000000000000;
  constexpr int64_t kAfter = kBefore + 8 * 3600 * int64_t{1000000};
  Rig rig(one_message({kEverySample}));
  REQUIRE(rig.collector.tick({0}, 1) == Status::kOk);
  rig.time.publish({TimeQuality::kTrusted, kBefore, 1});
  rig.row(0, 0, {1});
  // The cloud side may notice first, or last.
  const bool published_first = GENERATE(true, false);
  if (published_first) rig.time.publish({TimeQuality::kTrusted, kAfter, 2});
  REQUIRE(rig.collector.tick({0}, 2) == Status::kOk);
  rig.row(0, kMs, {2});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.time.publish({TimeQuality::kTrusted, kAfter, 2});
  rig.row(0, 2 * kMs, {3});
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  REQUIRE(rig.batches.size() == 3);
  CHECK(rig.batches[0].quality == 1);
  CHECK(rig.batches[0].utc_offset_us == kBefore);
  CHECK(rig.batches[1].quality == (published_first ? 1 : 0));
  CHECK(rig.batches[1].utc_offset_us == (published_first ? kAfter : 0));
  CHECK(rig.batches[2].quality == 1);
  CHECK(rig.batches[2].utc_offset_us == kAfter);
}

TEST_CASE("With a full queue nothing from behind a suspend joins a batch from before it") {
  RigOptions options;
  options.slots = 1;
  Rig rig(one_message({kEverySample}), options);
  REQUIRE(rig.collector.tick({0}, 1) == Status::kOk);
  rig.row(0, 0, {1});
  REQUIRE(rig.collector.flush() == Status::kOk);  // the queue is full
  rig.row(0, kMs, {2});
  CHECK(rig.collector.tick({0}, 2) == Status::kFull);
  rig.row(0, 2 * kMs, {3});
  CHECK(rig.collector.stats().samples_dropped == 1);
  rig.drain();
  rig.row(0, 3 * kMs, {4});
  rig.drain();
  REQUIRE(rig.collector.flush() == Status::kOk);
  rig.drain();
  REQUIRE(rig.batches.size() == 3);
  CHECK(rig.batches[1].samples == 1);
  CHECK(rig.batches[2].samples == 1);
  CHECK(rig.read == rig.kept);
}

TEST_CASE("Starting with too little memory, too small slots or a wild duration is refused") {
  const std::vector<uint8_t> bytes = make_plain_table(one_message({kEverySample, kEverySample}));
  SignalTable table;
  REQUIRE(table.load({bytes.data(), bytes.size()}) == Status::kOk);
  std::vector<uint8_t> slots(RecordQueue::memory_needed(2));
  RecordQueue queue({slots.data(), slots.size()});
  const TimeSnapshot time;
  Collector collector(queue, time);
  const size_t least = Collector::memory_needed(1, 2, Collector::kChunkReserve);
  std::vector<uint8_t> memory(least);
  CHECK(collector.start(table, {memory.data(), least - 1}, {}) == Status::kBufferTooSmall);
  CHECK(collector.start(table, {memory.data(), least}, {0, TimeBase::kMonotonic}) == Status::kInvalidArgument);
  CHECK(collector.start(table, {memory.data(), least}, {3600001, TimeBase::kMonotonic}) ==
        Status::kInvalidArgument);
  CHECK_FALSE(collector.started());
  CHECK(collector.start(table, {memory.data(), least}, {}) == Status::kOk);

  RecordQueue tiny({slots.data(), slots.size()}, 128);
  Collector other(tiny, time);
  CHECK(other.start(table, {memory.data(), least}, {}) == Status::kBufferTooSmall);
}

}  // namespace wayseal::test
