// SPDX-License-Identifier: Apache-2.0
// What the backend has, and what leaves the spool by it: acks, refusals, and reported losses.
#include "wayseal/spool/spool.hpp"

namespace wayseal {

bool Spool::Marks::settled(uint32_t sequence) const {
  if (sequence <= contiguous) return true;
  const uint32_t bit = sequence - contiguous - 1;
  return bit < kBits && ((beyond[bit / 8] >> (bit % 8)) & 1U) != 0;
}

uint32_t Spool::Marks::highest() const {
  for (uint32_t bit = kBits; bit > 0; --bit) {
    if (((beyond[(bit - 1) / 8] >> ((bit - 1) % 8)) & 1U) != 0) return contiguous + bit;
  }
  return contiguous;
}

void Spool::Marks::set(uint32_t sequence) {
  if (sequence <= contiguous || sequence - contiguous > kBits) return;
  const uint32_t bit = sequence - contiguous - 1;
  beyond[bit / 8] = static_cast<uint8_t>(beyond[bit / 8] | (1U << (bit % 8)));
}

// Moves `contiguous` over what follows it without a hole.
void Spool::Marks::normalise() {
  Marks moved;
  moved.contiguous = contiguous;
  while (moved.contiguous != UINT32_MAX && moved.contiguous - contiguous < kBits &&
         settled(moved.contiguous + 1)) {
    ++moved.contiguous;
  }
  if (moved.contiguous == contiguous) return;
  for (uint32_t i = 1; i <= kBits; ++i) {
    const uint32_t sequence = moved.contiguous + i;
    if (sequence > moved.contiguous && settled(sequence)) moved.set(sequence);
  }
  *this = moved;
}

// Adds what `other` settles up to `limit`. What lies too far beyond to be remembered is sent again.
void Spool::Marks::merge(const Marks& other, uint32_t limit) {
  Marks merged;
  const uint32_t theirs = other.contiguous < limit ? other.contiguous : limit;
  merged.contiguous = contiguous > theirs ? contiguous : theirs;
  for (uint32_t i = 1; i <= kBits && merged.contiguous + i <= limit && merged.contiguous + i >= i; ++i) {
    const uint32_t sequence = merged.contiguous + i;
    if (settled(sequence) || other.settled(sequence)) merged.set(sequence);
  }
  merged.normalise();
  *this = merged;
}

Status Spool::settle(const SessionId& session, uint64_t contiguous, Bytes beyond) {
  if (!mounted_) return Status::kBadState;
  if (beyond.size() > kAckBeyondMax || contiguous > kSessionRecordsMax) return Status::kMalformed;
  Session* found = find(session);
  if (found == nullptr) return Status::kNotFound;

  Marks ack;
  ack.contiguous = static_cast<uint32_t>(contiguous);
  uint8_t carry = 0;  // the ack's bitmap begins one number later than ours
  for (size_t i = 0; i < beyond.size(); ++i) {
    ack.beyond[i] = static_cast<uint8_t>((beyond[i] << 1) | carry);
    carry = static_cast<uint8_t>(beyond[i] >> 7);
  }
  ack.beyond[beyond.size()] = carry;
  // After a restart the highest number used is not known: then an ack is cut to what is here.
  const uint32_t limit = is_current(session) ? highest_ : found->last;
  if (is_current(session) && (ack.highest() > limit || ack.highest() < ack.contiguous))
    return Status::kMalformed;

  Marks merged = found->marks;
  merged.merge(ack, limit);
  WAYSEAL_TRY(free_settled(*found, merged));
  found->open_acked = true;
  marks_dirty_ = true;
  if (ledger_.report_in(session) && merged.settled(ledger_.report_sequence())) end_report();
  drop_finished();
  return Status::kOk;
}

// The backend knows of the losses that the report named: they are as good as settled, and no gap to be found
// again.
void Spool::end_report() {
  for (size_t i = 0; i < ledger_.size(); ++i) {
    const LossLedger::Range& range = ledger_[i];
    Session* session = ledger_.carried(i) ? find(range.session) : nullptr;
    if (session == nullptr || range.count != range.last - range.first + 1) continue;
    Marks marks = session->marks;
    if (range.first <= marks.contiguous + 1 && range.last > marks.contiguous) {
      Marks through;
      through.contiguous = range.last;
      marks.merge(through, static_cast<uint32_t>(kSessionRecordsMax));
    }
    for (uint32_t sequence = range.first; sequence <= range.last && sequence - range.first < Marks::kBits;
         ++sequence) {
      marks.set(sequence);
    }
    marks.normalise();
    if (free_settled(*session, marks) != Status::kOk) continue;  // then it may be reported once more
  }
  ledger_.report_settled();
  ledger_dirty_ = true;
}

// Counts what `marks` frees, from the first record that waits to the last that can be named, and takes the
// marks over.
Status Spool::free_settled(Session& session, const Marks& marks) {
  const uint32_t highest = marks.highest();
  const uint32_t end = highest < session.last ? highest : session.last;
  uint64_t position = session.low;
  uint64_t low = 0;
  uint64_t bytes = 0;
  uint32_t records = 0;
  LogEntry entry;
  while (session.waiting > 0) {
    const Status status = log_.step(position, log_.end(), entry);
    if (status == Status::kNotFound) break;
    if (status != Status::kOk) return status;
    if (entry.kind != LogKind::kRecord || entry.session != session.id) continue;
    if (is_waiting(session, entry.sequence)) {
      if (marks.settled(entry.sequence)) {
        ++records;
        bytes += entry.size;
      } else if (low == 0) {
        low = entry.position;
      }
    }
    if (entry.sequence >= end && (low != 0 || entry.sequence >= session.last)) break;
  }
  session.marks = marks;
  session.low = low != 0 ? low : position;
  no_longer_waiting(session, records, bytes);
  stats_.settled += records;
  unmarked_ += records;
  return Status::kOk;
}

Status Spool::refuse(const SessionId& session) {
  if (!mounted_) return Status::kBadState;
  Session* found = find(session);
  if (found == nullptr) return Status::kNotFound;
  give_up(*found, LossCause::kRefused);
  return Status::kOk;
}

}  // namespace wayseal
