// SPDX-License-Identifier: Apache-2.0
/// \file
/// A clock that stands still until it is told otherwise.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_CLOCK_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_CLOCK_HPP

#include "wayseal/hal/clock.hpp"

namespace wayseal::fakes {

class FakeClock final : public Clock {
 public:
  void advance_ms(int64_t ms) { now_ = after_ms(now_, ms); }
  void set(MonotonicTime now) { now_ = now; }
  /// As after a fork or a resume.
  void break_continuity() { ++continuity_; }

 private:
  MonotonicTime do_now() const override { return now_; }
  uint64_t do_continuity() const override { return continuity_; }

  MonotonicTime now_{kNsPerSecond};
  uint64_t continuity_ = 1;
};

}  // namespace wayseal::fakes

#endif
