// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_can_bus.hpp"

#include <catch2/catch_test_macros.hpp>

#include "contract/can_bus/can_bus_contract.hpp"

namespace wayseal::test {

TEST_CASE("CanBus contract: the fake bus") {
  fakes::FakeCanBus bus;
  CanBusRig rig{bus,
                [&bus](const std::vector<CanFrame>& frames) {
                  for (const CanFrame& frame : frames) bus.send(frame);
                },
                [&bus] { return bus.waiting() > 0; }, true};
  check_can_bus_contract(rig);
}

}  // namespace wayseal::test
