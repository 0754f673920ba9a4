// SPDX-License-Identifier: Apache-2.0
#include "selftest/run.hpp"

namespace wayseal::selftest {
namespace {

constexpr uint8_t kErased = 0xFF;
constexpr uint32_t kPieceMax = 256;  // the largest program unit

bool power_of_two(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

bool same(const StorageGeometry& a, const StorageGeometry& b) {
  return a.block_size == b.block_size && a.block_count == b.block_count && a.program_size == b.program_size;
}

bool in_range(const StorageGeometry& g) {
  constexpr uint32_t kBlockMin = 256;
  constexpr uint32_t kBlockMax = 1U << 20;
  return power_of_two(g.block_size) && g.block_size >= kBlockMin && g.block_size <= kBlockMax &&
         g.block_count >= 2 && power_of_two(g.program_size) && g.program_size <= kPieceMax;
}

/// The byte that belongs at `offset`; differs from byte to byte, block to block and seed to seed.
uint8_t pattern(uint64_t offset, uint8_t seed) {
  return static_cast<uint8_t>(offset * 7 + (offset >> 8) * 31 + (offset >> 16) + seed);
}

class Area {
 public:
  Area(Run& run, Storage& storage) : run_(run), storage_(storage), shape_(storage.geometry()) {}

  const StorageGeometry& shape() const { return shape_; }
  uint64_t block(uint32_t number) const { return static_cast<uint64_t>(number) * shape_.block_size; }

  bool erase(uint32_t number) { return run_.saw(storage_.erase(number)) == Status::kOk; }
  bool sync() { return run_.saw(storage_.sync()) == Status::kOk; }

  /// Programs [offset, offset + size) with the pattern, a piece at a time.
  bool fill(uint64_t offset, uint32_t size, uint8_t seed) {
    for (uint32_t done = 0; done < size; done += kPieceMax) {
      const MutableBytes piece = run_.memory().first(size - done < kPieceMax ? size - done : kPieceMax);
      for (size_t i = 0; i < piece.size(); ++i) piece[i] = pattern(offset + done + i, seed);
      if (run_.saw(storage_.program(offset + done, piece)) != Status::kOk) return false;
    }
    return true;
  }
  bool holds(uint64_t offset, uint32_t size, uint8_t seed) {
    return every(offset, size, [seed](uint64_t at, uint8_t byte) { return byte == pattern(at, seed); });
  }
  bool erased(uint64_t offset, uint32_t size) {
    return every(offset, size, [](uint64_t, uint8_t byte) { return byte == kErased; });
  }

 private:
  template <typename Good>
  bool every(uint64_t offset, uint32_t size, Good good) {
    for (uint32_t done = 0; done < size; done += kPieceMax) {
      const MutableBytes piece = run_.memory().first(size - done < kPieceMax ? size - done : kPieceMax);
      if (run_.saw(storage_.read(offset + done, piece)) != Status::kOk) return false;
      for (size_t i = 0; i < piece.size(); ++i) {
        if (!good(offset + done + i, piece[i])) return false;
      }
    }
    return true;
  }

  Run& run_;
  Storage& storage_;
  const StorageGeometry shape_;
};

/// One unit in the middle of block 0.
void test_unit(Run& run, Area& area) {
  const uint32_t unit = area.shape().program_size;
  const uint32_t size = area.shape().block_size;
  // Away from the block's end by itself: a block may be one unit only.
  const uint32_t at = unit < size ? unit : 0;
  const bool written = area.fill(at, unit, 1) && area.holds(at, unit, 1);
  run.check(SelfTestCheck::kStorageProgram, written && area.sync() && area.holds(at, unit, 1));
  run.check(SelfTestCheck::kStorageUnit, area.erased(0, at) && area.erased(at + unit, size - at - unit));
  run.check(SelfTestCheck::kStorageRead,
            area.holds(at + unit - 1, 1, 1) && (unit == 1 || area.holds(at + 1, unit - 1, 1)));
}

/// Whole blocks: 0 and the last one.
void test_blocks(Run& run, Area& area) {
  const uint32_t size = area.shape().block_size;
  const uint32_t last = area.shape().block_count - 1;
  const bool filled =
      area.erase(0) && area.erase(last) && area.fill(area.block(last), size, 2) && area.fill(0, size, 2);
  run.check(SelfTestCheck::kStorageEnds,
            filled && area.holds(0, size, 2) && area.holds(area.block(last), size, 2));
  run.check(SelfTestCheck::kStorageOneBlock,
            area.erase(0) && area.erased(0, size) && area.holds(area.block(last), size, 2));
  run.check(SelfTestCheck::kStorageAgain, area.fill(0, area.shape().program_size, 3) &&
                                              area.holds(0, area.shape().program_size, 3) && area.sync());
}

}  // namespace

void test_storage(Run& run, Storage& storage) {
  Area area(run, storage);
  const bool shaped = in_range(area.shape()) && same(area.shape(), storage.geometry());
  if (!run.check(SelfTestCheck::kStorageGeometry, shaped)) {
    run.skip(SelfTestCheck::kStorageErase, SelfTestCheck::kStorageAgain);
    return;
  }
  const bool erased = area.erase(0) && area.erased(0, area.shape().block_size);
  if (!run.check(SelfTestCheck::kStorageErase, erased)) {
    run.skip(SelfTestCheck::kStorageProgram, SelfTestCheck::kStorageAgain);
    return;
  }
  test_unit(run, area);
  test_blocks(run, area);
}

}  // namespace wayseal::selftest
