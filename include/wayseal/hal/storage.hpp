// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: durable memory with the semantics of raw NOR flash, which a file can imitate.
#ifndef WAYSEAL_HAL_STORAGE_HPP
#define WAYSEAL_HAL_STORAGE_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/hal/keep_alive.hpp"

namespace wayseal {

/// Shape of a Storage. Constant over its life.
struct StorageGeometry {
  uint32_t block_size = 0;    ///< Bytes that are erased together. A power of two, 256 to 1 MiB.
  uint32_t block_count = 0;   ///< At least 2.
  uint32_t program_size = 0;  ///< Bytes that are programmed together: offset and length of every `program` are
                              ///< multiples of it. A power of two, 1 to 256.
  uint64_t size() const { return static_cast<uint64_t>(block_size) * block_count; }
};

/// One area of durable memory that has one user: the spool, or the state store.
///
/// Erasing sets every byte of a block to 0xFF. Programming may only clear bits of erased bytes: a byte is
/// programmed at most once between two erasures. After a power cut, the bytes of the operation that was cut
/// may hold anything, be it old, new or neither; operations that `sync` covered are whole.
///
/// Operations may be reordered by the medium until `sync` returns kOk; what was written before a `sync` is never less
/// durable than what was written after it.
///
/// Threads: one thread at a time. Blocking: for as long as the medium takes; never on a network.
class Storage : public KeepsAlive {
 public:
  StorageGeometry geometry() const { return do_geometry(); }

  /// Reads `out.size()` bytes from `offset`.
  /// \return kOk; kInvalidArgument outside the area; kStorageFailed on an error of the medium.
  Status read(uint64_t offset, MutableBytes out);

  /// Programs erased bytes. `offset` and size are multiples of program_size, within one block.
  /// \return kOk; kInvalidArgument for a misaligned or crossing range; kFull when the medium has no room (a
  ///         full disk): nothing may be assumed about the range, and it must be erased before reuse;
  ///         kStorageFailed.
  Status program(uint64_t offset, Bytes data);

  /// Erases block number `block`.
  /// \return kOk; kInvalidArgument; kStorageFailed.
  Status erase(uint32_t block);

  /// Makes all that was programmed and erased before durable.
  /// \return kOk; kFull; kStorageFailed: then nothing since the last successful sync may be taken as durable.
  Status sync();

 protected:
  ~Storage() = default;

 private:
  void count_operation();

  virtual StorageGeometry do_geometry() const = 0;
  virtual Status do_read(uint64_t offset, MutableBytes out) = 0;
  virtual Status do_program(uint64_t offset, Bytes data) = 0;
  virtual Status do_erase(uint32_t block) = 0;
  virtual Status do_sync() = 0;

  uint8_t operations_ = 0;  // reads and programs since the hook was called
};

}  // namespace wayseal

#endif
