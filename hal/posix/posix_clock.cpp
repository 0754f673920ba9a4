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

/// Time in suspend since the boot. Read again when something came between the readings.
int64_t read_suspended_ns() {
  constexpr int kTries = 8;
  constexpr int64_t kApartMaxNs = 20'000;
  int64_t closest_ns = 0;
  int64_t suspended_ns = 0;
  for (int i = 0; i < kTries; ++i) {
    const int64_t before = read_clock_ns(CLOCK_MONOTONIC);
    const int64_t boot = read_clock_ns(CLOCK_BOOTTIME);
    const int64_t apart_ns = read_clock_ns(CLOCK_MONOTONIC) - before;
    if (i == 0 || apart_ns < closest_ns) {
      closest_ns = apart_ns;
      suspended_ns = boot - before - apart_ns / 2;
    }
    if (closest_ns <= kApartMaxNs) break;
  }
  return suspended_ns;
}

}  // namespace

MonotonicTime PosixClock::do_now() const { return {read_clock_ns(CLOCK_MONOTONIC)}; }

uint64_t PosixClock::do_continuity() const {
  // Rounded, so that the few microseconds between the readings never look like a suspend.
  const int64_t suspended_ns = read_suspended_ns();
  const uint64_t suspended_s = static_cast<uint64_t>((suspended_ns + kNsPerSecond / 2) / kNsPerSecond);
  return (static_cast<uint64_t>(static_cast<uint32_t>(getpid())) << 32) | (suspended_s & 0xFFFFFFFFU);
}

}  // namespace wayseal
