// SPDX-License-Identifier: Apache-2.0
/// \file
/// A NOR chip made of memory: the emulated board's, whose memory is a file, and the tests'.
#ifndef FLASH_MEMORY_NOR_HPP
#define FLASH_MEMORY_NOR_HPP

#include "flash/nor_chip.hpp"

namespace flash {

/// How often `wait` looks at the status before an operation ends: how slow the chip is.
struct NorPace {
  uint32_t program_turns = 0;
  uint32_t erase_turns = 0;
};

/// Behaves as flash does, also when it is interrupted: programming clears bits only, half of a word after the other;
/// erasing programs everything to 0 first, and then lets it rise again, word by word. So a reset in between leaves what it
/// leaves on a real chip: anything, in that word or that sector, and nowhere else.
///
/// A chip that needs driving differs in these three functions: they would write commands to its address and read its status.
class MemoryNor final : public NorChip {
 public:
  MemoryNor() = default;
  explicit MemoryNor(const NorPace& pace) : pace_(pace) {}

  void program_word(uint32_t* address, uint32_t word) override;
  void erase_sector(uint32_t* address, size_t size) override;
  bool wait() override;

 private:
  NorPace pace_;
  volatile uint32_t* at_ = nullptr;  // of the operation that is going on
  volatile uint32_t* end_ = nullptr;
  uint32_t word_ = 0;
  bool erasing_ = false;
};

}  // namespace flash

#endif
