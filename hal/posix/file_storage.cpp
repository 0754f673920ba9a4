// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/file_storage.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace wayseal {
namespace {

// Files of 2 GiB and more, and inode numbers of 64 bits, are refused otherwise.
static_assert(sizeof(off_t) == 8, "compile hal/posix with _FILE_OFFSET_BITS=64");

constexpr size_t kPathMax = 4096;

struct ErasedPage {
  uint8_t bytes[4096] = {};
  constexpr ErasedPage() {
    for (uint8_t& byte : bytes) byte = 0xFF;
  }
};
constexpr ErasedPage kErasedPage;

bool valid(const StorageGeometry& geometry) {
  const auto power_of_two = [](uint32_t value) { return value != 0 && (value & (value - 1)) == 0; };
  return power_of_two(geometry.block_size) && geometry.block_size >= 256 && geometry.block_size <= (1U << 20) &&
         geometry.block_count >= 2 && power_of_two(geometry.program_size) && geometry.program_size <= 256;
}

// Syncs the directory that holds `path`. 0, or errno.
int sync_directory(const char* path) {
  char directory[kPathMax];
  const char* slash = std::strrchr(path, '/');
  if (slash == nullptr) {
    std::memcpy(directory, ".", 2);
  } else {
    const size_t length = slash == path ? 1 : static_cast<size_t>(slash - path);
    std::memcpy(directory, path, length);
    directory[length] = '\0';
  }
  const int fd = ::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

// True when `path` names the file behind `fd`.
bool names_file(const char* path, int fd) {
  struct stat by_name = {};
  struct stat by_fd = {};
  return ::lstat(path, &by_name) == 0 && ::fstat(fd, &by_fd) == 0 && by_name.st_dev == by_fd.st_dev &&
         by_name.st_ino == by_fd.st_ino;
}

}  // namespace

Status FileStorage::fail(int error) {
  errno_ = error;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Status::kFull;
    case EACCES:
    case EPERM:
    case EROFS:
    case EWOULDBLOCK: return Status::kDenied;
    case ELOOP:
    case EISDIR:
    case ENAMETOOLONG: return Status::kInvalidArgument;
    default: return Status::kStorageFailed;
  }
}

Status FileStorage::open(const char* path, const StorageGeometry& geometry) {
  close();
  if (!valid(geometry) || path == nullptr || std::strlen(path) + sizeof ".new" > kPathMax) {
    return Status::kInvalidArgument;
  }
  geometry_ = geometry;
  fd_ = ::open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0 && errno != ENOENT) return fail(errno);
  const Status status = fd_ < 0 ? create(path) : check_and_lock();
  if (status != Status::kOk) close();
  return status;
}

void FileStorage::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  dirty_ = false;
  failed_ = false;
}

Status FileStorage::check_and_lock() {
  struct stat info = {};
  if (::fstat(fd_, &info) != 0) return fail(errno);
  if (!S_ISREG(info.st_mode)) return Status::kInvalidArgument;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return fail(errno);
  if (static_cast<uint64_t>(info.st_size) != geometry_.size()) return Status::kMalformed;
  if ((info.st_mode & 0077U) != 0 && ::fchmod(fd_, 0600) != 0) return fail(errno);
  return Status::kOk;
}

// Fills a file under another name, so that a power cut leaves no half-made one under the real name.
Status FileStorage::create(const char* path) {
  char temporary[kPathMax];
  std::snprintf(temporary, sizeof temporary, "%s.new", path);
  fd_ = ::open(temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd_ < 0) return fail(errno);
  struct stat info = {};
  if (::fstat(fd_, &info) != 0) return fail(errno);
  if (!S_ISREG(info.st_mode)) return Status::kInvalidArgument;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return fail(errno);
  // Another process may have finished the file between our two opens; then this descriptor is that file.
  if (!names_file(temporary, fd_) || ::access(path, F_OK) == 0) return fail(EWOULDBLOCK);

  int error = ::ftruncate(fd_, 0) == 0 && ::fchmod(fd_, 0600) == 0 ? 0 : errno;
  if (error == 0) error = ::posix_fallocate(fd_, 0, static_cast<off_t>(geometry_.size()));
  Status status = error == 0 ? fill_erased(0, geometry_.size()) : fail(error);
  if (status == Status::kOk && ::fsync(fd_) != 0) status = fail(errno);
  if (status == Status::kOk && ::rename(temporary, path) != 0) status = fail(errno);
  if (status != Status::kOk) {
    ::unlink(temporary);
    return status;
  }
  error = sync_directory(path);
  return error == 0 ? Status::kOk : fail(error);
}

Status FileStorage::fill_erased(uint64_t from, uint64_t size) {
  constexpr int kPages = 16;
  struct iovec pages[kPages];
  while (size > 0) {
    int count = 0;
    uint64_t planned = 0;
    while (count < kPages && planned < size) {
      const uint64_t left = size - planned;
      const size_t length =
          left < sizeof kErasedPage.bytes ? static_cast<size_t>(left) : sizeof kErasedPage.bytes;
      pages[count++] = {const_cast<uint8_t*>(kErasedPage.bytes), length};  // pwritev only reads it
      planned += length;
    }
    const ssize_t written = ::pwritev(fd_, pages, count, static_cast<off_t>(from));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(written == 0 ? EIO : errno);
    from += static_cast<uint64_t>(written);
    size -= static_cast<uint64_t>(written);
  }
  return Status::kOk;
}

Status FileStorage::do_read(uint64_t offset, MutableBytes out) {
  if (fd_ < 0) return Status::kStorageFailed;
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(got == 0 ? EIO : errno);  // 0: somebody has cut the file short
    offset += static_cast<uint64_t>(got);
    out = out.from(static_cast<size_t>(got));
  }
  return Status::kOk;
}

Status FileStorage::do_program(uint64_t offset, Bytes data) {
  if (fd_ < 0 || failed_) return Status::kStorageFailed;
  dirty_ = true;
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(written == 0 ? EIO : errno);
    offset += static_cast<uint64_t>(written);
    data = data.from(static_cast<size_t>(written));
  }
  return Status::kOk;
}

Status FileStorage::do_erase(uint32_t block) {
  if (fd_ < 0 || failed_) return Status::kStorageFailed;
  dirty_ = true;
  return fill_erased(static_cast<uint64_t>(block) * geometry_.block_size, geometry_.block_size);
}

Status FileStorage::do_sync() {
  if (fd_ < 0 || failed_) return Status::kStorageFailed;
  if (!dirty_) return Status::kOk;
  int result = 0;
  do {
    result = ::fdatasync(fd_);
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    dirty_ = false;
    return Status::kOk;
  }
  failed_ = true;
  return fail(errno);
}

}  // namespace wayseal
