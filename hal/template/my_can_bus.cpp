// SPDX-License-Identifier: Apache-2.0
#include "wayseal/template/my_can_bus.hpp"

namespace wayseal {

// FILL IN: acceptance filters, when the controller has enough of them. More frames than asked for are allowed, fewer never.
Status MyCanBus::do_set_filters(Span<const CanFilter> /*filters*/) { return Status::kUnsupported; }

// FILL IN: data frames only, in order of reception, each with the time of its reception by the Clock port. 0 when none waits;
// kDisconnected while every bus is down, and it comes back by itself.
Result<size_t> MyCanBus::do_receive(Span<CanFrame> /*frames*/) { return Status::kDisconnected; }

// FILL IN: constant.
uint8_t MyCanBus::do_bus_count() const { return 1; }

// FILL IN: bus-off and error-passive from the controller's status register.
BusState MyCanBus::do_state(uint8_t /*bus*/) const { return BusState::kDown; }

// FILL IN: since the bus was opened; only ever growing.
BusCounters MyCanBus::do_counters(uint8_t /*bus*/) const { return {}; }

TimeBase MyCanBus::do_time_base() const { return TimeBase::kMonotonic; }

}  // namespace wayseal
