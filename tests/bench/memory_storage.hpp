// SPDX-License-Identifier: Apache-2.0
/// \file
/// The cheapest Storage there is: memory, and counters. What is measured on it is the library's cost, not the medium's.
#ifndef WAYSEAL_TESTS_BENCH_MEMORY_STORAGE_HPP
#define WAYSEAL_TESTS_BENCH_MEMORY_STORAGE_HPP

#include <cstring>
#include <vector>

#include "wayseal/hal/storage.hpp"

namespace wayseal::bench {

class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(const StorageGeometry& geometry)
      : geometry_(geometry), bytes_(geometry.size(), 0xFF) {}

  uint64_t programs = 0;
  uint64_t programmed_bytes = 0;
  uint64_t erases = 0;
  uint64_t syncs = 0;

 private:
  StorageGeometry do_geometry() const override { return geometry_; }
  Status do_read(uint64_t offset, MutableBytes out) override {
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return Status::kOk;
  }
  Status do_program(uint64_t offset, Bytes data) override {
    std::memcpy(bytes_.data() + offset, data.data(), data.size());
    ++programs;
    programmed_bytes += data.size();
    return Status::kOk;
  }
  Status do_erase(uint32_t block) override {
    std::memset(bytes_.data() + uint64_t{block} * geometry_.block_size, 0xFF, geometry_.block_size);
    ++erases;
    return Status::kOk;
  }
  Status do_sync() override {
    ++syncs;
    return Status::kOk;
  }

  StorageGeometry geometry_;
  std::vector<uint8_t> bytes_;
};

}  // namespace wayseal::bench

#endif
