// SPDX-License-Identifier: Apache-2.0
// How many bytes a sample takes, before and after sealing, in records of kRecordMax:
//     bench_batch_size LOG[.xz] INTERFACE DBC [SECONDS]
// With --repeat N (last) the log is played N times, for profilers.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "bench/log_replay.hpp"
#include "fakes/fake_clock.hpp"

namespace wayseal::test {
namespace {

// Around the padded content: header field, ciphertext field with its length, tag.
constexpr size_t kSealOverhead = (1 + 1 + 26) + (1 + 3) + 16;

struct Totals {
  size_t records = 0;
  size_t payload = 0;
  size_t content = 0;
  size_t samples = 0;

  void drain(RecordQueue& queue) {
    QueuedContent content_in_queue;
    while (queue.front(content_in_queue)) {
      ContentView view;
      if (parse_content(content_in_queue.content, view) != Status::kOk) std::abort();
      ++records;
      payload += view.payload.size();
      content += content_in_queue.content.size();
      samples += content_in_queue.samples;
      queue.pop();
    }
  }
};

Totals play(const std::vector<CanFrame>& frames, const SignalTable& table, int64_t duration_ms) {
  std::vector<uint8_t> slots(RecordQueue::memory_needed(2));
  RecordQueue queue({slots.data(), slots.size()});
  const size_t chunks = Collector::chunks_needed(table.group_count(), table.signal_count());
  std::vector<uint8_t> memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
  FrameSource source(frames);
  const TimeSnapshot time;
  const fakes::FakeClock clock;
  Recorder recorder(source, queue, time, clock);
  RecorderConfig config;
  config.batch_duration_ms = duration_ms;
  config.when_full = WhenFull::kWait;
  if (recorder.start(table, {memory.data(), memory.size()}, config) != Status::kOk) std::abort();
  Totals totals;
  while (!recorder.ended()) {
    (void)recorder.step({0});
    totals.drain(queue);
  }
  (void)recorder.flush();
  totals.drain(queue);
  return totals;
}

int run(int argc, char** argv) {
  unsigned long repeat = 1;
  if (argc > 2 && std::strcmp(argv[argc - 2], "--repeat") == 0) {
    repeat = std::strtoul(argv[argc - 1], nullptr, 10);
    argc -= 2;
  }
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: bench_batch_size LOG[.xz] INTERFACE DBC [SECONDS] [--repeat N]\n");
    return 2;
  }
  const std::vector<CanFrame> frames = load_frames(argv[1], argv[2]);
  const std::vector<uint8_t> bytes = load_table(argv[3]);
  SignalTable table;
  if (table.load({bytes.data(), bytes.size()}) != Status::kOk) return 1;
  const int64_t seconds = argc == 5 ? std::strtol(argv[4], nullptr, 10) : 10;
  Totals totals;
  for (unsigned long i = 0; i < repeat; ++i) totals = play(frames, table, seconds * kMsPerSecond);
  const auto samples = static_cast<double>(totals.samples);
  const auto sealed = static_cast<double>(totals.content + totals.records * kSealOverhead);
  std::printf("frames %zu samples %zu records %zu\n", frames.size(), totals.samples, totals.records);
  std::printf("bytes a sample: batch %.4f, padded %.4f, sealed %.4f\n",
              static_cast<double>(totals.payload) / samples, static_cast<double>(totals.content) / samples,
              sealed / samples);
  return 0;
}

}  // namespace
}  // namespace wayseal::test

int main(int argc, char** argv) {
  try {
    return wayseal::test::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_batch_size: %s\n", error.what());
    return 1;
  }
}
