// SPDX-License-Identifier: Apache-2.0
// The collector takes a group whole when it can. What it writes must be what it writes for the same samples one by one.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

#include "unit/collect/plain_table.hpp"
#include "wayseal/collect/collector.hpp"

namespace wayseal::test {
namespace {

constexpr SignalRule kEverySample = {0, true, false};
constexpr SignalRule kOnChange = {0, true, true};

/// Hands samples over one by one.
struct OneByOne {
  void begin_group(uint16_t group) { collector.begin_group(group); }
  void sample(uint16_t signal, uint64_t raw) { collector.sample(signal, raw); }
  void end_group(uint16_t /*group*/) {}

  Collector& collector;
};

struct Half {
  Half(const SignalTable& table, size_t slots, size_t chunks)
      : slot_memory(RecordQueue::memory_needed(slots)),
        queue({slot_memory.data(), slot_memory.size()}),
        memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks)),
        collector(queue, time) {
    REQUIRE(collector.start(table, {memory.data(), memory.size()}, {}) == Status::kOk);
  }

  /// The oldest batch in the queue.
  std::vector<uint8_t> pop() {
    QueuedContent content;
    if (!queue.front(content)) return {};
    std::vector<uint8_t> bytes(content.content.begin(), content.content.end());
    queue.pop();
    return bytes;
  }

  TimeSnapshot time;
  std::vector<uint8_t> slot_memory;
  RecordQueue queue;
  std::vector<uint8_t> memory;
  Collector collector;
};

/// Messages from one signal to many; the last one has a rule among its signals.
std::vector<PlainMessage> make_messages() {
  std::vector<PlainMessage> messages = {{0x100, 8, {{0, 64, true, kEverySample}}},
                                        {0x101, 8, {{0, 8, false, kEverySample}, {1, 16, true, kEverySample}}}};
  messages.push_back({0x102, 64, {}});
  for (uint8_t s = 0; s < 60; ++s) messages.back().signals.push_back({s, 8, (s & 1) != 0, kEverySample});
  messages.push_back({0x103, 8, {{0, 8, false, kEverySample}, {1, 8, false, kOnChange}}});
  return messages;
}

/// Bytes that stand still, count or are noise, of frames that are sometimes short.
class Frames {
 public:
  explicit Frames(unsigned seed) : random_(seed) {}

  CanFrame next() {
    CanFrame frame;
    const uint32_t message = random_() % 4;
    frame.id = 0x100 + message;
    time_ns_ += static_cast<int64_t>(random_() % 300'000) + (random_() % 8 == 0 ? 20'000'000 : 0);
    frame.time_ns = time_ns_;
    const uint8_t length = message == 2 ? 64 : 8;
    frame.length = random_() % 50 == 0 ? static_cast<uint8_t>(random_() % length) : length;
    uint8_t* const bytes = bytes_[message];
    for (size_t i = 0; i < length; ++i) {
      if (i % 7 == 0 && random_() % 300 == 0) bytes[i] = static_cast<uint8_t>(random_());
      if (i % 7 == 1) bytes[i] = static_cast<uint8_t>(bytes[i] + 1);
      if (i % 7 == 2) bytes[i] = static_cast<uint8_t>(random_());
    }
    std::copy_n(bytes, length, frame.data);
    return frame;
  }

 private:
  std::mt19937 random_;
  int64_t time_ns_ = -1'000'000'000;
  uint8_t bytes_[4][64] = {};
};

}  // namespace

TEST_CASE("A group taken whole is written as its samples one by one") {
  const size_t chunks = GENERATE(as<size_t>{}, 12, 100, 2000);
  const unsigned seed = GENERATE(range(1U, 5U));
  CAPTURE(chunks, seed);
  const std::vector<uint8_t> bytes = make_plain_table(make_messages());
  SignalTable table;
  REQUIRE(table.load({bytes.data(), bytes.size()}) == Status::kOk);
  Half whole(table, 3, chunks);
  Half pieces(table, 3, chunks);
  OneByOne sink = {pieces.collector};
  Frames frames(seed);
  std::mt19937 random(seed);
  size_t batches = 0;
  for (int i = 0; i < 30'000; ++i) {
    const CanFrame frame = frames.next();
    whole.collector.begin_frame(frame.time_ns);
    pieces.collector.begin_frame(frame.time_ns);
    REQUIRE(decode(table, frame, whole.collector) == decode(table, frame, sink));
    // The reader is sometimes late, so that batches wait and samples are dropped.
    while (random() % 64 == 0 && whole.queue.size() + pieces.queue.size() > 0) {
      ++batches;
      REQUIRE(whole.pop() == pieces.pop());
    }
  }
  const CollectorStats a = whole.collector.stats();
  const CollectorStats b = pieces.collector.stats();
  CHECK(a.samples == b.samples);
  CHECK(a.samples_dropped == b.samples_dropped);
  CHECK(a.batches == b.batches);
  CHECK(a.batches_dropped == 0);
  CHECK(batches > 15);
}

}  // namespace wayseal::test
