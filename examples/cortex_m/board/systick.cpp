// SPDX-License-Identifier: Apache-2.0
#include "board/startup.hpp"

#include "board/board.hpp"
#include "board/memory_map.hpp"

namespace board {
namespace {

constexpr uintptr_t kControl = 0xE000E010;
constexpr uintptr_t kReload = 0xE000E014;
constexpr uintptr_t kCurrent = 0xE000E018;
constexpr uintptr_t kInterruptState = 0xE000ED04;
constexpr uint32_t kSysTickPending = 1U << 26;
constexpr uint32_t kCyclesPerMs = kClockHz / 1000;

// Counted in the interrupt, whose equals do not interrupt it; all others hold interrupts off.
volatile uint64_t counted_ms;
Ticks last;

// Milliseconds that began and were not counted yet (0 or 1), and the position within.
Ticks read_counter() {
  for (;;) {
    const uint32_t left = reg(kCurrent);
    const bool pending = (reg(kInterruptState) & kSysTickPending) != 0;
    const uint32_t left_after = reg(kCurrent);
    // At 0 the next millisecond may be pending, counted, or neither yet; a count that grew began anew between the reads.
    if (left_after != 0 && left_after <= left) return {pending ? 1U : 0U, kCyclesPerMs - 1 - left};
  }
}

}  // namespace

void start_systick() {
  reg(kReload) = kCyclesPerMs - 1;
  reg(kCurrent) = 0;
  reg(kControl) = 7;  // processor clock, interrupt, on
}

void systick_interrupt() { counted_ms = counted_ms + 1; }

Ticks ticks() {
  const InterruptLock lock;
  Ticks now = read_counter();
  now.ms += counted_ms;
  // An interrupt held off for more than 1 ms (an emulator whose machine is busy) is a millisecond lost that was seen already.
  if (now.ms < last.ms || (now.ms == last.ms && now.cycles < last.cycles)) return last;
  last = now;
  return now;
}

void idle() { __asm__ volatile("wfi" ::: "memory"); }

}  // namespace board
