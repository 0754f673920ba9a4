// SPDX-License-Identifier: Apache-2.0
/// \file
/// The one piece of memory that mbedTLS allocates from; there is no heap.
#ifndef IMAGE_ARENA_HPP
#define IMAGE_ARENA_HPP

#include <cstddef>

namespace image {

/// Bytes that mbedTLS has for TLS, X.509 and PSA's keys together.
inline constexpr size_t kArenaSize = 14 * 1024;

/// Before anything of mbedTLS.
void start_arena();
/// The most that was in use so far, with the allocator's own headers.
size_t arena_peak();

}  // namespace image

#endif
