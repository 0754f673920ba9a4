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

/// Whole seconds in suspend since the boot, rounded, so that the time between the two readings never looks like a suspend.
/// Near the border between two seconds it is read again until nothing came between.
uint64_t read_suspended_s() {
  constexpr int kTries = 8;
  constexpr int64_t kBorderNs = 100 * kNsPerMs;
  constexpr int64_t kApartMaxNs = 20'000;
  int64_t suspended_ns = 0;
  for (int i = 0; i < kTries; ++i) {
    const int64_t before = read_clock_ns(CLOCK_MONOTONIC);
    suspended_ns = read_clock_ns(CLOCK_BOOTTIME) - before;
    const int64_t from_border = (suspended_ns + kNsPerSecond / 2) % kNsPerSecond;
    if (from_border > kBorderNs && from_border < kNsPerSecond - kBorderNs) break;
    if (read_clock_ns(CLOCK_MONOTONIC) - before <= kApartMaxNs) break;
  }
  return static_cast<uint64_t>((suspended_ns + kNsPerSecond / 2) / kNsPerSecond);
}

}  // namespace

MonotonicTime PosixClock::do_now() const { return {read_clock_ns(CLOCK_MONOTONIC)}; }

uint64_t PosixClock::do_continuity() const {
  const uint64_t suspended_s = read_suspended_s();
  return (static_cast<uint64_t>(static_cast<uint32_t>(getpid())) << 32) | (suspended_s & 0xFFFFFFFFU);
}

}  // namespace wayseal
