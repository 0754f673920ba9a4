// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a token's PIN comes from: a callback of the integrator, or a file descriptor. Never a command line, an
/// environment variable or a configuration value.
#ifndef WAYSEAL_PKCS11_PIN_SOURCE_HPP
#define WAYSEAL_PKCS11_PIN_SOURCE_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"

namespace wayseal {

/// The longest PIN in bytes that is accepted.
inline constexpr size_t kPinMax = 128;

/// Gives the PIN each time that a login needs it. The caller wipes its copy right after the login.
///
/// Threads: the vault's. Blocking: a login waits for it.
class PinSource {
 public:
  /// Copies the PIN, not terminated.
  /// \return bytes used, at least 1; kNotFound when there is none; kBufferTooSmall for more than `out` holds.
  Result<size_t> read(MutableBytes out) { return do_read(out); }

 protected:
  ~PinSource() = default;

 private:
  virtual Result<size_t> do_read(MutableBytes out) = 0;
};

/// Reads the PIN from a file descriptor, up to its end or the first newline. A file is read again at each login
/// and nothing is kept. A pipe can be read once only, so its content is kept, locked into memory and wiped at
/// the end: without that, no token could be reopened after a reset. About 160 bytes.
class FdPin final : public PinSource {
 public:
  /// \param fd open for reading; borrowed, and read only when a login needs it.
  explicit FdPin(int fd) : fd_(fd) {}
  ~FdPin();
  FdPin(const FdPin&) = delete;
  FdPin& operator=(const FdPin&) = delete;

 private:
  Result<size_t> do_read(MutableBytes out) override;
  Result<size_t> keep_pipe(MutableBytes out);

  int fd_;
  size_t kept_size_ = 0;
  uint8_t kept_[kPinMax] = {};
};

}  // namespace wayseal

#endif
