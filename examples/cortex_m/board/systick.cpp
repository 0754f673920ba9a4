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

constexpr unsigned kCycleBits = 15;
static_assert(kCyclesPerMs < 1U << kCycleBits, "a position within a millisecond");

// Counted in the interrupt, whose equals do not interrupt it; all others hold interrupts off.
volatile uint64_t counted_ms;
uint64_t last;  // ticks as one number, milliseconds above kCycleBits

}  // namespace

void start_systick() {
  reg(kReload) = kCyclesPerMs - 1;
  reg(kCurrent) = 0;
  reg(kControl) = 7;  // processor clock, interrupt, on
}

void systick_interrupt() { counted_ms = counted_ms + 1; }

Ticks ticks() {
  const InterruptLock lock;
  uint32_t left;
  uint32_t left_after;
  uint32_t pending;
  do {
    left = reg(kCurrent);
    pending = reg(kInterruptState) / kSysTickPending & 1;
    left_after = reg(kCurrent);
    // At 0 the next millisecond may be pending, counted, or neither yet; a count that grew began anew between the reads.
  } while (left_after == 0 || left_after > left);
  const uint64_t now = ((counted_ms + pending) << kCycleBits) + (kCyclesPerMs - 1 - left);
  // An interrupt held off for more than 1 ms (an emulator whose machine is busy) is a millisecond lost that was seen already.
  if (last < now) last = now;
  return {last >> kCycleBits, static_cast<uint32_t>(last) & ((1U << kCycleBits) - 1)};
}

void idle() { __asm__ volatile("wfi" ::: "memory"); }

}  // namespace board
