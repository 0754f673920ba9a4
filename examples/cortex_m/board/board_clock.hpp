// SPDX-License-Identifier: Apache-2.0
/// \file
/// Clock port on SysTick.
#ifndef BOARD_BOARD_CLOCK_HPP
#define BOARD_BOARD_CLOCK_HPP

#include "wayseal/hal/clock.hpp"

namespace board {

/// Time since reset with a resolution of 40 ns; 64 bits of milliseconds, so it does not wrap. SysTick must not be held off
/// for 1 ms or more, else time is lost (it never steps back).
///
/// Threads: `now` also from interrupts. 8 bytes.
class BoardClock final : public wayseal::Clock {
 public:
  /// To be called after a sleep in which SysTick stood still with RAM kept: sessions then end.
  void resumed() { ++continuity_; }

 private:
  wayseal::MonotonicTime do_now() const override;
  uint64_t do_continuity() const override { return continuity_; }

  uint32_t continuity_ = 1;  // a reset begins anew, and so do sessions: 32 bits are one read
};

}  // namespace board

#endif
