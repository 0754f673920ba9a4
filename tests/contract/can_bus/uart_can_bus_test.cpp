// SPDX-License-Identifier: Apache-2.0
#include "can/uart_can_bus.hpp"

#include <catch2/catch_test_macros.hpp>

#include "contract/can_bus/can_bus_contract.hpp"
#include "contract/can_bus/uart_line.hpp"

namespace wayseal::test {
namespace {

void check_with_pieces_of(size_t bytes) {
  CAPTURE(bytes);
  UartLine line;
  line.report(0, {BusState::kActive, 0, 0});
  CHECK(line.bus.state(0) == BusState::kDown);  // until something was heard
  REQUIRE(line.receive_all().empty());
  CanBusRig rig{line.bus,
                [&](const std::vector<CanFrame>& frames) {
                  for (const CanFrame& frame : frames) line.send(frame);
                },
                [&] { return line.interrupt(bytes); }, true};
  check_can_bus_contract(rig);
  CHECK(line.bus.counters(0).unreadable == 0);
}

}  // namespace

TEST_CASE("CanBus contract: frames over a serial line, however its bytes come") {
  for (const size_t bytes : {1U, 7U, 1024U}) check_with_pieces_of(bytes);
}

}  // namespace wayseal::test
