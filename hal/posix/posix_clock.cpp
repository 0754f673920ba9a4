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

// The two readings are some time apart, microseconds as a rule. Less than this is no suspend.
constexpr int64_t kSuspendMinNs = kNsPerSecond / 2;

/// Time in suspend since the boot, and at most as much more as lay between the readings.
int64_t read_suspended_ns() {
  const int64_t running_ns = read_clock_ns(CLOCK_MONOTONIC);
  return read_clock_ns(CLOCK_BOOTTIME) - running_ns;
}

}  // namespace

PosixClock::PosixClock() : suspended_ns_(read_suspended_ns()) {}

MonotonicTime PosixClock::do_now() const { return {read_clock_ns(CLOCK_MONOTONIC)}; }

uint64_t PosixClock::do_continuity() const {
  int64_t followed_ns = suspended_ns_.load(std::memory_order_acquire);
  const int64_t suspended_ns = read_suspended_ns();
  // A thread that was held up between the readings is not a suspend either: read once more.
  if (suspended_ns - followed_ns >= kSuspendMinNs && read_suspended_ns() - followed_ns >= kSuspendMinNs) {
    // Of several threads that notice at once one says what all then see.
    if (suspended_ns_.compare_exchange_strong(followed_ns, suspended_ns, std::memory_order_acq_rel)) {
      followed_ns = suspended_ns;
    }
  }
  const auto suspended_ms = static_cast<uint64_t>(followed_ns / kNsPerMs);
  return (static_cast<uint64_t>(static_cast<uint32_t>(getpid())) << 32) | (suspended_ms & 0xFFFFFFFFU);
}

}  // namespace wayseal
