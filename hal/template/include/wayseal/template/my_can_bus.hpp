// SPDX-License-Identifier: Apache-2.0
/// \file
/// CanBus port to fill in.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_CAN_BUS_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_CAN_BUS_HPP

#include "wayseal/hal/can_bus.hpp"

namespace wayseal {

/// FILL IN: the controller, its buses, how many frames its queue holds.
///
/// All calls come from the bus side and none blocks. An interrupt that fills a queue is the usual shape; what the queue
/// has no room for is counted in `frames_dropped`, which reaches the backend.
class MyCanBus final : public CanBus {
 private:
  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override;
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override;
};

}  // namespace wayseal

#endif
