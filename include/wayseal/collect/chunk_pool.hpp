// SPDX-License-Identifier: Apache-2.0
/// \file
/// Many byte strings that grow at the same time, in one fixed piece of memory. Part of the Collector; of no use
/// alone.
#ifndef WAYSEAL_COLLECT_CHUNK_POOL_HPP
#define WAYSEAL_COLLECT_CHUNK_POOL_HPP

#include "wayseal/core/bytes.hpp"

namespace wayseal::detail {

/// A byte string in chunks. 8 bytes. The pool that it grows in knows the rest.
struct ChunkChain {
  uint32_t cursor = 0;  ///< Where the next byte goes; a multiple of the chunk size when that needs a new chunk.
  uint16_t first = 0;   ///< Index of the first chunk; meaningless while the string is empty.
  uint16_t bytes = 0;   ///< Length of the string.
};

/// Hands out chunks until `clear`; none is given back alone, since a batch is built and released as a whole.
class ChunkPool {
 public:
  static constexpr size_t kChunkSize = 32;
  static constexpr size_t kLinkSize = 2;  ///< Index of the next chunk, at the chunk's start.
  static constexpr size_t kDataSize = kChunkSize - kLinkSize;
  static constexpr size_t kChunksMax = 0xFFFF;

  void use(uint8_t* memory, size_t chunks) {
    memory_ = memory;
    chunks_ = static_cast<uint32_t>(chunks);
    used_ = 0;
  }
  void clear() { used_ = 0; }
  size_t left() const { return chunks_ - used_; }

  /// Whether the next byte needs a new chunk.
  static bool at_end(const ChunkChain& chain) { return chain.cursor % kChunkSize == 0; }

  /// Adds an empty chunk. Only when `left()` is not 0.
  void extend(ChunkChain& chain) {
    const uint32_t index = used_++;
    if (chain.bytes == 0) {
      chain.first = static_cast<uint16_t>(index);
    } else {
      store_le16(memory_ + chain.cursor - kChunkSize, static_cast<uint16_t>(index));
    }
    chain.cursor = index * static_cast<uint32_t>(kChunkSize) + static_cast<uint32_t>(kLinkSize);
  }

  /// Only when the chain is not at_end().
  void put(ChunkChain& chain, uint8_t byte) {
    memory_[chain.cursor++] = byte;
    ++chain.bytes;
  }

  /// Bytes that `put` takes before the chain is at_end().
  static size_t room(const ChunkChain& chain) { return (0U - chain.cursor) % kChunkSize; }

  /// Adds a varint (protobuf's). Only with room for it; kVarintMax bytes always suffice.
  void put_varint(ChunkChain& chain, uint64_t value) {
    uint8_t* const from = memory_ + chain.cursor;
    uint8_t* to = from;
    while (value >= 0x80) {
      *to++ = static_cast<uint8_t>(value | 0x80);
      value >>= 7;
    }
    *to++ = static_cast<uint8_t>(value);
    const auto count = static_cast<uint16_t>(to - from);
    chain.cursor += count;
    chain.bytes = static_cast<uint16_t>(chain.bytes + count);
  }
  static constexpr size_t kVarintMax = 10;

  /// Data of the chunk `index`, kDataSize bytes of which the last chunk of a string uses fewer.
  const uint8_t* data(uint16_t index) const { return memory_ + size_t{index} * kChunkSize + kLinkSize; }
  uint16_t link(uint16_t index) const { return load_le16(memory_ + size_t{index} * kChunkSize); }

 private:
  uint8_t* memory_ = nullptr;
  uint32_t chunks_ = 0;
  uint32_t used_ = 0;
};

}  // namespace wayseal::detail

#endif
