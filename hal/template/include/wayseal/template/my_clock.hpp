// SPDX-License-Identifier: Apache-2.0
/// \file
/// Clock port to fill in. The first to do: everything else is timed by it.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_CLOCK_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_CLOCK_HPP

#include "wayseal/hal/clock.hpp"

namespace wayseal {

/// FILL IN: what it counts, and how many bytes it costs.
///
/// Any thread and any interrupt may ask. `now` never steps back, counts on through a sleep of the processor or the
/// continuity changes, and needs no 64-bit atomics: read high and low half until the high one stands still.
class MyClock final : public Clock {
 private:
  MonotonicTime do_now() const override;
  uint64_t do_continuity() const override;
};

}  // namespace wayseal

#endif
