// SPDX-License-Identifier: Apache-2.0
// What the spool makes of a record on a real file: system calls, and bytes given to the kernel:
//     bench_spool_file RECORD_BYTES
// The linker sends FileStorage's system calls through counters here. On a file an erasure is a write of 0xFF, so every
// byte is written about twice; the floor is a file to which length and record are appended.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "wayseal/posix/file_storage.hpp"
#include "wayseal/spool/spool.hpp"

namespace {
struct {
  size_t calls = 0;
  size_t syncs = 0;
  size_t written = 0;
} counts;
}  // namespace

// Names that the linker makes of --wrap.
extern "C" {
ssize_t __real_pwrite(int fd, const void* data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset);
ssize_t __real_pwritev(int fd, const iovec* parts, int count, off_t offset);
ssize_t __wrap_pwritev(int fd, const iovec* parts, int count, off_t offset);
ssize_t __real_pread(int fd, void* data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void* data, size_t size, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset) {
  ++counts.calls;
  counts.written += size;
  return __real_pwrite(fd, data, size, offset);
}
ssize_t __wrap_pwritev(int fd, const iovec* parts, int count, off_t offset) {
  ++counts.calls;
  for (int i = 0; i < count; ++i) counts.written += parts[i].iov_len;
  return __real_pwritev(fd, parts, count, offset);
}
ssize_t __wrap_pread(int fd, void* data, size_t size, off_t offset) {
  ++counts.calls;
  return __real_pread(fd, data, size, offset);
}
int __wrap_fdatasync(int /*fd*/) {  // counted, not done: the disk's time is not what is asked for here
  ++counts.calls;
  ++counts.syncs;
  return 0;
}
}

namespace wayseal::bench {
namespace {

constexpr StorageGeometry kGeometry{4096, 2048, 1};  // 8 MiB
constexpr size_t kSyncBytes = 64 * 1024;

/// Appends once and a half round the ring, settling on the way; what was written is in `counts`.
size_t fill(Spool& spool, Bytes record) {
  const SessionId session{};
  const size_t total = kGeometry.size() * 3 / 2 / record.size();
  size_t unsynced = 0;
  for (uint64_t sequence = 1; sequence <= total; ++sequence) {
    must(spool.append(session, sequence, record));
    unsynced += record.size();
    if (unsynced >= kSyncBytes) {
      must(spool.sync());
      must(spool.settle(session, sequence, {}));
      unsynced = 0;
    }
  }
  must(spool.stats().evicted == 0, "nothing is evicted");
  return total;
}

int run(size_t record_bytes) {
  const test::TemporaryDirectory directory;
  FileStorage storage;
  must(storage.open((directory.path() + "/spool").c_str(), kGeometry));
  Spool spool(storage);
  must(spool.mount());
  const Blob record(record_bytes, 0x5A);
  const Blob opening(1000, 0x11);
  must(spool.append_open({}, view(opening)));
  counts = {};
  const size_t records = fill(spool, view(record));
  figure("records", records);
  figure("sealed", records * record_bytes);
  figure("calls", counts.calls);
  figure("syncs", counts.syncs);
  figure("written", counts.written);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(std::stoul(argv[1])); });
}
