// SPDX-License-Identifier: Apache-2.0
#include "board/board.hpp"
#include "board/memory_map.hpp"
#include "board/startup.hpp"

namespace board {
namespace {

constexpr uintptr_t kData = kUart0;
constexpr uintptr_t kState = kUart0 + 0x04;
constexpr uintptr_t kControl = kUart0 + 0x08;
constexpr uintptr_t kDivider = kUart0 + 0x10;
constexpr uint32_t kSendBufferFull = 1;
constexpr uint32_t kReceived = 2;
constexpr uint32_t kSendAndReceiveOn = 3;
constexpr uint32_t kLeastDivider = 16;

}  // namespace

void start_console() {
  reg(kDivider) = kLeastDivider;
  reg(kControl) = kSendAndReceiveOn;
}

void print(const char* text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    while ((reg(kState) & kSendBufferFull) != 0) {
    }
    reg(kData) = static_cast<uint8_t>(text[i]);
  }
}

bool read(char& out) {
  if ((reg(kState) & kReceived) == 0) return false;
  out = static_cast<char>(reg(kData));
  return true;
}

void print(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  print(text, length);
}

void print_number(uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  print(digits + at, sizeof digits - at);
}

void print_hex(uint32_t value) {
  char digits[8];
  for (size_t i = 0; i < sizeof digits; ++i) digits[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15];
  print(digits, sizeof digits);
}

void print_field(const char* name, uint64_t value) {
  print(" ");
  print(name);
  print("=");
  print_number(value);
}

}  // namespace board
