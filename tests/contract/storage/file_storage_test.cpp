// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/file_storage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "contract/storage/storage_contract.hpp"

// The linker leads these calls here; 0 passes them on.
namespace {
int fdatasync_error = 0;
int fsync_error = 0;
int pwrite_error = 0;
int fallocate_error = 0;
int fdatasync_calls = 0;
int fsync_calls = 0;
}  // namespace

// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp)
extern "C" {
int __real_fdatasync(int fd);
int __real_fsync(int fd);
ssize_t __real_pwrite(int fd, const void* data, size_t size, off_t offset);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
int __wrap_fdatasync(int fd) {
  ++fdatasync_calls;
  errno = fdatasync_error;
  return fdatasync_error == 0 ? __real_fdatasync(fd) : -1;
}
int __wrap_fsync(int fd) {
  ++fsync_calls;
  errno = fsync_error;
  return fsync_error == 0 ? __real_fsync(fd) : -1;
}
ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset) {
  errno = pwrite_error;
  return pwrite_error == 0 ? __real_pwrite(fd, data, size, offset) : -1;
}
int __wrap_posix_fallocate(int fd, off_t offset, off_t size) {
  return fallocate_error == 0 ? __real_posix_fallocate(fd, offset, size) : fallocate_error;
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp)

namespace wayseal::test {
namespace {

namespace fs = std::filesystem;

constexpr StorageGeometry kGeometry{4096, 8, 1};
constexpr uint8_t kData[5] = {'h', 'e', 'l', 'l', 'o'};

// A directory that goes with the test, and calls that work again after it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "wayseal-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    fdatasync_error = fsync_error = pwrite_error = fallocate_error = 0;
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  std::string path(const char* name = "spool") const { return (directory_ / name).string(); }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

 private:
  fs::path directory_;
};

}  // namespace

TEST_CASE("storage contract: file") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  check_storage_contract(storage);
}

TEST_CASE("a file storage is there again after reopening, with its content") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  REQUIRE(storage.program(100, kData) == Status::kOk);
  REQUIRE(storage.sync() == Status::kOk);
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  uint8_t out[5] = {};
  REQUIRE(storage.read(100, out) == Status::kOk);
  CHECK(equal(out, kData));
  CHECK(scratch.files() == 1);
}

TEST_CASE("a new file is whole, private and allocated, and its directory is synced") {
  const Scratch scratch;
  FileStorage storage;
  fsync_calls = 0;
  const mode_t old_mask = ::umask(0);
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  ::umask(old_mask);
  CHECK(fsync_calls == 2);  // the file, then the directory
  struct stat info = {};
  REQUIRE(::stat(scratch.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600U);
  CHECK(static_cast<uint64_t>(info.st_size) == kGeometry.size());
  CHECK(static_cast<uint64_t>(info.st_blocks) * 512 >= kGeometry.size());
}

TEST_CASE("a file that others may read is tightened") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  storage.close();
  REQUIRE(::chmod(scratch.path().c_str(), 0644) == 0);
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  CHECK((fs::status(scratch.path()).permissions() & fs::perms::others_read) == fs::perms::none);
}

TEST_CASE("two agents cannot share a file") {
  const Scratch scratch;
  FileStorage first;
  FileStorage second;
  REQUIRE(first.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  CHECK(second.open(scratch.path().c_str(), kGeometry) == Status::kDenied);
  const pid_t child = ::fork();
  if (child == 0) {
    FileStorage other;
    const Status status = other.open(scratch.path().c_str(), kGeometry);
    ::_exit(status == Status::kDenied ? 0 : 1);
  }
  int result = -1;
  REQUIRE(::waitpid(child, &result, 0) == child);
  CHECK(result == 0);
  first.close();
  CHECK(second.open(scratch.path().c_str(), kGeometry) == Status::kOk);
}

TEST_CASE("a link, a directory, a pipe and a missing directory are refused") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path("target").c_str(), kGeometry) == Status::kOk);
  storage.close();
  fs::create_symlink(scratch.path("target"), scratch.path("link"));
  CHECK(storage.open(scratch.path("link").c_str(), kGeometry) == Status::kInvalidArgument);
  fs::create_directory(scratch.path("directory"));
  CHECK(storage.open(scratch.path("directory").c_str(), kGeometry) == Status::kInvalidArgument);
  REQUIRE(::mkfifo(scratch.path("pipe").c_str(), 0600) == 0);
  CHECK(storage.open(scratch.path("pipe").c_str(), kGeometry) == Status::kInvalidArgument);
  CHECK(storage.open(scratch.path("no/such").c_str(), kGeometry) == Status::kStorageFailed);
  CHECK(storage.diagnostic() == ENOENT);
}

TEST_CASE("a file of another size is not touched") {
  const Scratch scratch;
  std::ofstream(scratch.path()) << "my diary";
  FileStorage storage;
  CHECK(storage.open(scratch.path().c_str(), kGeometry) == Status::kMalformed);
  CHECK(fs::file_size(scratch.path()) == 8);
  CHECK(storage.open(scratch.path("x").c_str(), {4096, 1, 1}) == Status::kInvalidArgument);
  CHECK(storage.open(scratch.path("x").c_str(), {1000, 8, 1}) == Status::kInvalidArgument);
}

TEST_CASE("a file of more than 4 GiB is reached to its end, also where off_t has 32 bits") {
  constexpr StorageGeometry kLarge{1U << 20, 4100, 1};
  const Scratch scratch;
  std::ofstream(scratch.path()).flush();
  fs::resize_file(scratch.path(), kLarge.size());  // a hole: takes no room
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kLarge) == Status::kOk);
  REQUIRE(storage.erase(kLarge.block_count - 1) == Status::kOk);
  const uint64_t last = kLarge.size() - sizeof kData;
  REQUIRE(storage.program(last, kData) == Status::kOk);
  uint8_t out[5] = {};
  REQUIRE(storage.read(last, out) == Status::kOk);
  CHECK(equal(out, kData));
  REQUIRE(storage.read(last & UINT32_MAX, out) == Status::kOk);
  CHECK(out[0] == 0);
}

TEST_CASE("a creation that was cut is done again from the beginning") {
  const Scratch scratch;
  std::ofstream(scratch.path("spool.new")) << std::string(5000, 'x');
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  uint8_t out[16] = {};
  REQUIRE(storage.read(0, out) == Status::kOk);
  for (uint8_t byte : out) CHECK(byte == 0xFF);
  CHECK(scratch.files() == 1);
}

TEST_CASE("a full disk is said at open and leaves nothing behind") {
  const Scratch scratch;
  FileStorage storage;
  fallocate_error = ENOSPC;
  CHECK(storage.open(scratch.path().c_str(), kGeometry) == Status::kFull);
  CHECK(storage.diagnostic() == ENOSPC);
  CHECK(scratch.files() == 0);
  fallocate_error = 0;
  CHECK(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
}

TEST_CASE("a new file that cannot be synced does not exist") {
  const Scratch scratch;
  FileStorage storage;
  fsync_error = EIO;
  CHECK(storage.open(scratch.path().c_str(), kGeometry) == Status::kStorageFailed);
  CHECK(scratch.files() == 0);
}

TEST_CASE("after a failed fdatasync nothing is written or called durable until the file is opened again") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  REQUIRE(storage.program(0, kData) == Status::kOk);
  fdatasync_error = EIO;
  CHECK(storage.sync() == Status::kStorageFailed);
  fdatasync_error = 0;
  CHECK(storage.sync() == Status::kStorageFailed);
  CHECK(storage.program(4096, kData) == Status::kStorageFailed);
  CHECK(storage.erase(0) == Status::kStorageFailed);
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  CHECK(storage.program(4096, kData) == Status::kOk);
  CHECK(storage.sync() == Status::kOk);
}

TEST_CASE("errors of the disk keep their meaning") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  pwrite_error = ENOSPC;
  CHECK(storage.program(0, kData) == Status::kFull);
  pwrite_error = EIO;
  CHECK(storage.program(0, kData) == Status::kStorageFailed);
  CHECK(storage.diagnostic() == EIO);
  pwrite_error = 0;
  REQUIRE(::truncate(scratch.path().c_str(), 4096) == 0);
  uint8_t out[4] = {};
  CHECK(storage.read(8192, out) == Status::kStorageFailed);
  storage.close();
  CHECK(storage.read(0, out) == Status::kStorageFailed);
}

TEST_CASE("a sync with nothing to do costs no fdatasync") {
  const Scratch scratch;
  FileStorage storage;
  REQUIRE(storage.open(scratch.path().c_str(), kGeometry) == Status::kOk);
  fdatasync_calls = 0;
  CHECK(storage.sync() == Status::kOk);
  CHECK(fdatasync_calls == 0);
  REQUIRE(storage.program(0, kData) == Status::kOk);
  CHECK(storage.sync() == Status::kOk);
  CHECK(storage.sync() == Status::kOk);
  CHECK(fdatasync_calls == 1);
}

}  // namespace wayseal::test
