// SPDX-License-Identifier: Apache-2.0
// Shows that the board works, and how a program on it looks. Arguments: what to do.
#include <cstring>

#include "board/board.hpp"
#include "board/board_clock.hpp"
#include "board/memory_map.hpp"

namespace {

// Deeper than any stack; volatile, so that no call becomes a loop.
__attribute__((noinline)) uint32_t dig(uint32_t depth) {
  volatile uint32_t hole[64] = {depth};
  return depth == 0 ? hole[0] : dig(depth - 1) + hole[depth % 64];
}

int check_time() {
  static board::BoardClock clock;
  wayseal::MonotonicTime last = clock.now();
  const wayseal::MonotonicTime end = wayseal::after_ms(last, 200);
  while (last < end) {
    const wayseal::MonotonicTime now = clock.now();
    if (now < last) return 1;
    last = now;
  }
  return 0;
}

int check_entropy() {
  uint8_t first[32] = {};
  uint8_t second[32] = {};
  if (!board::entropy(first, sizeof first) || !board::entropy(second, sizeof second)) return 1;
  return std::memcmp(first, second, sizeof first) == 0 ? 1 : 0;
}

}  // namespace

int main() {
  char words[128];
  if (!board::arguments(words, sizeof words)) return 2;
  board::print("board_check:");
  board::print(words);
  board::print_field("stack", board::stack_size());
  board::print_field("used", board::stack_used());
  board::print("\n");
  if (std::strstr(words, "overflow") != nullptr) return static_cast<int>(dig(0xFFFFFFFF) & 1);
  if (std::strstr(words, "unmapped") != nullptr) return static_cast<int>(board::reg(0x30000000));
  if (std::strstr(words, "time") != nullptr) return check_time();
  if (std::strstr(words, "entropy") != nullptr) return check_entropy();
  return 2;
}
