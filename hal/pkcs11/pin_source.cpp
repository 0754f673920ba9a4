// SPDX-License-Identifier: Apache-2.0
#include "wayseal/pkcs11/pin_source.hpp"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace wayseal {
namespace {

Bytes as_bytes(MutableBytes bytes) { return bytes; }

// Bytes before the first newline.
size_t line_length(Bytes text) {
  size_t size = 0;
  while (size < text.size() && text[size] != '\n' && text[size] != '\r') ++size;
  return size;
}

// Reads up to the end, or until `out` is full. One read call of a pipe may give less than what its writer will
// send.
Result<size_t> read_all(int fd, bool seekable, MutableBytes out) {
  size_t size = 0;
  while (size < out.size()) {
    uint8_t* to = out.data() + size;
    const ssize_t n = seekable ? pread(fd, to, out.size() - size, static_cast<off_t>(size))
                               : ::read(fd, to, out.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Status::kNotFound;
    if (n == 0) break;
    size += static_cast<size_t>(n);
    if (line_length(as_bytes(out).first(size)) < size) break;
  }
  return size;
}

Result<size_t> pin_of(Bytes text) {
  const size_t size = line_length(text);
  if (size == 0) return Status::kNotFound;
  if (size > kPinMax) return Status::kBufferTooSmall;
  return size;
}

}  // namespace

FdPin::~FdPin() {
  wipe(MutableBytes{kept_});
  if (kept_size_ != 0) munlock(kept_, sizeof kept_);
}

Result<size_t> FdPin::do_read(MutableBytes out) {
  if (kept_size_ == 0 && lseek(fd_, 0, SEEK_CUR) < 0) return keep_pipe(out);
  uint8_t text[kPinMax + 1];
  if (kept_size_ != 0) {
    if (kept_size_ > out.size()) return Status::kBufferTooSmall;
    std::memcpy(out.data(), kept_, kept_size_);
    return kept_size_;
  }
  Result<size_t> size = read_all(fd_, true, MutableBytes{text});
  if (size.ok()) size = pin_of(Bytes(text, size.value()));
  if (size.ok() && size.value() > out.size()) size = Status::kBufferTooSmall;
  if (size.ok()) std::memcpy(out.data(), text, size.value());
  wipe(MutableBytes{text});
  return size;
}

Result<size_t> FdPin::keep_pipe(MutableBytes out) {
  uint8_t text[kPinMax + 1];
  Result<size_t> size = read_all(fd_, false, MutableBytes{text});
  if (size.ok()) size = pin_of(Bytes(text, size.value()));
  if (size.ok() && size.value() > out.size()) size = Status::kBufferTooSmall;
  if (size.ok()) {
    static_cast<void>(mlock(kept_, sizeof kept_));  // Without the right to lock, it works all the same.
    kept_size_ = size.value();
    std::memcpy(kept_, text, kept_size_);
    std::memcpy(out.data(), text, kept_size_);
  }
  wipe(MutableBytes{text});
  return size;
}

}  // namespace wayseal
