// SPDX-License-Identifier: Apache-2.0
// What wayseal-uart-can sends, received: every frame arrives or is counted where the README says.
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "can/send/player.hpp"
#include "contract/can_bus/uart_line.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::test {
namespace {

constexpr uint32_t kFrames = 1000;

int log_of(uint32_t frames) {
  std::string text;
  for (uint32_t i = 0; i < frames; ++i) {
    char line[64];
    const int size = std::snprintf(line, sizeof line, "(1.%06u) can%u %03X#%08X\n", i, i % 2, i % 0x700, i);
    text.append(line, static_cast<size_t>(size));
  }
  const int fd = ::memfd_create("log", MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(::lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

struct Sent {
  can::PlayCounts counts;
  std::vector<CanFrame> received;
};

/// Plays a log over the line in a thread and receives until it has ended.
Sent play(UartLine& line, const std::vector<std::string>& faults) {
  can::PlayOptions options;
  for (const std::string& fault : faults) options.faults.push_back(can::parse_fault(fault));
  auto sending = std::async(std::launch::async, [&line, &options] {
    const PosixClock clock;
    const int log = log_of(kFrames);
    const auto player = std::make_unique<CandumpPlayer>(clock, log, CandumpPlayer::Pace::kAsFastAsItGoes, 1);
    can::Line out(line.take_sender());
    const can::PlayCounts counts =
        can::LinePlayer(out, clock, options).play(*player, [&] { return player->next_due(); });
    ::close(log);
    return counts;
  });
  Sent sent;
  while (line.bus.state(1) != BusState::kEnded) {
    const std::vector<CanFrame> some = line.receive_all();
    sent.received.insert(sent.received.end(), some.begin(), some.end());
  }
  sent.counts = sending.get();
  return sent;
}

}  // namespace

TEST_CASE("a log arrives whole, and ends") {
  UartLine line({2, 0});
  const Sent sent = play(line, {});
  CHECK(sent.counts.frames == kFrames);
  REQUIRE(sent.received.size() == kFrames);
  for (uint32_t i = 0; i < kFrames; ++i) {
    REQUIRE(sent.received[i].bus == i % 2);
    REQUIRE(sent.received[i].id == i % 0x700);
    REQUIRE(load_be32(sent.received[i].data) == i);
  }
  CHECK(line.bus.state(0) == BusState::kEnded);
}

TEST_CASE("faults arrive as what they are") {
  UartLine line({2, 0});
  const Sent sent = play(
      line, {"0:dropped=5", "100:passive", "200:bus-off", "300:active", "300:garbage=500", "400:damaged=7",
             "400:truncated=9", "500:remote=3", "600:errors=12", "700:flood=50", "800:dropped=2", "900:down"});
  CHECK(sent.counts.frames == kFrames);
  CHECK(sent.counts.other_frames == 50);
  CHECK(sent.counts.damaged == 16);
  const BusCounters counters = line.bus.counters(0);
  CHECK(counters.frames == kFrames / 2 + 50);
  CHECK(line.bus.counters(1).frames == kFrames / 2);
  CHECK(sent.received.size() == kFrames + 50);
  CHECK(counters.frames_dropped == 7);
  CHECK(counters.error_frames == 12);
  CHECK(counters.bus_off_events == 1);
  CHECK(counters.down_events == 1);
  CHECK(counters.unreadable > 16 + 3);  // and some of the garbage
  CHECK(counters.unreadable < 16 + 3 + 100);
}

TEST_CASE("faults that do not exist are refused") {
  for (const char* text : {"", "active", "x:active", "1:", "1:explode", "1:garbage=x"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(can::parse_fault(text), std::invalid_argument);
  }
}

TEST_CASE("a line that nobody listens on is said, not waited for") {
  UartLine line;
  const int sender = line.take_sender();
  can::Line out(sender);
  ::shutdown(sender, SHUT_WR);
  out.write({&can::kDelimiter, 1});
  CHECK_THROWS_AS(out.flush(), std::runtime_error);
}

}  // namespace wayseal::test
