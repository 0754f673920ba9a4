// SPDX-License-Identifier: Apache-2.0
// Covers Collector (decode's sink, chunks, columns, runs), the batch encoder, RecordQueue, and both readers of batches:
// the tests' and cloud::read_samples.
//
// What comes out is what went in: every batch reads in both readers alike, each signal's samples come in order and
// unchanged, and without rules as many come as were decoded less those counted as dropped.
//
// Input: 6 bytes of configuration, then steps: a frame, the same frame again and again, a tick, a flush, a drain.
#include <map>
#include <stdexcept>

#include "batch.hpp"
#include "fuzz.hpp"
#include "quiet_protobuf.hpp"
#include "unit/collect/batch_reader.hpp"
#include "unit/collect/plain_table.hpp"
#include "wayseal/collect/collector.hpp"

namespace {

using namespace wayseal;
using test::PlainMessage;
using test::ReadSample;
using test::SignalKey;
using Samples = std::map<SignalKey, std::vector<ReadSample>>;

const std::vector<PlainMessage>& messages_of(unsigned variant) {
  constexpr SignalRule kChange = {0, true, true};
  constexpr SignalRule kSlow = {50, true, false};
  constexpr SignalRule kNever = {0, false, false};
  static const std::vector<PlainMessage> kVariants[] = {
      {{0x100, 8, {{0}, {1}, {2, 16, true}}}, {0x101, 8, {{0, 64}}}, {0x102, 4, {{0, 1}, {3, 8, true}}}},
      {{0x100,
        8,
        {{0, 8, false, kChange},
         {1, 8, false, kSlow},
         {2, 32, false, kNever},
         {6, 16, true, {20, true, true}}}},
       {0x101, 8, {{0, 64, true}}}},
      {{0x100, 8, {{0, 64, false}}}},
  };
  return kVariants[variant % 3];
}

class Sink {
 public:
  Sink(Collector& collector, const SignalTable& table) : collector_(collector), table_(table) {}

  void frame(const CanFrame& frame) {
    collector_.begin_frame(frame.time_ns);
    time_us_ = frame.time_ns / 1000 - (frame.time_ns % 1000 < 0 ? 1 : 0);
    static_cast<void>(decode(table_, frame, *this));
  }
  void group(const DecodedGroup& group) {
    for (size_t i = 0; i < group.signal_count(); ++i) {
      const auto signal = static_cast<uint16_t>(group.first_signal() + i);
      if (!group.holds(i) || !table_.rule(signal).collected) continue;
      offered[{group.index(), static_cast<uint32_t>(i)}].push_back({time_us_, group.raw(i)});
      ++count;
    }
    collector_.group(group);
  }

  Samples offered;
  uint64_t count = 0;

 private:
  Collector& collector_;
  const SignalTable& table_;
  int64_t time_us_ = 0;
};

Samples by_the_backend(const std::string& payload) {
  v1::Batch batch;
  fuzz::require(batch.ParseFromString(payload), "a batch is protobuf");
  Samples samples;
  const bool good =
      cloud::read_samples(batch, [&](uint32_t group, uint32_t signal, int64_t time_us, uint64_t raw) {
        samples[{group, signal}].push_back({time_us, raw});
      });
  fuzz::require(good, "the backend reads every batch");
  fuzz::require(cloud::summarise(batch).has_value(), "and can summarise it");
  return samples;
}

Samples by_the_tests(const std::string& payload) {
  try {
    const test::ReadBatch batch = test::read_batch(payload);
    fuzz::require(batch.table_id == test::kPlainTableId, "a batch names its table");
    return batch.signals;
  } catch (const std::runtime_error& error) {
    fuzz::require(false, error.what());
    return {};
  }
}

uint64_t drain(RecordQueue& queue, Samples& got) {
  uint64_t count = 0;
  QueuedContent content;
  while (queue.front(content)) {
    ContentView view;
    fuzz::require(parse_content(content.content, view) == Status::kOk && view.type == ContentType::kBatch,
                  "a content is framed as a batch");
    const std::string payload = fuzz::text_of(view.payload);
    const Samples read = by_the_tests(payload);
    fuzz::require(read == by_the_backend(payload), "both readers read the same");
    for (const auto& [signal, samples] : read) {
      got[signal].insert(got[signal].end(), samples.begin(), samples.end());
      count += samples.size();
    }
    queue.pop();
  }
  return count;
}

void require_in_order(const Samples& offered, const Samples& got) {
  for (const auto& [signal, samples] : got) {
    const auto known = offered.find(signal);
    fuzz::require(known != offered.end(), "only signals that were decoded come");
    size_t at = 0;
    for (const ReadSample& sample : samples) {
      while (at < known->second.size() && !(known->second[at] == sample)) ++at;
      fuzz::require(at++ < known->second.size(), "samples come unchanged and in order");
    }
  }
}

CanFrame next_frame(fuzz::Input& in, uint8_t step, size_t messages, int64_t& time_ns) {
  // Mostly small steps; now and then a time from anywhere.
  const uint64_t forward = in.u16() * uint64_t{997};
  time_ns = static_cast<int64_t>((step & 0x80U) != 0 ? in.u64()
                                                     : static_cast<uint64_t>(time_ns) + forward - 997 * 8192);
  CanFrame frame;
  frame.time_ns = time_ns;
  frame.id = static_cast<uint32_t>(0x100 + ((step >> 3) & 7U) % messages);
  frame.length = (step & 0x40U) != 0 ? in.u8() % 9 : uint8_t{8};
  in.fill({frame.data, frame.length});
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::quiet_protobuf();
  fuzz::Input in(data, size);
  const unsigned variant = in.u8();
  const auto& messages = messages_of(variant);
  const std::vector<uint8_t> table_bytes = test::make_plain_table(messages);
  SignalTable table;
  fuzz::require(table.load(fuzz::bytes_of(table_bytes)) == Status::kOk, "the table of the target loads");

  const size_t slot_bytes = size_t{259} + size_t{in.u8()} * 8;
  std::vector<uint8_t> slots(RecordQueue::memory_needed(1 + in.u8() % 4U, slot_bytes));
  RecordQueue queue({slots.data(), slots.size()}, slot_bytes);
  TimeSnapshot time;
  Collector collector(queue, time);
  std::vector<uint8_t> memory(
      Collector::memory_needed(table.group_count(), table.signal_count(), Collector::kChunkReserve + in.u8()));
  CollectorConfig config;
  config.batch_duration_ms = 1 + in.u16();
  if (collector.start(table, {memory.data(), memory.size()}, config) != Status::kOk) return 0;

  Sink sink(collector, table);
  Samples got;
  uint64_t count = 0;
  int64_t time_ns = 0;
  MonotonicTime now;
  while (!in.empty()) {
    const uint8_t step = in.u8();
    switch (step & 7U) {
      case 5:
        now = after_ms(now, in.u16());
        static_cast<void>(collector.tick(now, 0));
        break;
      case 6: static_cast<void>(collector.flush()); break;
      case 7: count += drain(queue, got); break;
      default: {
        CanFrame frame = next_frame(in, step, messages.size(), time_ns);
        const unsigned again = (step & 7U) == 4 ? in.u8() : 0U;
        for (unsigned i = 0; i <= again; ++i) sink.frame(frame);
      }
    }
  }
  count += drain(queue, got);
  fuzz::require(collector.flush() == Status::kOk, "with room in the queue a flush succeeds");
  count += drain(queue, got);
  const CollectorStats stats = collector.stats();
  fuzz::require(stats.batches_dropped == 0, "every batch can be coded");
  fuzz::require(stats.samples == count, "what is kept comes out");
  if (variant % 3 != 1)
    fuzz::require(count + stats.samples_dropped == sink.count, "what is not kept is counted");
  require_in_order(sink.offered, got);
  return 0;
}
