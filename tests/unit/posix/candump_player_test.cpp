// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/candump_player.hpp"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace wayseal::test {
namespace {

class StillClock final : public Clock {
 public:
  MonotonicTime time;

 private:
  MonotonicTime do_now() const override { return time; }
  uint64_t do_continuity() const override { return 0; }
};

/// A file that holds `text`, gone when closed.
class TextFile {
 public:
  explicit TextFile(const std::string& text) : file_(std::tmpfile()) {
    REQUIRE(file_ != nullptr);
    REQUIRE(std::fwrite(text.data(), 1, text.size(), file_) == text.size());
    std::fflush(file_);
    lseek(fd(), 0, SEEK_SET);
  }
  ~TextFile() { std::fclose(file_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  int fd() const { return fileno(file_); }

 private:
  std::FILE* file_;
};

// What `record` then refers to is the line itself: for literals, which stay.
CandumpLine parse(std::string_view line, CandumpRecord& record) {
  return parse_candump_line({line.data(), line.size()}, record);
}

std::vector<CanFrame> play_all(CandumpPlayer& player) {
  std::vector<CanFrame> out;
  CanFrame chunk[7];
  for (;;) {
    const Result<size_t> got = player.receive(chunk);
    if (got.value() == 0) return out;
    out.insert(out.end(), chunk, chunk + got.value());
  }
}

std::string text_of(Span<const char> text) { return {text.data(), text.size()}; }

}  // namespace

TEST_CASE("candump line: what candump -L writes is read") {
  CandumpRecord r;
  REQUIRE(parse("(1635188455.020850) can0 18F00E00#821639C4FFFFFFFF", r) == CandumpLine::kFrame);
  CHECK(r.frame.time_ns == 1635188455020850000);
  CHECK(text_of(r.interface_name) == "can0");
  CHECK(r.frame.id == 0x18F00E00);
  CHECK(r.frame.extended());
  CHECK(r.frame.length == 8);
  CHECK(r.frame.data[0] == 0x82);

  REQUIRE(parse("(0.000001) vcan0 123#", r) == CandumpLine::kFrame);
  CHECK(r.frame.time_ns == 1000);
  CHECK(r.frame.length == 0);
  CHECK_FALSE(r.frame.extended());

  REQUIRE(parse("(5.000000) can1 7FF##3000102030405060708090A0B R", r) == CandumpLine::kFrame);
  CHECK(r.frame.fd());
  CHECK((r.frame.flags & CanFrame::kBitRateSwitch) != 0);
  CHECK((r.frame.flags & CanFrame::kErrorStateIndicator) != 0);
  CHECK(r.frame.length == 12);

  CHECK(parse("(5.000000) can1 7FF#R", r) == CandumpLine::kRemote);
  CHECK(parse("(5.000000) can1 20000004#0000000000000000", r) == CandumpLine::kRemote);
  CHECK(parse("   \r", r) == CandumpLine::kBlank);
}

TEST_CASE("candump line: what cannot be read is said so") {
  CandumpRecord r;
  for (const char* line : {"x", "(", "(1", "(1.2 can0 1#", "(a.0) can0 123#00", "(99999999999.0) can0 123#00",
                           "(1.0000000001) can0 123#00", "(1.0)", "(1.0) can0", "(1.0) can0 123",
                           "(1.0) can0 800#00", "(1.0) can0 1234#00", "(1.0) can0 #00", "(1.0) can0 123#0",
                           "(1.0) can0 123#0G", "(1.0) can0 123#000102030405060708", "(1.0) can0 123##",
                           "(1.0) can0 123##0000102030405060708", "(1.0) can0 123456789#00"}) {
    CAPTURE(line);
    CHECK(parse(line, r) == CandumpLine::kUnreadable);
  }
}

TEST_CASE("candump player: unreadable lines are counted, the others all come") {
  const std::string long_line(CandumpPlayer::kLineMax + 1, 'x');
  const std::string huge_line(200 * 1024, 'y');
  const TextFile log("(1.0) can0 001#01\nrubbish\n" + long_line + "\n(1.1) can1 002#02\n" + huge_line +
                     "\n(1.2) can0 003#03\n(1.3) can0 004#R\n\n(1.4) can1 005#05");
  const StillClock clock;
  CandumpPlayer player(clock, log.fd(), CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  const std::vector<CanFrame> frames = play_all(player);
  REQUIRE(frames.size() == 4);
  CHECK(frames[1].bus == 1);
  CHECK(frames[3].id == 5);
  CHECK(player.counters(0).unreadable == 4);
  CHECK(player.counters(0).frames == 2);
  CHECK(player.counters(1).frames == 2);
  CHECK(text_of(player.interface_name(1)) == "can1");
  CHECK(player.state(0) == BusState::kEnded);
}

TEST_CASE("candump player: paced by the log's times, scaled") {
  const TextFile log("(10.0) c 001#\n(10.5) c 002#\n(12.0) c 003#\n");
  StillClock clock;
  clock.time = {7 * kNsPerSecond};
  CandumpPlayer player(clock, log.fd(), CandumpPlayer::Pace::kRecorded, 2.0);
  CHECK(play_all(player).size() == 1);
  CHECK(player.next_due().ns == 7 * kNsPerSecond + kNsPerSecond / 4);
  clock.time.ns += kNsPerSecond / 4 - 1;
  CHECK(play_all(player).empty());
  clock.time.ns += 1;
  CHECK(play_all(player).size() == 1);
  clock.time.ns += kNsPerSecond;
  CHECK(play_all(player).size() == 1);
  CHECK(player.state(0) == BusState::kEnded);
}

TEST_CASE("candump player: times that step back are handed on and counted") {
  const TextFile log("(10.0) c 001#\n(9.5) c 002#\n(10.1) c 003#\n");
  StillClock clock;
  CandumpPlayer player(clock, log.fd(), CandumpPlayer::Pace::kRecorded, 1);
  const std::vector<CanFrame> frames = play_all(player);
  REQUIRE(frames.size() == 2);
  CHECK(frames[1].time_ns == 9'500'000'000);
  CHECK(player.counters(0).time_steps_back == 1);
}

TEST_CASE("candump player: interfaces named beforehand keep their place, a ninth is counted") {
  std::string text;
  for (int i = 0; i < 9; ++i) text += "(1.0) can" + std::to_string(i) + " 001#\n";
  const TextFile log(text);
  const StillClock clock;
  CandumpPlayer player(clock, log.fd(), CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  REQUIRE(player.add_interface({"can5", 4}).value() == 0);
  CHECK(player.add_interface({}).status() == Status::kInvalidArgument);
  const std::vector<CanFrame> frames = play_all(player);
  CHECK(frames.size() == 8);
  CHECK(player.counters(0).frames == 1);
  CHECK(player.counters(0).unreadable == 1);
}

TEST_CASE("candump player: a failing file ends the recording with its errno") {
  const StillClock clock;
  CandumpPlayer player(clock, -1, CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  CanFrame frame[1];
  CHECK(player.receive(frame).value() == 0);
  CHECK(player.state(0) == BusState::kEnded);
  CHECK(player.read_error() != 0);
}

}  // namespace wayseal::test
