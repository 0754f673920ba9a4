// SPDX-License-Identifier: Apache-2.0
// What only an emulator or a debugger gives (Arm, "Semihosting for AArch32 and AArch64"): exit, arguments, files.
#include "board/board.hpp"

namespace board {
namespace {

enum Operation : uint32_t {
  kOpen = 0x01,
  kClose = 0x02,
  kRead = 0x06,
  kGetCommandLine = 0x15,
  kExitExtended = 0x20,
};
constexpr uint32_t kReadBinary = 1;
constexpr uint32_t kApplicationExit = 0x20026;

int32_t call(Operation operation, const uint32_t* parameters) {
  register uint32_t r0 __asm__("r0") = operation;
  register const uint32_t* r1 __asm__("r1") = parameters;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return static_cast<int32_t>(r0);
}

uint32_t address(const void* pointer) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer)); }

}  // namespace

[[noreturn]] void exit(int code) {
  const uint32_t parameters[] = {kApplicationExit, static_cast<uint32_t>(code)};
  for (;;) call(kExitExtended, parameters);
}

bool arguments(char* out, size_t size) {
  const uint32_t parameters[] = {address(out), static_cast<uint32_t>(size)};
  if (size != 0) out[0] = '\0';
  return call(kGetCommandLine, parameters) == 0;
}

bool entropy(uint8_t* out, size_t size) {
  static const char kSource[] = "/dev/urandom";
  const uint32_t opening[] = {address(kSource), kReadBinary, sizeof kSource - 1};
  const int32_t handle = call(kOpen, opening);
  if (handle < 0) return false;
  const uint32_t reading[] = {static_cast<uint32_t>(handle), address(out), static_cast<uint32_t>(size)};
  const int32_t missing = call(kRead, reading);
  const uint32_t closing[] = {static_cast<uint32_t>(handle)};
  call(kClose, closing);
  return missing == 0;
}

}  // namespace board
