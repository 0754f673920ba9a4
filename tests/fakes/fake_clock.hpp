// SPDX-License-Identifier: Apache-2.0
/// \file
/// A clock that stands still until it is told otherwise.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_CLOCK_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_CLOCK_HPP

#include <atomic>

#include "wayseal/hal/clock.hpp"

namespace wayseal::fakes {

/// Threads: any. Relaxed, so that a clock that everybody reads hides no race from ThreadSanitizer.
class FakeClock final : public Clock {
 public:
  void advance_ms(int64_t ms) { now_ns_.fetch_add(ms * kNsPerMs, std::memory_order_relaxed); }
  void set(MonotonicTime now) { now_ns_.store(now.ns, std::memory_order_relaxed); }
  /// As after a fork or a resume.
  void break_continuity() { continuity_.fetch_add(1, std::memory_order_relaxed); }

 private:
  MonotonicTime do_now() const override { return {now_ns_.load(std::memory_order_relaxed)}; }
  uint64_t do_continuity() const override { return continuity_.load(std::memory_order_relaxed); }

  std::atomic<int64_t> now_ns_{kNsPerSecond};
  std::atomic<uint64_t> continuity_{1};
};

}  // namespace wayseal::fakes

#endif
