// SPDX-License-Identifier: Apache-2.0
#include "board/board_clock.hpp"

#include "board/board.hpp"
#include "board/memory_map.hpp"

namespace board {
namespace {
constexpr int64_t kNsPerCycle = wayseal::kNsPerSecond / kClockHz;
}

wayseal::MonotonicTime BoardClock::do_now() const {
  const Ticks now = ticks();
  return {static_cast<int64_t>(now.ms) * wayseal::kNsPerMs + static_cast<int64_t>(now.cycles) * kNsPerCycle};
}

}  // namespace board
