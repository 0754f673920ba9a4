// SPDX-License-Identifier: Apache-2.0
#include "image/arena.hpp"

#include <mbedtls/memory_buffer_alloc.h>

#include <cstdint>

namespace image {
namespace {

alignas(8) uint8_t arena[kArenaSize];
constexpr size_t kHeaderSize = 32;  // of a block on a 32-bit machine, checks and statistics included

}  // namespace

void start_arena() { mbedtls_memory_buffer_alloc_init(arena, sizeof arena); }

size_t arena_peak() {
  size_t bytes = 0;
  size_t blocks = 0;
  mbedtls_memory_buffer_alloc_max_get(&bytes, &blocks);
  return bytes + blocks * kHeaderSize;
}

}  // namespace image
