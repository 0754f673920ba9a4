// SPDX-License-Identifier: Apache-2.0
#include "flash/memory_nor.hpp"

namespace flash {
namespace {
constexpr uint32_t kErased = 0xFFFFFFFF;
constexpr uint32_t kLowHalf = 0x0000FFFF;
}  // namespace

void MemoryNor::program_word(uint32_t* address, uint32_t word) {
  at_ = address;
  end_ = at_ + 1;
  word_ = word;
  erasing_ = false;
  *at_ = *at_ & (word | kLowHalf);
}

void MemoryNor::erase_sector(uint32_t* address, size_t size) {
  at_ = address;
  end_ = at_ + size / sizeof(uint32_t);
  erasing_ = true;
  for (volatile uint32_t* word = at_; word != end_; ++word) *word = 0;
}

bool MemoryNor::wait() {
  const uint32_t turns = erasing_ ? pace_.erase_turns : pace_.program_turns;
  for (volatile uint32_t turn = 0; turn < turns;) turn = turn + 1;
  if (!erasing_) {
    *at_ = *at_ & word_;
    return true;
  }
  for (; at_ != end_; ++at_) *at_ = kErased;
  return true;
}

}  // namespace flash
