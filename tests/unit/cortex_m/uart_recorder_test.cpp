// SPDX-License-Identifier: Apache-2.0
// A drive over the serial line and the same drive from its log: the bus side makes the same batches of both.
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "bench/log_replay.hpp"
#include "contract/can_bus/uart_line.hpp"
#include "dbc/parser.hpp"
#include "drive/drive.hpp"
#include "wayseal/posix/candump_player.hpp"

namespace wayseal::test {
namespace {

using Buffer = std::vector<uint8_t>;

/// A log in memory, as a file descriptor.
class Log {
 public:
  explicit Log(const std::vector<CanFrame>& frames) : fd_(::memfd_create("log", MFD_CLOEXEC)) {
    REQUIRE(fd_ >= 0);
    std::string text;
    for (const CanFrame& frame : frames) text += oem::candump_line(frame) + "\n";
    REQUIRE(::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { ::close(fd_); }
  /// A player from its beginning. One at a time.
  std::unique_ptr<CandumpPlayer> play(const Clock& clock) const {
    REQUIRE(::lseek(fd_, 0, SEEK_SET) == 0);
    auto player = std::make_unique<CandumpPlayer>(clock, fd_, CandumpPlayer::Pace::kAsFastAsItGoes, 1);
    for (const char* name : {"can0", "can1"}) REQUIRE(player->add_interface({name, 4}).ok());
    return player;
  }

 private:
  int fd_;
};

/// The bus as it is, but for what its times count from: the test sets the clock by the log.
class OnLogTime final : public CanBus {
 public:
  explicit OnLogTime(CanBus& bus) : bus_(bus) {}

 private:
  Status do_set_filters(Span<const CanFilter> filters) override { return bus_.set_filters(filters); }
  Result<size_t> do_receive(Span<CanFrame> frames) override { return bus_.receive(frames); }
  uint8_t do_bus_count() const override { return bus_.bus_count(); }
  BusState do_state(uint8_t bus) const override { return bus_.state(bus); }
  BusCounters do_counters(uint8_t bus) const override { return bus_.counters(bus); }
  TimeBase do_time_base() const override { return TimeBase::kRecorded; }

  CanBus& bus_;
};

/// What the recorder hands to the sealer until the bus has come to its end. \param feed called before each step.
std::vector<Buffer> record(CanBus& bus, const SignalTable& table, const std::function<void()>& feed) {
  Buffer slots(RecordQueue::memory_needed(2));
  RecordQueue queue({slots.data(), slots.size()});
  const size_t chunks = Collector::chunks_needed(table.group_count(), table.signal_count());
  Buffer memory(Collector::memory_needed(table.group_count(), table.signal_count(), chunks));
  const TimeSnapshot time;
  const fakes::FakeClock clock;
  Recorder recorder(bus, queue, time, clock);
  RecorderConfig config;
  config.when_full = WhenFull::kWait;
  REQUIRE(recorder.start(table, {memory.data(), memory.size()}, config) == Status::kOk);
  std::vector<Buffer> out;
  const auto drain = [&] {
    for (QueuedContent content; queue.front(content); queue.pop())
      out.emplace_back(content.content.begin(), content.content.end());
  };
  while (!recorder.ended()) {
    feed();
    (void)recorder.step({0});
    drain();
  }
  REQUIRE(recorder.flush() == Status::kOk);
  drain();
  return out;
}

std::vector<Buffer> record_over_line(const Log& log, const SignalTable& table) {
  UartLine line({2, 0});
  OnLogTime bus(line.bus);
  const std::unique_ptr<CandumpPlayer> player = log.play(line.clock);
  std::vector<Buffer> out = record(bus, table, [&] {
    CanFrame frames[32];  // fewer than the ring holds, so that nothing is dropped
    const size_t count = player->receive(frames).value();
    for (size_t i = 0; i < count; ++i) {
      line.clock.set({frames[i].time_ns});
      line.send(frames[i]);
      REQUIRE(line.interrupt());
    }
    if (count != 0) return;
    for (const uint8_t number : {uint8_t{0}, uint8_t{1}}) line.report(number, {BusState::kEnded, 0, 0});
    REQUIRE(line.interrupt());
  });
  for (const uint8_t number : {uint8_t{0}, uint8_t{1}}) {
    CHECK(line.bus.counters(number).frames == player->counters(number).frames);
    CHECK(line.bus.counters(number).frames_dropped == 0);
    CHECK(line.bus.counters(number).unreadable == 0);
  }
  return out;
}

void check_same_batches(const std::vector<CanFrame>& frames, const Buffer& table_bytes) {
  SignalTable table;
  REQUIRE(table.load({table_bytes.data(), table_bytes.size()}) == Status::kOk);
  const Log log(frames);
  const fakes::FakeClock clock;
  const std::vector<Buffer> directly = record(*log.play(clock), table, [] {});
  const std::vector<Buffer> over_line = record_over_line(log, table);
  std::printf("%zu frames, %zu batches\n", frames.size(), directly.size());
  REQUIRE(directly.size() > 1);
  REQUIRE(over_line.size() == directly.size());
  for (size_t i = 0; i < directly.size(); ++i) REQUIRE(over_line[i] == directly[i]);
}

}  // namespace

TEST_CASE("a drive over the serial line gives the batches of its log, byte by byte") {
  std::vector<CanFrame> frames;
  oem::DriveOptions options;
  options.seconds = 30;
  oem::drive(options, [&](const CanFrame& frame) { frames.push_back(frame); });
  const oem::DbcFile dbc = oem::parse_dbc(oem::drive_dbc(), "drive.dbc");
  check_same_batches(frames, oem::build_table({{"", dbc}}, {}).bytes);
}

TEST_CASE("recorded drives over the serial line give the batches of their logs, byte by byte") {
  struct Drive {
    const char* log;
    const char* interface_name;
    const char* dbc;
  };
  const Drive drive = GENERATE(values<Drive>({
      {"comma2k19_rav4_a.log.xz", "can0", "toyota_new_mc_pt_generated.dbc"},
      {"css_j1939_truck_idle_gps.log.xz", "can0", "CSS-Electronics-SAE-J1939-DEMO.dbc"},
  }));
  const std::string folder = data_folder();
  const std::string log = folder + "/can_logs/" + drive.log;
  const std::string dbc = folder + "/dbc/" + drive.dbc;
  if (folder.empty() || !std::filesystem::exists(log) || !std::filesystem::exists(dbc))
    SKIP("no third-party data");
  CAPTURE(drive.log);
  check_same_batches(load_frames(log, drive.interface_name), load_table(dbc));
}

}  // namespace wayseal::test
