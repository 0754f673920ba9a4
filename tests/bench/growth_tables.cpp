// SPDX-License-Identifier: Apache-2.0
// How the bus side's costs grow with the table:
//     bench_growth_tables
// Counted regions are named series.n: checking a table of n messages at load, decoding 10,000 frames with it, and
// collecting one value of each of n signals and closing the batch, or several when one record does not hold them all.
// With more values a signal, a batch would hold fewer of them the more signals there are: another question.
#include <random>

#include "bench/measure.hpp"
#include "dbc/table_builder.hpp"
#include "wayseal/collect/collector.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::bench {
namespace {

constexpr size_t kFrames = 10'000;

/// n messages of `signals` bytes each; identifiers scattered as on a bus with 29 bits.
Blob make_table(size_t messages, size_t signals, std::vector<uint32_t>& ids) {
  std::mt19937 random(7);
  oem::DbcFile file;
  file.file = "made.dbc";
  ids.clear();
  for (size_t i = 0; i < messages; ++i) {
    oem::DbcMessage message;
    message.short_name = message.name = "M" + std::to_string(i);
    message.id = static_cast<uint32_t>((i << 14) | (random() & 0x3FFF));  // no two alike
    message.extended = true;
    message.length = 8;
    for (size_t j = 0; j < signals; ++j) {
      oem::DbcSignal signal;
      signal.short_name = signal.name = "S" + std::to_string(j);
      signal.start_bit = static_cast<uint16_t>(8 * j);
      signal.width = 8;
      message.signals.push_back(signal);
    }
    ids.push_back(message.id);
    file.messages.push_back(message);
  }
  return oem::build_table({{"", file}}, {}).bytes;
}

std::vector<CanFrame> make_frames(const std::vector<uint32_t>& ids, size_t count, std::mt19937& random) {
  std::vector<CanFrame> frames(count);
  for (size_t i = 0; i < count; ++i) {
    frames[i].id = ids[i % ids.size()];
    frames[i].flags = CanFrame::kExtendedId;
    frames[i].length = 8;
    frames[i].time_ns = static_cast<int64_t>(i) * kNsPerUs;
    store_le64(frames[i].data, (uint64_t{random()} << 32) | random());
  }
  return frames;
}

struct SumSink {
  uint64_t sum = 0;
  void begin_group(uint16_t /*group*/) {}
  void sample(uint16_t /*signal*/, uint64_t raw) { sum += raw; }
  void end_group(uint16_t /*group*/) {}
};

void measure_decoding(size_t messages) {
  std::vector<uint32_t> ids;
  const Blob bytes = make_table(messages, 4, ids);
  std::mt19937 random(8);
  std::vector<CanFrame> frames = make_frames(ids, kFrames, random);
  std::shuffle(frames.begin(), frames.end(), random);
  const std::string number = std::to_string(messages);
  SignalTable table;
  counted("load." + number, [&] { must(table.load(view(bytes))); });
  SumSink sink;
  counted("decode." + number, [&] {
    for (const CanFrame& frame : frames) must(decode(table, frame, sink));
  });
  keep(sink.sum);
}

void measure_collecting(size_t signals) {
  constexpr size_t kSignalsEach = 5;
  std::vector<uint32_t> ids;
  const Blob bytes = make_table(signals / kSignalsEach, kSignalsEach, ids);
  std::mt19937 random(9);
  const std::vector<CanFrame> frames = make_frames(ids, ids.size(), random);
  SignalTable table;
  must(table.load(view(bytes)));
  Blob slots(RecordQueue::memory_needed(64));
  RecordQueue queue(mutable_view(slots));
  const size_t chunks = Collector::chunks_needed(table.group_count(), table.signal_count());
  Blob memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
  const TimeSnapshot time;
  Collector collector(queue, time);
  must(collector.start(table, mutable_view(memory), {}));
  const std::string number = std::to_string(signals);
  counted("collect." + number, [&] {
    for (const CanFrame& frame : frames) {
      collector.begin_frame(frame.time_ns);
      static_cast<void>(decode(table, frame, collector));
    }
    must(collector.flush());
  });
  must(collector.stats().samples_dropped == 0, "nothing is dropped");
  figure("batches." + number, static_cast<size_t>(collector.stats().batches));
}

int run() {
  constexpr size_t kMessages[] = {10, 30, 100, 300, 1000, 3000, 10'000};
  constexpr size_t kSignals[] = {10, 40, 160, 640, 2560, 8000};
  for (const size_t messages : kMessages) measure_decoding(messages);
  for (const size_t signals : kSignals) measure_collecting(signals);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
