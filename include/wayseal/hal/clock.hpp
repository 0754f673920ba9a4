// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: the device's own clock. Trusted time is not here: it comes signed (trust/time_keeper.hpp).
#ifndef WAYSEAL_HAL_CLOCK_HPP
#define WAYSEAL_HAL_CLOCK_HPP

#include "wayseal/core/time.hpp"

namespace wayseal {

/// Threads: any thread, also concurrently. Blocking: never.
class Clock {
 public:
  /// Time since an arbitrary start of this boot. Never steps back between two calls.
  MonotonicTime now() const { return do_now(); }

  /// A number that changes whenever this program may run twice from the same memory: after fork, resume from
  /// suspend, restore of an image. A session does not outlive a change (DESIGN 6.6).
  uint64_t continuity() const { return do_continuity(); }

 protected:
  ~Clock() = default;

 private:
  virtual MonotonicTime do_now() const = 0;
  virtual uint64_t do_continuity() const = 0;
};

}  // namespace wayseal

#endif
