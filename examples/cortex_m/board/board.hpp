// SPDX-License-Identifier: Apache-2.0
/// \file
/// All that a program on the emulated board needs of it: console, arguments, random bytes, exit, idle, interrupts, stack.
///
/// The program starts in `int main()`, with the FPU on, SysTick at 1 ms, and the stack painted; what main returns is the
/// emulator's exit code. There is no heap, and destructors of static objects never run.
///
/// Threads: one; what may be called from an interrupt says so. Blocking: the console waits for its UART.
#ifndef BOARD_BOARD_HPP
#define BOARD_BOARD_HPP

#include <cstddef>
#include <cstdint>

namespace board {

/// Writes to the console. Interrupts may call it; output then mixes.
void print(const char* text);
void print(const char* text, size_t length);
/// In decimal.
void print_number(uint64_t value);
/// 8 digits in hexadecimal.
void print_hex(uint32_t value);
/// "name=value", with a blank in front.
void print_field(const char* name, uint64_t value);

/// Reads a character from the console. \return false when none waits.
bool read(char& out);

/// Ends the emulator with this exit code (0 to 255), by semihosting. A real device would reset.
[[noreturn]] void exit(int code);

/// Exit code after a fault, whose registers are on the console.
inline constexpr int kExitFault = 99;
/// Exit code after `abort`.
inline constexpr int kExitAbort = 98;

/// The command line that the emulator was given (-semihosting-config arg=...), words parted by one blank.
/// \return false when `size` is too small; `out` then holds an empty text.
bool arguments(char* out, size_t size);

/// Random bytes for keys: the emulating machine's /dev/urandom, read by semihosting, because these boards have no
/// generator. On a real device this is the one function to write anew, with its TRNG.
/// \return false when they could not be had: stop then, never go on with what `out` holds.
bool entropy(uint8_t* out, size_t size);

/// Sleeps until the next interrupt, at most 1 ms. The emulator's own work (network, UART) gets its turn here.
void idle();

/// Milliseconds and SysTick's position within, since reset. Interrupts may call it.
struct Ticks {
  uint64_t ms;
  uint32_t cycles;  ///< 0 to kClockHz / 1000 - 1.
};
Ticks ticks();

/// Calls `handler(context)` at interrupt `number` (0 to kInterrupts - 1) from now on, and enables it. All interrupts have
/// one priority: none interrupts another.
inline constexpr uint8_t kInterrupts = 16;
using InterruptHandler = void (*)(void* context);
void on_interrupt(uint8_t number, InterruptHandler handler, void* context);

/// Holds interrupts off while it lives. May be nested.
class InterruptLock {
 public:
  InterruptLock() {
    __asm__ volatile("mrs %0, primask" : "=r"(before_));
    __asm__ volatile("cpsid i" ::: "memory");
  }
  ~InterruptLock() { __asm__ volatile("msr primask, %0" ::"r"(before_) : "memory"); }
  InterruptLock(const InterruptLock&) = delete;
  InterruptLock& operator=(const InterruptLock&) = delete;

 private:
  uint32_t before_;
};

/// Bytes of stack: all, and the most that was in use so far, by the paint that is left.
size_t stack_size();
size_t stack_used();
/// Paints the free stack again, so that `stack_used` tells what happens from here on.
void paint_stack();

}  // namespace board

#endif
