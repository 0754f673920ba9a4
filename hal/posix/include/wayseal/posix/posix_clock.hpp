// SPDX-License-Identifier: Apache-2.0
/// \file
/// Clock port for Linux.
#ifndef WAYSEAL_HAL_POSIX_POSIX_CLOCK_HPP
#define WAYSEAL_HAL_POSIX_POSIX_CLOCK_HPP

#include <atomic>

#include "wayseal/hal/clock.hpp"

namespace wayseal {

/// CLOCK_MONOTONIC, and a continuity number made of the process id and the time spent in suspend (CLOCK_BOOTTIME less
/// CLOCK_MONOTONIC, followed when it has moved by half a second: shorter suspends pass unnoticed until they add up).
/// It cannot see a virtual machine that is restored from an image: sessions are still safe there, because their
/// keys live in the token and not in the image, unless the token is inside the image too.
/// 16 bytes.
class PosixClock final : public Clock {
 public:
  PosixClock();

 private:
  MonotonicTime do_now() const override;
  uint64_t do_continuity() const override;

  mutable std::atomic<int64_t> suspended_ns_;  // as last followed
};

}  // namespace wayseal

#endif
