// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is known to be missing.
#ifndef WAYSEAL_CORE_LOSS_HPP
#define WAYSEAL_CORE_LOSS_HPP

#include "wayseal/core/types.hpp"

namespace wayseal {

/// Why records are missing. The numbers are the wire's (record.proto, LossRange.Cause).
enum class LossCause : uint8_t {
  kMixed = 0,    ///< Ranges of different causes were merged.
  kEvicted = 1,  ///< The spool was full.
  kVoid = 2,     ///< The number was taken; sealing or storing failed.
  kRefused = 3,  ///< Freed by the backend's signed refusal.
  kDamaged = 4,  ///< The medium gave back something else, or nothing.
};

/// At most `count` records are missing among `first` to `last` of a session, never more. It is exact but for ranges
/// that were merged: there a number that is found missing again after a restart is counted twice, up to the whole of
/// the range. The session of 16 zero bytes, with first and last 0, stands for records of sessions that could not be
/// kept apart any more; their counts are added up.
struct LossRange {
  SessionId session;
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t count = 0;
  LossCause cause = LossCause::kMixed;
};

}  // namespace wayseal

#endif
