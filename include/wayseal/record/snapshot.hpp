// SPDX-License-Identifier: Apache-2.0
/// \file
/// The latest value of something, from one thread to others, without a lock.
#ifndef WAYSEAL_RECORD_SNAPSHOT_HPP
#define WAYSEAL_RECORD_SNAPSHOT_HPP

#include <atomic>
#include <cstring>
#include <type_traits>

#include "wayseal/core/time.hpp"

namespace wayseal {

/// Holds one T that one thread replaces and others read. A sequence lock over 32-bit words, since many targets
/// have no wider atomics. sizeof(T) rounded up to words, plus 4 bytes.
///
/// Threads: `publish` from one thread, `load` from any. Wait-free: the reader does not wait for a writer that
/// it has interrupted, but is told so, keeps what it had, and asks again at its next step.
template <typename T>
class Snapshot {
  static_assert(std::is_trivially_copyable_v<T>, "copied as words");

 public:
  /// Starts with a value-initialised T.
  Snapshot() { publish(T{}); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  void publish(const T& value) {
    uint32_t words[kWords] = {};
    std::memcpy(words, &value, sizeof(T));
    const uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    // Released one by one: who sees a new word also sees the odd sequence before it. (Fences would do, but
    // ThreadSanitizer does not know them.)
    for (size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  /// \param[out] out the latest value; unchanged when false is returned.
  /// \return false when the value was being replaced during a few tries.
  bool load(T& out) const {
    for (int tries = 0; tries < 4; ++tries) {
      uint32_t words[kWords];
      const uint32_t before = sequence_.load(std::memory_order_acquire);
      for (size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
      if ((before & 1U) != 0 || sequence_.load(std::memory_order_relaxed) != before) continue;
      std::memcpy(&out, words, sizeof(T));
      return true;
    }
    return false;
  }

 private:
  static constexpr size_t kWords = (sizeof(T) + 3) / 4;
  std::atomic<uint32_t> sequence_{0};
  std::atomic<uint32_t> words_[kWords] = {};
};

/// How far a batch's times can be trusted. The number is the wire's (`Batch.TimeQuality`).
enum class TimeQuality : uint8_t {
  kUntrusted = 0,  ///< Monotonic time, its distance to UTC is not known.
  kTrusted = 1,    ///< Monotonic time, with a distance from signed time.
  kRecorded = 2,   ///< The clock of a recording.
};

/// UTC = monotonic + utc_offset_us, in microseconds.
struct UtcOffset {
  TimeQuality quality = TimeQuality::kUntrusted;
  int64_t utc_offset_us = 0;  ///< 0 unless kTrusted.
  uint64_t continuity = 0;    ///< Clock::continuity that the distance holds for: a suspend changes both.
};

/// What the cloud side, which has signed time, tells the bus side, which stamps batches. Starts untrusted.
using TimeSnapshot = Snapshot<UtcOffset>;

}  // namespace wayseal

#endif
