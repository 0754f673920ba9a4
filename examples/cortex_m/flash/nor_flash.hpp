// SPDX-License-Identifier: Apache-2.0
/// \file
/// Storage port on raw NOR flash.
#ifndef FLASH_NOR_FLASH_HPP
#define FLASH_NOR_FLASH_HPP

#include "flash/nor_chip.hpp"
#include "wayseal/hal/storage.hpp"

namespace flash {

/// A part of a chip with one user.
struct NorArea {
  uint32_t* base = nullptr;  ///< Where it is read; the beginning of a sector.
  uint32_t block_size = 0;   ///< One or more sectors. These three are as StorageGeometry says.
  uint32_t block_count = 0;
  uint32_t program_size = 4;  ///< At least 4. With an ECC over more bytes (8, 16, 32): that many.
};

constexpr bool is_power_of_two(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most && (value & (value - 1)) == 0;
}

/// Whether NorFlash can take it: for static_assert on a board's areas (all but `base`).
constexpr bool is_nor_area(const NorArea& area) {
  return is_power_of_two(area.block_size, 256, 1U << 20) && is_power_of_two(area.program_size, 4, 256) &&
         area.program_size <= area.block_size && area.block_count >= 2;
}

/// Why the last operation failed.
enum class NorFault : uint8_t {
  kNone,
  kNotErased,  ///< A programmed word was to be programmed again. Refused before anything was touched.
  kNotTaken,   ///< What was read back is not what was programmed, or not erased: the cell is worn out.
  kChip,       ///< The chip's status says so.
};

/// Nothing is cached: what an operation has done is durable when it returns, and `sync` has nothing to do. After a cut, the
/// bytes of the operation that was cut may hold anything, all others are as they were. Each operation is read back.
///
/// Every failure is kStorageFailed; `fault` says which, `fault_offset` where.
///
/// Threads: one at a time, and one for all areas of a chip. Blocking: as NorChip. No heap. About 60 bytes.
class NorFlash final : public wayseal::Storage {
 public:
  /// \param chip borrowed. \param area is_nor_area.
  /// \param erases one counter a block, which this adds to; kept by whoever wants the figures, or empty.
  explicit NorFlash(NorChip& chip, const NorArea& area, wayseal::Span<uint32_t> erases = {})
      : chip_(chip), area_(area), erases_(erases) {}
  NorFlash(const NorFlash&) = delete;
  NorFlash& operator=(const NorFlash&) = delete;

  NorFault fault() const { return fault_; }
  /// Offset of the word that failed last.
  uint64_t fault_offset() const { return fault_offset_; }

 private:
  wayseal::StorageGeometry do_geometry() const override {
    return {area_.block_size, area_.block_count, area_.program_size};
  }
  wayseal::Status do_read(uint64_t offset, wayseal::MutableBytes out) override;
  wayseal::Status do_program(uint64_t offset, wayseal::Bytes data) override;
  wayseal::Status do_erase(uint32_t block) override;
  wayseal::Status do_sync() override { return wayseal::Status::kOk; }

  wayseal::Status program_word(uint32_t* at, uint32_t word);
  wayseal::Status fail(NorFault fault, const uint32_t* at);
  bool wait();

  NorChip& chip_;
  const NorArea area_;
  wayseal::Span<uint32_t> erases_;
  NorFault fault_ = NorFault::kNone;
  uint64_t fault_offset_ = 0;
};

}  // namespace flash

#endif
