// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <string>

#include "contract/can_bus/can_bus_contract.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::test {
namespace {

std::string log_line(const CanFrame& frame, int number) {
  char text[256];
  const bool fd = frame.fd();
  int size =
      std::snprintf(text, sizeof text, frame.extended() ? "(100.%06d) can0 %08X#" : "(100.%06d) can0 %03X#",
                    number, frame.id);
  if (fd) {
    size += std::snprintf(text + size, sizeof text - static_cast<size_t>(size), "#%X",
                          (frame.flags & CanFrame::kBitRateSwitch) != 0 ? 1U : 0U);
  }
  std::string line(text, static_cast<size_t>(size));
  for (size_t i = 0; i < frame.length; ++i) {
    std::snprintf(text, sizeof text, "%02X", frame.data[i]);
    line += text;
  }
  return line + "\n";
}

}  // namespace

TEST_CASE("CanBus contract: candump player over a pipe") {
  int ends[2];
  REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  const PosixClock clock;
  CandumpPlayer player(clock, ends[0], CandumpPlayer::Pace::kAsFastAsItGoes, 1);
  int number = 0;
  CanBusRig rig{player,
                [&](const std::vector<CanFrame>& frames) {
                  for (const CanFrame& frame : frames) {
                    const std::string line = log_line(frame, number++);
                    REQUIRE(write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size()));
                  }
                },
                [] { return true; }, true};
  check_can_bus_contract(rig);
  close(ends[1]);
  CanFrame frame[1];
  CHECK(player.receive(frame).value() == 0);
  CHECK(player.state(0) == BusState::kEnded);
  close(ends[0]);
}

}  // namespace wayseal::test
