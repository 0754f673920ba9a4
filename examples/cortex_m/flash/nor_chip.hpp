// SPDX-License-Identifier: Apache-2.0
/// \file
/// The chip under NorFlash: what a board's author writes anew.
#ifndef FLASH_NOR_CHIP_HPP
#define FLASH_NOR_CHIP_HPP

#include <cstddef>
#include <cstdint>

namespace flash {

/// NOR flash that is read at its address, programmed by words, erased by sectors.
///
/// `program_word` and `erase_sector` start an operation, `wait` ends it; between them nothing in the chip may be read, so
/// on a chip from which the program itself runs these functions are in RAM.
///
/// Threads: one at a time. Blocking: `wait` for as long as the chip takes (a word: microseconds; a sector: tens to hundreds
/// of milliseconds), and it is the place to serve a watchdog.
class NorChip {
 public:
  /// Clears the bits that are 0 in `word`. \param address a multiple of 4.
  virtual void program_word(uint32_t* address, uint32_t word) = 0;
  /// Sets all bits. \param address of the first word; \param size in bytes, a whole number of the chip's sectors.
  virtual void erase_sector(uint32_t* address, size_t size) = 0;
  /// Polls the status until the operation has ended.
  /// \return false when the chip says that it failed.
  virtual bool wait() = 0;

 protected:
  ~NorChip() = default;
};

}  // namespace flash

#endif
