// SPDX-License-Identifier: Apache-2.0
/// \file
/// What every CanBus keeps to. A port's test makes a Rig and calls check_can_bus_contract.
#ifndef WAYSEAL_TESTS_CAN_BUS_CONTRACT_HPP
#define WAYSEAL_TESTS_CAN_BUS_CONTRACT_HPP

#include <functional>
#include <vector>

#include "wayseal/hal/can_bus.hpp"

namespace wayseal::test {

/// A bus under test, and a way to put frames on it.
struct CanBusRig {
  CanBus& bus;
  /// Puts these frames on the bus, in order (time and counters of the argument are ignored).
  std::function<void(const std::vector<CanFrame>&)> send;
  /// Gives the port a chance to notice what came (poll, or nothing). False when nothing more can come.
  std::function<bool()> wait;
  bool carries_fd = true;
};

/// Runs the contract with Catch2 assertions.
void check_can_bus_contract(CanBusRig& rig);

/// Receives until `count` frames are there or `wait` gives up.
std::vector<CanFrame> receive_frames(CanBusRig& rig, size_t count);

CanFrame make_frame(uint32_t id, std::vector<uint8_t> data, uint8_t flags = 0, uint8_t bus = 0);

}  // namespace wayseal::test

#endif
