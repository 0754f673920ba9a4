// SPDX-License-Identifier: Apache-2.0
// How many bytes a sample takes before and after sealing, in records that a real Session has sealed and that the
// backend's half has opened again:
//     bench_sealed_bytes LOG[.xz] INTERFACE DBC
#include "bench/log_replay.hpp"
#include "bench/measure.hpp"
#include "fakes/fake_clock.hpp"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/seal/session.hpp"

namespace wayseal::bench {
namespace {

/// A session between a vehicle on fakes and its backend. AES-GCM is OpenSSL's; sizes do not depend on the token.
struct Vehicle {
  Vehicle() {
    must(life.fetch(1).bundle);
    fakes::Blob opening(kSessionOpenBytesMax);
    size_t size = 0;
    must(session.open({}, {}, fakes::mutable_view(opening), size));
    must(world.backend.take_open({opening.data(), size}).has_value(), "SessionOpen");
  }

  fakes::VehicleWorld world;
  fakes::VehicleLife life{world};
  StoredOpenings openings{life.state, life.prekeys};
  Session session{world.vault, world.clock, openings, life.identity};
};

struct Totals {
  size_t records = 0;
  size_t samples = 0;
  size_t payload = 0;
  size_t padded = 0;
  size_t sealed = 0;
};

void drain(RecordQueue& queue, Vehicle& vehicle, Totals& totals) {
  Blob out(kRecordMax);
  QueuedContent content;
  while (queue.front(content)) {
    SealedRecord record;
    must(vehicle.session.seal(content.content, mutable_view(out), record));
    const auto opened = vehicle.world.backend.open({out.data(), record.size});
    must(opened.has_value(), "the backend opens the record");
    ++totals.records;
    totals.samples += content.samples;
    totals.payload += opened->payload.size();
    totals.padded += content.content.size();
    totals.sealed += record.size;
    queue.pop();
  }
}

Totals play(const std::vector<CanFrame>& frames, const SignalTable& table) {
  Blob slots(RecordQueue::memory_needed(2));
  RecordQueue queue(mutable_view(slots));
  const size_t chunks = Collector::chunks_needed(table.group_count(), table.signal_count());
  Blob memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
  test::FrameSource source(frames);
  const TimeSnapshot time;
  const fakes::FakeClock bus_clock;
  Recorder recorder(source, queue, time, bus_clock);
  RecorderConfig config;
  config.when_full = WhenFull::kWait;
  must(recorder.start(table, mutable_view(memory), config));
  Vehicle vehicle;
  Totals totals;
  while (!recorder.ended()) {
    static_cast<void>(recorder.step({0}));
    drain(queue, vehicle, totals);
  }
  must(recorder.flush());
  drain(queue, vehicle, totals);
  return totals;
}

int run(char** argv) {
  const std::vector<CanFrame> frames = test::load_frames(argv[1], argv[2]);
  const Blob bytes = test::load_table(argv[3]);
  SignalTable table;
  must(table.load(view(bytes)));
  const Totals totals = play(frames, table);
  figure("frames", frames.size());
  figure("records", totals.records);
  figure("samples", totals.samples);
  figure("payload", totals.payload);
  figure("padded", totals.padded);
  figure("sealed", totals.sealed);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv); });
}
