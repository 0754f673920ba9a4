// SPDX-License-Identifier: Apache-2.0
// From reset to main, and what happens on a fault.
#include "board/startup.hpp"

#include <cstring>

#include "board/board.hpp"
#include "board/memory_map.hpp"

int main();

extern "C" {
// From the linker script.
extern uint32_t board_data_start[], board_data_end[], board_data_load[];
extern uint32_t board_bss_start[], board_bss_end[];
extern uint32_t board_stack_limit[], board_stack_top[];
extern void (*board_constructors_start[])();
extern void (*board_constructors_end[])();

void board_reset();
void board_fault();
[[noreturn]] void board_report_fault(const uint32_t* frame);
void board_dispatch();
void board_systick();
}

namespace board {
namespace {

constexpr uint32_t kPaint = 0xC0DEC0DE;
constexpr uintptr_t kConfigurableFaultStatus = 0xE000ED28;
constexpr uintptr_t kHardFaultStatus = 0xE000ED2C;
constexpr uintptr_t kBusFaultAddress = 0xE000ED38;
constexpr uintptr_t kInterruptEnable = 0xE000E100;
constexpr uint32_t kFirstInterrupt = 16;  // exception number of interrupt 0
constexpr uint32_t kFrameWords = 8;

struct Interrupt {
  InterruptHandler handler;
  void* context;
};
Interrupt interrupts[kInterrupts];

void print_register(const char* name, uint32_t value) {
  print(" ");
  print(name);
  print("=");
  print_hex(value);
}

void print_frame(const uint32_t* frame) {
  // After an overflow of the stack the frame lies outside it.
  if (frame < board_stack_limit || frame + kFrameWords > board_stack_top) {
    print(" stack overflow");
    return;
  }
  static const char* const kNames[kFrameWords] = {"r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr"};
  for (uint32_t i = 0; i < kFrameWords; ++i) print_register(kNames[i], frame[i]);
}

}  // namespace

size_t stack_size() { return static_cast<size_t>(board_stack_top - board_stack_limit) * sizeof(uint32_t); }

size_t stack_used() {
  const uint32_t* at = board_stack_limit;
  while (at < board_stack_top && *at == kPaint) ++at;
  return static_cast<size_t>(board_stack_top - at) * sizeof(uint32_t);
}

__attribute__((noinline)) void paint_stack() {
  constexpr uint32_t kOwnFrameWords = 16;
  const uint32_t* const end = static_cast<uint32_t*>(__builtin_frame_address(0)) - kOwnFrameWords;
  for (volatile uint32_t* at = board_stack_limit; at < end; ++at) *at = kPaint;
}

void on_interrupt(uint8_t number, InterruptHandler handler, void* context) {
  if (number >= kInterrupts) return;
  const InterruptLock lock;
  interrupts[number] = {handler, context};
  reg(kInterruptEnable) = 1U << number;
}

}  // namespace board

extern "C" {

__attribute__((used, noreturn)) void board_start();
void board_start() {
  std::memcpy(board_data_start, board_data_load,
              static_cast<size_t>(board_data_end - board_data_start) * sizeof(uint32_t));
  std::memset(board_bss_start, 0, static_cast<size_t>(board_bss_end - board_bss_start) * sizeof(uint32_t));
  board::paint_stack();
  board::start_console();
  board::start_systick();
  for (void (**constructor)() = board_constructors_start; constructor < board_constructors_end; ++constructor) {
    (*constructor)();
  }
  board::exit(main());
}

// The FPU must be on before any C++ code, which may save its registers.
__attribute__((naked, used)) void board_reset() {
  __asm__ volatile(
      "movw r0, #0xED88\n"
      "movt r0, #0xE000\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #0xF00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
      "b board_start\n");
}

// With the stack from its top: the fault may be that it is used up.
__attribute__((naked, used)) void board_fault() {
  __asm__ volatile(
      "mrs r0, msp\n"
      "movw r1, #:lower16:board_stack_top\n"
      "movt r1, #:upper16:board_stack_top\n"
      "msr msp, r1\n"
      "b board_report_fault\n");
}

__attribute__((used)) void board_report_fault(const uint32_t* frame) {
  board::print("\nfault:");
  board::print_register("cfsr", board::reg(board::kConfigurableFaultStatus));
  board::print_register("hfsr", board::reg(board::kHardFaultStatus));
  board::print_register("bfar", board::reg(board::kBusFaultAddress));
  board::print_frame(frame);
  board::print("\n");
  board::exit(board::kExitFault);
}

__attribute__((used)) void board_systick() { board::systick_interrupt(); }

__attribute__((used)) void board_dispatch() {
  uint32_t exception;
  __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
  const uint32_t number = exception - board::kFirstInterrupt;
  if (number >= board::kInterrupts || board::interrupts[number].handler == nullptr) {
    board_report_fault(static_cast<uint32_t*>(__builtin_frame_address(0)));
  }
  board::interrupts[number].handler(board::interrupts[number].context);
}

struct BoardVectors {
  const uint32_t* stack;
  void (*exceptions[15])();
  void (*interrupts[board::kInterrupts])();
};

extern const BoardVectors board_vectors;
__attribute__((section(".vectors"), used)) const BoardVectors board_vectors = {
    board_stack_top,
    {board_reset, board_fault, board_fault, board_fault, board_fault, board_fault, board_fault, board_fault,
     board_fault, board_fault, board_fault, board_fault, board_fault, board_fault, board_systick},
    {board_dispatch, board_dispatch, board_dispatch, board_dispatch, board_dispatch, board_dispatch,
     board_dispatch, board_dispatch, board_dispatch, board_dispatch, board_dispatch, board_dispatch,
     board_dispatch, board_dispatch, board_dispatch, board_dispatch}};

// newlib's own raises a signal, whose table is on the heap.
[[noreturn]] void abort();
[[noreturn]] void abort() {
  board::print("\nabort\n");
  board::exit(board::kExitAbort);
}

// mbedTLS's, when its arena is found damaged.
[[noreturn]] void exit(int code);
[[noreturn]] void exit(int code) { board::exit(code); }

// Nothing here unwinds, and nothing static is ever destroyed; the compiler's library asks for these all the same.
void __aeabi_unwind_cpp_pr0() {}
void __aeabi_unwind_cpp_pr1() {}
int __aeabi_atexit(void*, void (*)(void*), void*);
int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }
void* __dso_handle;

}  // extern "C"
