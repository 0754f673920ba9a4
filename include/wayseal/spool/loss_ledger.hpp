// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is known to be missing: a fixed number of ranges, merged when there are more, never evicted.
#ifndef WAYSEAL_SPOOL_LOSS_LEDGER_HPP
#define WAYSEAL_SPOOL_LOSS_LEDGER_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/loss.hpp"

namespace wayseal {

/// What LossLedger::snapshot gave: `count` ranges, those not changed since the ledger stood at `token`. Token 0
/// stands for nothing.
struct LossSnapshot {
  size_t count = 0;
  uint32_t token = 0;
};

/// The ledger itself, part of Spool, which makes it durable. 36 bytes a range; no storage, no failure.
class LossLedger {
 public:
  /// A range as stored: 32-bit, for a session has fewer than 2^32 records.
  struct Range {
    SessionId session;
    uint32_t first = 0;
    uint32_t last = 0;
    uint32_t count = 0;     // saturates
    uint32_t revision = 0;  // of the ledger when the range was last changed; no two are alike
    LossCause cause = LossCause::kMixed;
  };

  /// Adds `count` missing records among first to last (count <= last - first + 1). What is known already is not
  /// counted twice where the ledger can tell. Never fails: the nearest ranges of a session are merged when
  /// there is no room, and when no session has two, the oldest ranges become the one without a session.
  void add(const SessionId& session, uint32_t first, uint32_t last, uint32_t count, LossCause cause);
  /// True when a range counts this number for certain: every one of its numbers is missing. Of a merged range that is not
  /// known; a number within that is found missing is then counted once more rather than never.
  bool counts(const SessionId& session, uint32_t sequence) const;

  /// See Spool::losses.
  LossSnapshot snapshot(Span<LossRange> out) const;
  /// See Spool::losses_reported.
  void report_sent(uint32_t token, const SessionId& session, uint32_t sequence);
  /// True when the record (session, sequence) carries the report on its way.
  bool report_is(const SessionId& session, uint32_t sequence) const;
  /// True when a report is on its way in some record of `session`.
  bool report_in(const SessionId& session) const { return reported_ != 0 && report_session_ == session; }
  uint32_t report_sequence() const { return report_sequence_; }
  /// True when the report on its way carries the range.
  bool carried(size_t index) const { return ranges_[index].revision <= reported_; }
  /// The report was settled: forgets what it carried.
  void report_settled();
  /// The report was lost: its ranges are unreported again.
  void report_lost() { reported_ = 0; }
  /// True when some range is in no report on its way.
  bool unreported() const;

  /// For storing: the ranges, oldest first; and for loading, after `clear`.
  size_t size() const { return size_; }
  const Range& operator[](size_t index) const { return ranges_[index]; }
  void clear();
  /// A range that no ledger makes, written by somebody else, is left out: the backend sees by itself what is missing.
  void load(const Range& range);

 private:
  static_assert(kLossRangesMax >= 2, "one range with a session and the one without");

  bool absorb(const SessionId& session, uint32_t first, uint32_t last, uint32_t count, LossCause cause);
  void make_room();
  void fold_oldest();
  void remove(size_t index);

  uint32_t revision_ = 1;
  uint32_t reported_ = 0;  // token of the report on its way; 0 when none is
  uint32_t report_sequence_ = 0;
  SessionId report_session_;
  size_t size_ = 0;
  Range ranges_[kLossRangesMax + 1];  // one more while `add` makes room
};

}  // namespace wayseal

#endif
