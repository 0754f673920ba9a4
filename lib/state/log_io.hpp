// SPDX-License-Identifier: Apache-2.0
// What the logs of the state store and of the spool share: checksum, padded writing, looking for erased bytes.
#ifndef WAYSEAL_LIB_STATE_LOG_IO_HPP
#define WAYSEAL_LIB_STATE_LOG_IO_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/hal/storage.hpp"

namespace wayseal::log {

// The largest program_size that the Storage contract allows.
inline constexpr size_t kProgramMax = 256;

// CRC-32C (Castagnoli, RFC 3720 appendix B.4). Begin with 0; give the result back in to go on. Finds accidents,
// not attacks: everything that matters is sealed or signed besides.
uint32_t crc32c(uint32_t crc, Bytes data);

// CRC-32C of `size` bytes of the medium from `offset`.
Status crc32c_stored(Storage& storage, uint64_t offset, uint64_t size, uint32_t& crc);

// `value` rounded up to a multiple of `unit`, which is a power of two.
constexpr uint32_t align_up(uint32_t value, uint32_t unit) { return (value + unit - 1) & ~(unit - 1); }

// True when all of [from, to) reads as erased.
Result<bool> is_blank(Storage& storage, uint64_t from, uint64_t to);

inline bool is_blank(Bytes bytes) {
  for (uint8_t byte : bytes) {
    if (byte != 0xFF) return false;
  }
  return true;
}

// Programs a stream of bytes from a program-aligned offset: gathers small pieces, passes large ones through
// uncopied, splits at block borders, pads the end with 0xFF. Lives on the stack for one entry.
class Writer {
 public:
  Writer(Storage& storage, uint64_t offset)
      : storage_(storage), geometry_(storage.geometry()), offset_(offset) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Status write(Bytes data);
  // Appends bytes that are on the same medium.
  Status copy(uint64_t from, uint32_t size);
  Status finish();

 private:
  Status flush_staged();
  Status program(Bytes data);

  Storage& storage_;
  StorageGeometry geometry_;
  uint64_t offset_;
  size_t staged_ = 0;
  uint8_t stage_[kProgramMax];
};

}  // namespace wayseal::log

#endif
