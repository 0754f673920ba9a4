// SPDX-License-Identifier: Apache-2.0
#include "wayseal/spool/loss_ledger.hpp"

#include <limits>

namespace wayseal {

namespace {

uint32_t add_saturated(uint32_t a, uint32_t b) {
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  return a > kMax - b ? kMax : a + b;
}

uint32_t span(const LossLedger::Range& range) { return range.last - range.first + 1; }

/// Whether `add` can have made it.
bool is_sound(const LossLedger::Range& range) {
  if (range.count == 0) return false;
  if (range.last == 0) return range.first == 0 && range.session == SessionId();
  return range.first >= 1 && range.first <= range.last && range.count <= range.last - range.first + 1;
}

bool is_nameless(const LossLedger::Range& range) { return range.last == 0; }

void join(LossLedger::Range& into, const LossLedger::Range& other) {
  if (other.first < into.first) into.first = other.first;
  if (other.last > into.last) into.last = other.last;
  into.count = add_saturated(into.count, other.count);
  if (into.count > span(into)) into.count = span(into);
  if (into.cause != other.cause) into.cause = LossCause::kMixed;
}

// Numbers between two ranges of one session; 0 when they touch or overlap.
uint32_t distance(const LossLedger::Range& a, const LossLedger::Range& b) {
  if (a.last < b.first) return b.first - a.last - 1;
  if (b.last < a.first) return a.first - b.last - 1;
  return 0;
}

}  // namespace

void LossLedger::add(const SessionId& session, uint32_t first, uint32_t last, uint32_t count, LossCause cause) {
  if (count == 0) return;
  ++revision_;
  if (absorb(session, first, last, count, cause)) return;
  ranges_[size_++] = {session, first, last, count, revision_, cause};
  if (size_ > kLossRangesMax) make_room();
}

// True when a range takes it: one that says so already, or a neighbour that no report carries.
bool LossLedger::absorb(const SessionId& session, uint32_t first, uint32_t last, uint32_t count,
                        LossCause cause) {
  for (size_t i = 0; i < size_; ++i) {
    Range& range = ranges_[i];
    if (range.session != session || is_nameless(range)) continue;
    if (range.first <= first && last <= range.last) {
      if (range.count == span(range)) return true;  // all of it is known to be missing
      range.count = add_saturated(range.count, count);
      if (range.count > span(range)) range.count = span(range);
      range.revision = revision_;
      return true;
    }
    const bool follows = range.last + 1 == first || last + 1 == range.first;
    if (!follows || range.cause != cause || range.revision <= reported_) continue;
    join(range, {session, first, last, count, revision_, cause});
    range.revision = revision_;
    return true;
  }
  return false;
}

// There is one range too many: the nearest two of one session become one.
void LossLedger::make_room() {
  size_t best_a = 0;
  size_t best_b = 0;
  uint32_t best = std::numeric_limits<uint32_t>::max();
  for (size_t a = 0; a < size_; ++a) {
    if (is_nameless(ranges_[a])) continue;
    for (size_t b = a + 1; b < size_; ++b) {
      if (ranges_[b].session != ranges_[a].session || is_nameless(ranges_[b])) continue;
      const uint32_t gap = distance(ranges_[a], ranges_[b]);
      if (best_b != 0 && gap >= best) continue;
      best = gap;
      best_a = a;
      best_b = b;
    }
  }
  if (best_b == 0) {
    fold_oldest();
    return;
  }
  join(ranges_[best_a], ranges_[best_b]);
  ranges_[best_a].revision = ++revision_;
  remove(best_b);
}

// No session has two ranges: the oldest ones lose their names, and keep their counts.
void LossLedger::fold_oldest() {
  size_t into = 0;
  while (into < size_ && !is_nameless(ranges_[into])) ++into;
  if (into == size_) into = 0;
  const size_t from = into == 0 ? 1 : 0;
  Range& range = ranges_[into];
  if (range.cause != ranges_[from].cause) range.cause = LossCause::kMixed;
  range.count = add_saturated(range.count, ranges_[from].count);
  range.session = SessionId();
  range.first = 0;
  range.last = 0;
  range.revision = ++revision_;
  remove(from);
}

void LossLedger::remove(size_t index) {
  for (size_t i = index + 1; i < size_; ++i) ranges_[i - 1] = ranges_[i];
  --size_;
}

bool LossLedger::counts(const SessionId& session, uint32_t sequence) const {
  for (size_t i = 0; i < size_; ++i) {
    const Range& range = ranges_[i];
    const bool inside = range.session == session && range.first <= sequence && sequence <= range.last;
    if (inside && range.count == span(range)) return true;
  }
  return false;
}

// The ranges that were not changed for longest come first when not all fit, so that the token tells which were
// taken.
LossSnapshot LossLedger::snapshot(Span<LossRange> out) const {
  LossSnapshot snapshot;
  for (size_t i = 0; i < size_; ++i) {
    const Range& range = ranges_[i];
    size_t older = 0;
    for (size_t j = 0; j < size_; ++j) older += ranges_[j].revision < range.revision ? 1 : 0;
    if (older >= out.size()) continue;
    out[snapshot.count++] = {range.session, range.first, range.last, range.count, range.cause};
    if (range.revision > snapshot.token) snapshot.token = range.revision;
  }
  return snapshot;
}

void LossLedger::report_sent(uint32_t token, const SessionId& session, uint32_t sequence) {
  reported_ = token;
  report_session_ = session;
  report_sequence_ = sequence;
}

bool LossLedger::report_is(const SessionId& session, uint32_t sequence) const {
  return reported_ != 0 && report_sequence_ == sequence && report_session_ == session;
}

void LossLedger::report_settled() {
  size_t kept = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (ranges_[i].revision > reported_) ranges_[kept++] = ranges_[i];
  }
  size_ = kept;
  reported_ = 0;
}

bool LossLedger::unreported() const {
  for (size_t i = 0; i < size_; ++i) {
    if (ranges_[i].revision > reported_) return true;
  }
  return false;
}

void LossLedger::clear() {
  revision_ = 1;
  reported_ = 0;
  size_ = 0;
}

void LossLedger::load(const Range& range) {
  if (size_ == kLossRangesMax || !is_sound(range)) return;
  ranges_[size_] = range;
  ranges_[size_++].revision = ++revision_;
}

}  // namespace wayseal
