// SPDX-License-Identifier: Apache-2.0
#include "ram_flash.hpp"

#include <algorithm>

namespace wayseal::fuzz {

Status RamFlash::do_read(uint64_t offset, MutableBytes out) {
  std::memcpy(out.data(), image_.data() + offset, out.size());
  return Status::kOk;
}

Status RamFlash::do_program(uint64_t offset, Bytes data) {
  ++writes_;
  uint8_t* at = image_.data() + offset;
  require(std::all_of(at, at + data.size(), [](uint8_t byte) { return byte == 0xFF; }),
          "only erased bytes are programmed");
  if (!data.empty()) std::memcpy(at, data.data(), data.size());
  return Status::kOk;
}

Status RamFlash::do_erase(uint32_t block) {
  ++writes_;
  std::memset(image_.data() + size_t{block} * geometry_.block_size, 0xFF, geometry_.block_size);
  return Status::kOk;
}

std::vector<uint8_t> pattern(uint64_t seed, size_t size) {
  std::vector<uint8_t> bytes(size);
  auto state = static_cast<uint32_t>(seed * 2654435761U + size);
  for (uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return bytes;
}

}  // namespace wayseal::fuzz
