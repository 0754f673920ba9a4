// SPDX-License-Identifier: Apache-2.0
/// \file
/// Storage port that keeps an area in one preallocated file.
#ifndef WAYSEAL_POSIX_FILE_STORAGE_HPP
#define WAYSEAL_POSIX_FILE_STORAGE_HPP

#include "wayseal/hal/storage.hpp"

namespace wayseal {

/// A file as flash: byte i of the area is byte i of the file, erased bytes are 0xFF.
///
/// Honest about durability: `sync` is fdatasync; a new file is filled under another name (path and ".new"),
/// synced, renamed, and its directory is synced, so that it exists whole or not at all. After a failed
/// fdatasync the kernel may have thrown the written pages away and would report success the next time; so the
/// object refuses to write or sync until it is opened again. The whole file is allocated when it is created: a
/// full disk is noticed then, not during a drive.
///
/// One user: an exclusive flock is held while open. Mode 0600 (an existing file is tightened). A symbolic link
/// at `path` is refused. Allocates nothing on the heap.
///
/// Threads: one at a time. Blocking: for as long as the disk takes. 40 bytes.
class FileStorage final : public Storage {
 public:
  FileStorage() = default;
  FileStorage(const FileStorage&) = delete;
  FileStorage& operator=(const FileStorage&) = delete;
  ~FileStorage() { close(); }

  /// Opens the file, or creates it erased. Closes what was open before.
  /// \param path its directory exists; at most 4090 bytes.
  /// \param geometry as documented there; for an existing file its size must be the same. Use one block_size
  ///        for the life of a file. 4 KiB to 64 KiB suit a file system; program_size 1.
  /// \return kOk;
  ///         kInvalidArgument for the geometry, or a path that is too long, a link, a directory or a device;
  ///         kDenied when another process (or object) has it open, or for missing rights;
  ///         kMalformed when the file has another size: it is not ours, or of another configuration;
  ///         kFull when the disk has no room for it: nothing is left behind;
  ///         kStorageFailed for everything else. `diagnostic` has the errno.
  Status open(const char* path, const StorageGeometry& geometry);

  /// Closes without syncing. Always allowed.
  void close();

  /// errno of the last failure; 0 before the first.
  int diagnostic() const { return errno_; }

 private:
  StorageGeometry do_geometry() const override { return geometry_; }
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override;

  Status create(const char* path);
  Status check_and_lock();
  Status fill_erased(uint64_t from, uint64_t size);
  Status fail(int error);

  StorageGeometry geometry_;
  int fd_ = -1;
  int errno_ = 0;
  bool dirty_ = false;
  bool failed_ = false;  // a sync failed: see above
};

}  // namespace wayseal

#endif
