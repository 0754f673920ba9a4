// SPDX-License-Identifier: Apache-2.0
/// \file
/// Clock port for Linux.
#ifndef WAYSEAL_HAL_POSIX_POSIX_CLOCK_HPP
#define WAYSEAL_HAL_POSIX_POSIX_CLOCK_HPP

#include "wayseal/hal/clock.hpp"

namespace wayseal {

/// CLOCK_MONOTONIC, and a continuity number made of the process id and the time spent in suspend
/// (CLOCK_BOOTTIME less CLOCK_MONOTONIC, in whole seconds, so a suspend shorter than a second may pass unnoticed).
/// It cannot see a virtual machine that is restored from an image: sessions are still safe there, because their
/// keys live in the token and not in the image, unless the token is inside the image too.
/// One pointer.
class PosixClock final : public Clock {
 private:
  MonotonicTime do_now() const override;
  uint64_t do_continuity() const override;
};

}  // namespace wayseal

#endif
