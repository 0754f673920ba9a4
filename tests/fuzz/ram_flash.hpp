// SPDX-License-Identifier: Apache-2.0
/// \file
/// Flash in memory for the targets that recover from arbitrary bytes: small, fast, and strict about the contract.
#ifndef WAYSEAL_TESTS_FUZZ_RAM_FLASH_HPP
#define WAYSEAL_TESTS_FUZZ_RAM_FLASH_HPP

#include <vector>

#include "fuzz.hpp"
#include "wayseal/hal/storage.hpp"

namespace wayseal::fuzz {

class RamFlash final : public Storage {
 public:
  explicit RamFlash(const StorageGeometry& geometry)
      : geometry_(geometry), image_(static_cast<size_t>(geometry.size()), 0xFF) {}

  std::vector<uint8_t>& image() { return image_; }
  uint64_t writes() const { return writes_; }

 private:
  StorageGeometry do_geometry() const override { return geometry_; }
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override { return Status::kOk; }

  StorageGeometry geometry_;
  std::vector<uint8_t> image_;
  uint64_t writes_ = 0;
};

/// Numbers are mostly small, sometimes just below the end of their range, and sometimes anything.
inline uint32_t lively_u32(Input& in) {
  const uint8_t first = in.u8();
  if (first < 0xE0) return first;
  return first < 0xF8 ? 0xFFFFFFFFU - (first - 0xE0U) : in.u32();
}
inline uint64_t lively_u64(Input& in) {
  const uint8_t first = in.u8();
  if (first < 0xE0) return first;
  return first < 0xF8 ? ~uint64_t{0} - (first - 0xE0U) : in.u64();
}

/// Bytes that belong to one value and no other.
std::vector<uint8_t> pattern(uint64_t seed, size_t size);

}  // namespace wayseal::fuzz

#endif
