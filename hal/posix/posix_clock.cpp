// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/posix_clock.hpp"

#include <time.h>
#include <unistd.h>

namespace wayseal {
namespace {

int64_t read_clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<int64_t>(t.tv_sec) * kNsPerSecond + t.tv_nsec;
}

}  // namespace

MonotonicTime PosixClock::do_now() const { return {read_clock_ns(CLOCK_MONOTONIC)}; }

uint64_t PosixClock::do_continuity() const {
  // Rounded, so that the few microseconds between the two readings never look like a suspend.
  const int64_t suspended_ns = read_clock_ns(CLOCK_BOOTTIME) - read_clock_ns(CLOCK_MONOTONIC);
  const uint64_t suspended_s = static_cast<uint64_t>((suspended_ns + kNsPerSecond / 2) / kNsPerSecond);
  return (static_cast<uint64_t>(static_cast<uint32_t>(getpid())) << 32) | (suspended_s & 0xFFFFFFFFU);
}

}  // namespace wayseal
