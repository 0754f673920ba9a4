// SPDX-License-Identifier: Apache-2.0
/// \file
/// Times as types that do not mix.
#ifndef WAYSEAL_CORE_TIME_HPP
#define WAYSEAL_CORE_TIME_HPP

#include <cstdint>

namespace wayseal {

/// Nanoseconds since an arbitrary start of this boot. Never steps back; stands still during suspend.
struct MonotonicTime {
  int64_t ns = 0;
};

/// Milliseconds since 1970-01-01T00:00:00Z without leap seconds (POSIX time). Only ever trusted time: what a
/// real-time clock claims has no type here.
struct UtcTime {
  int64_t ms = 0;
};

inline constexpr int64_t kNsPerUs = 1000;
inline constexpr int64_t kNsPerMs = 1000 * kNsPerUs;
inline constexpr int64_t kNsPerSecond = 1000 * kNsPerMs;
inline constexpr int64_t kMsPerSecond = 1000;
inline constexpr int64_t kMsPerDay = 24LL * 60 * 60 * 1000;

/// Later than any other: when nothing is due.
inline constexpr MonotonicTime kNever = {INT64_MAX};

constexpr bool operator<(MonotonicTime a, MonotonicTime b) { return a.ns < b.ns; }
constexpr bool operator<=(MonotonicTime a, MonotonicTime b) { return a.ns <= b.ns; }
constexpr bool operator==(MonotonicTime a, MonotonicTime b) { return a.ns == b.ns; }
constexpr MonotonicTime earlier(MonotonicTime a, MonotonicTime b) { return b < a ? b : a; }
constexpr MonotonicTime later(MonotonicTime a, MonotonicTime b) { return a < b ? b : a; }
constexpr MonotonicTime after_ms(MonotonicTime t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }
/// Whole milliseconds. Not inline: a division of 64 bits is long code on a small core.
int64_t ms_between(MonotonicTime from, MonotonicTime to);

constexpr bool operator<(UtcTime a, UtcTime b) { return a.ms < b.ms; }
constexpr bool operator<=(UtcTime a, UtcTime b) { return a.ms <= b.ms; }
constexpr bool operator==(UtcTime a, UtcTime b) { return a.ms == b.ms; }

}  // namespace wayseal

#endif
