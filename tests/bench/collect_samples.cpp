// SPDX-License-Identifier: Apache-2.0
// What a sample costs on the bus side, from the frame in memory to the coded batch in the record queue, with the real
// Recorder (so a copy of 80 bytes a frame out of FrameSource is in it):
//     bench_collect_samples LOG[.xz] INTERFACE DBC
// Three rules: every sample, on change, at most one a second. The last two are counted a decoded sample, kept or not.
#include "bench/log_replay.hpp"
#include "bench/measure.hpp"
#include "fakes/fake_clock.hpp"

namespace wayseal::bench {
namespace {

struct Outcome {
  size_t records = 0;
  size_t samples = 0;
};

class Drive {
 public:
  Drive(const std::vector<CanFrame>& frames, const Blob& bytes) : source_(frames) {
    must(table_.load(view(bytes)));
    const size_t chunks = Collector::chunks_needed(table_.group_count(), table_.signal_count());
    memory_.resize(Collector::memory_needed(table_.group_count(), table_.signal_count(), chunks));
    RecorderConfig config;
    config.when_full = WhenFull::kWait;
    must(recorder_.start(table_, mutable_view(memory_), config));
  }

  void play() {
    while (!recorder_.ended()) {
      static_cast<void>(recorder_.step({0}));
      drain();
    }
    must(recorder_.flush());
    drain();
  }

  const Outcome& outcome() const { return outcome_; }

 private:
  void drain() {
    QueuedContent content;
    while (queue_.front(content)) {
      ++outcome_.records;
      outcome_.samples += content.samples;
      queue_.pop();
    }
  }

  test::FrameSource source_;
  SignalTable table_;
  Blob slots_ = Blob(RecordQueue::memory_needed(2));
  RecordQueue queue_{mutable_view(slots_)};
  Blob memory_;
  TimeSnapshot time_;
  fakes::FakeClock clock_;
  Recorder recorder_{source_, queue_, time_, clock_};
  Outcome outcome_;
};

void measure(const std::string& name, const std::vector<CanFrame>& frames, const std::string& dbc,
             const oem::TableOptions& options) {
  const Blob table = test::load_dbc(dbc, options).table;
  Drive drive(frames, table);
  counted(name, [&] { drive.play(); });
  figure(name + ".samples", drive.outcome().samples);
  figure(name + ".records", drive.outcome().records);
}

int run(char** argv) {
  const std::vector<CanFrame> frames = test::load_frames(argv[1], argv[2]);
  figure("frames", frames.size());
  measure("every", frames, argv[3], {});
  oem::TableOptions on_change;
  on_change.on_change = {"*"};
  measure("on_change", frames, argv[3], on_change);
  oem::TableOptions interval;
  interval.intervals = {{"*", 1000}};
  measure("interval", frames, argv[3], interval);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv); });
}
