// SPDX-License-Identifier: Apache-2.0
// Recorded drives through decoder, collector and an independent reader. Needs third-party data ($WAYSEAL_DATA);
// without it the cases are skipped.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>
#include <filesystem>
#include <map>

#include "bench/log_replay.hpp"
#include "fakes/fake_clock.hpp"
#include "unit/collect/batch_reader.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::test {
namespace {

struct Drive {
  const char* log;
  const char* interface_name;
  const char* dbc;
  double bytes_a_sample_max;  ///< Padded, before sealing; 0: not checked.
};

using Samples = std::map<SignalKey, std::vector<ReadSample>>;

/// What the decoder says, without the collector.
struct Expected {
  const SignalTable& table;
  Samples samples;
  int64_t time_us = 0;
  size_t count = 0;
  uint16_t group = 0;

  void begin_group(uint16_t index) { group = index; }
  void sample(uint16_t signal, uint64_t raw) {
    samples[{group, static_cast<uint32_t>(signal - table.group(group).first_signal)}].push_back({time_us, raw});
    ++count;
  }
  void end_group(uint16_t) {}
};

struct Got {
  Samples samples;
  size_t content_bytes = 0;

  void drain(RecordQueue& queue) {
    QueuedContent content;
    while (queue.front(content)) {
      ContentView view;
      REQUIRE(parse_content(content.content, view) == Status::kOk);
      const ReadBatch batch =
          read_batch({reinterpret_cast<const char*>(view.payload.data()), view.payload.size()});
      for (const auto& [key, part] : batch.signals) {
        auto& all = samples[key];
        all.insert(all.end(), part.begin(), part.end());
      }
      content_bytes += content.content.size();
      queue.pop();
    }
  }
};

Got play(const std::vector<CanFrame>& frames, const SignalTable& table) {
  std::vector<uint8_t> slots(RecordQueue::memory_needed(2));
  RecordQueue queue({slots.data(), slots.size()});
  const size_t chunks = Collector::chunks_needed(table.group_count(), table.signal_count());
  std::vector<uint8_t> memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
  FrameSource source(frames);
  const TimeSnapshot time;
  const fakes::FakeClock clock;
  Recorder recorder(source, queue, time, clock);
  RecorderConfig config;
  config.when_full = WhenFull::kWait;
  REQUIRE(recorder.start(table, {memory.data(), memory.size()}, config) == Status::kOk);
  Got got;
  while (!recorder.ended()) {
    (void)recorder.step({0});
    got.drain(queue);
  }
  REQUIRE(recorder.flush() == Status::kOk);
  got.drain(queue);
  return got;
}

}  // namespace

TEST_CASE("Every sample of a recorded drive comes out of the records with its raw value and time") {
  const std::string folder = data_folder();
  if (folder.empty()) SKIP("no third-party data");
  const Drive drive = GENERATE(values<Drive>({
      {"comma2k19_rav4_a.log.xz", "can0", "toyota_new_mc_pt_generated.dbc", 1.3},
      {"comma2k19_rav4_a.log.xz", "can1", "toyota_adas.dbc", 0},
      {"css_drive_gps_uds_165-02.log.xz", "can1", "canmod-gps.dbc", 1.3},
      {"css_j1939_truck_idle_gps.log.xz", "can0", "CSS-Electronics-SAE-J1939-DEMO.dbc", 0},
      {"kona_250105-1-2020-comp-can-heating.log.xz", "can0", "comp_can.dbc", 0},
  }));
  CAPTURE(drive.log, drive.interface_name);
  const std::string log = folder + "/can_logs/" + drive.log;
  const std::string dbc = folder + "/dbc/" + drive.dbc;
  if (!std::filesystem::exists(log) || !std::filesystem::exists(dbc)) SKIP("no third-party data");
  const std::vector<CanFrame> frames = load_frames(log, drive.interface_name);
  const std::vector<uint8_t> bytes = load_table(dbc);
  SignalTable table;
  REQUIRE(table.load({bytes.data(), bytes.size()}) == Status::kOk);

  Expected expected{table, {}};
  for (const CanFrame& frame : frames) {
    expected.time_us = frame.time_ns / 1000;
    (void)decode(table, frame, expected);
  }
  const Got got = play(frames, table);
  const double bytes_a_sample = static_cast<double>(got.content_bytes) / static_cast<double>(expected.count);
  std::printf("%s %s: %zu frames, %zu samples, %.3f bytes a sample\n", drive.log, drive.interface_name,
              frames.size(), expected.count, bytes_a_sample);
  REQUIRE(expected.count > 1000);
  CHECK((got.samples == expected.samples));
  if (drive.bytes_a_sample_max > 0) CHECK(bytes_a_sample <= drive.bytes_a_sample_max);
}

}  // namespace wayseal::test
