// SPDX-License-Identifier: Apache-2.0
/// \file
/// How the flash is divided.
#ifndef IMAGE_AREAS_HPP
#define IMAGE_AREAS_HPP

#include "board/memory_map.hpp"
#include "flash/memory_nor.hpp"
#include "flash/nor_flash.hpp"

namespace image {

inline constexpr uint32_t kSector = 4096;
inline constexpr uint32_t kKeySectors = 8;     ///< Identity keys, certificates, roots.
inline constexpr uint32_t kStateSectors = 8;   ///< Session counter, prekeys, time.
inline constexpr uint32_t kSpoolSectors = 32;  ///< By default; at most what is left before the scratch area.
inline constexpr uint32_t kScratchSectors =
    4;  ///< The chip's last: for `self_test`, which destroys what is there.

/// So many sectors of the chip from one on.
inline flash::NorArea area(uint32_t first_sector, uint32_t sectors) {
  return {reinterpret_cast<uint32_t*>(board::kExternalMemory + first_sector * kSector), kSector, sectors, 4};
}

inline flash::NorArea scratch_area() {
  return area(board::kExternalMemorySize / kSector - kScratchSectors, kScratchSectors);
}

/// The three areas, one after the other from the beginning of the chip. A product's keys belong into the processor's own
/// flash, with read-out locked.
class Areas {
 public:
  explicit Areas(uint32_t spool_sectors) : spool_(chip_, area(kKeySectors + kStateSectors, spool_sectors)) {}

  flash::NorFlash& keys() { return keys_; }
  flash::NorFlash& state() { return state_; }
  flash::NorFlash& spool() { return spool_; }

 private:
  flash::MemoryNor chip_;
  flash::NorFlash keys_{chip_, area(0, kKeySectors)};
  flash::NorFlash state_{chip_, area(kKeySectors, kStateSectors)};
  flash::NorFlash spool_;
};

}  // namespace image

#endif
