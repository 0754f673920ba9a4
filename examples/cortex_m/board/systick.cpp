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

// Two words instead of one of 64 bits: each is read in one access, and the reader sees whether they changed meanwhile.
volatile uint32_t ms_low;
volatile uint32_t ms_high;

}  // namespace

void start_systick() {
  reg(kReload) = kCyclesPerMs - 1;
  reg(kCurrent) = 0;
  reg(kControl) = 7;  // processor clock, interrupt, on
}

void systick_interrupt() {
  const uint32_t next = ms_low + 1;
  ms_low = next;
  if (next == 0) ms_high = ms_high + 1;
}

Ticks ticks() {
  uint32_t low;
  uint32_t high;
  uint32_t left;
  bool pending;
  do {
    low = ms_low;
    high = ms_high;
    left = reg(kCurrent);
    pending = (reg(kInterruptState) & kSysTickPending) != 0;
  } while (low != ms_low || high != ms_high);
  uint64_t ms = (static_cast<uint64_t>(high) << 32) | low;
  // In another interrupt the count may have begun anew without having been counted yet.
  if (pending && left > kCyclesPerMs / 2) ++ms;
  return {ms, kCyclesPerMs - 1 - left};
}

void idle() { __asm__ volatile("wfi" ::: "memory"); }

}  // namespace board
