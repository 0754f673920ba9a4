// SPDX-License-Identifier: Apache-2.0
#include "contract/storage/storage_contract.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <vector>

namespace wayseal::test {
namespace {

std::vector<uint8_t> pattern(size_t size, uint8_t seed) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + seed);
  return out;
}

std::vector<uint8_t> read(Storage& storage, uint64_t offset, size_t size) {
  std::vector<uint8_t> out(size, 0xA5);
  REQUIRE(storage.read(offset, {out.data(), out.size()}) == Status::kOk);
  return out;
}

Bytes view(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

void check_geometry(const StorageGeometry& g) {
  const auto power_of_two = [](uint32_t value) { return value != 0 && (value & (value - 1)) == 0; };
  CHECK(power_of_two(g.block_size));
  CHECK(power_of_two(g.program_size));
  CHECK(g.block_size >= 256);
  CHECK(g.block_size <= (1U << 20));
  CHECK(g.program_size <= 256);
  REQUIRE(g.block_count >= 4);
}

void check_what_is_programmed_is_read(Storage& storage, const StorageGeometry& g) {
  CHECK(read(storage, 0, g.block_size) == std::vector<uint8_t>(g.block_size, 0xFF));
  const std::vector<uint8_t> data = pattern(g.program_size * 3, 1);
  const uint64_t offset = g.block_size + g.program_size;
  REQUIRE(storage.program(offset, view(data)) == Status::kOk);
  CHECK(read(storage, offset, data.size()) == data);
  CHECK(read(storage, offset + 1, data.size() - 1) == std::vector<uint8_t>(data.begin() + 1, data.end()));
  CHECK(read(storage, g.block_size, g.program_size) == std::vector<uint8_t>(g.program_size, 0xFF));
  CHECK(storage.sync() == Status::kOk);
  CHECK(read(storage, offset, data.size()) == data);
}

void check_whole_blocks_and_both_ends(Storage& storage, const StorageGeometry& g) {
  const std::vector<uint8_t> first = pattern(g.block_size, 2);
  const std::vector<uint8_t> last = pattern(g.block_size, 3);
  const uint64_t end = g.size() - g.block_size;
  REQUIRE(storage.program(0, view(first)) == Status::kOk);
  REQUIRE(storage.program(end, view(last)) == Status::kOk);
  CHECK(read(storage, 0, g.block_size) == first);
  CHECK(read(storage, end, g.block_size) == last);
}

void check_erase_is_one_block(Storage& storage, const StorageGeometry& g) {
  const std::vector<uint8_t> data = pattern(g.block_size, 4);
  REQUIRE(storage.erase(1) == Status::kOk);
  REQUIRE(storage.erase(2) == Status::kOk);
  REQUIRE(storage.program(g.block_size, view(data)) == Status::kOk);
  REQUIRE(storage.program(2ULL * g.block_size, view(data)) == Status::kOk);
  REQUIRE(storage.erase(1) == Status::kOk);
  CHECK(read(storage, g.block_size, g.block_size) == std::vector<uint8_t>(g.block_size, 0xFF));
  CHECK(read(storage, 2ULL * g.block_size, g.block_size) == data);
  REQUIRE(storage.program(g.block_size, view(data)) == Status::kOk);
  CHECK(read(storage, g.block_size, g.block_size) == data);
}

void check_bad_arguments(Storage& storage, const StorageGeometry& g) {
  std::vector<uint8_t> byte(1);
  const std::vector<uint8_t> piece = pattern(g.program_size, 5);
  const std::vector<uint8_t> two = pattern(g.program_size * 2, 5);
  CHECK(storage.read(g.size(), {byte.data(), 1}) == Status::kInvalidArgument);
  CHECK(storage.read(std::numeric_limits<uint64_t>::max(), {byte.data(), 1}) == Status::kInvalidArgument);
  CHECK(storage.program(g.size(), view(piece)) == Status::kInvalidArgument);
  CHECK(storage.program(std::numeric_limits<uint64_t>::max() - g.program_size + 1, view(piece)) ==
        Status::kInvalidArgument);
  CHECK(storage.program(3ULL * g.block_size - g.program_size, view(two)) == Status::kInvalidArgument);
  CHECK(storage.erase(g.block_count) == Status::kInvalidArgument);
  if (g.program_size > 1) {
    CHECK(storage.program(1, view(piece)) == Status::kInvalidArgument);
    CHECK(storage.program(0, {piece.data(), piece.size() - 1}) == Status::kInvalidArgument);
  }
  CHECK(storage.read(g.size(), {}) == Status::kOk);
  CHECK(storage.program(0, {}) == Status::kOk);
}

}  // namespace

void check_storage_contract(Storage& storage) {
  const StorageGeometry geometry = storage.geometry();
  check_geometry(geometry);
  check_what_is_programmed_is_read(storage, geometry);
  check_whole_blocks_and_both_ends(storage, geometry);
  check_erase_is_one_block(storage, geometry);
  check_bad_arguments(storage, geometry);
}

}  // namespace wayseal::test
