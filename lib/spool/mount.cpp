// SPDX-License-Identifier: Apache-2.0
// Finding out what is on the medium. Nothing here writes to it.
#include "spool/format.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal {

namespace format = spool_format;

void Spool::reset() {
  ledger_.clear();
  stats_ = SpoolStats();
  tail_ = 0;
  durable_ = 0;
  highest_ = 0;
  unmarked_ = 0;
  session_count_ = 0;
  mounted_ = false;
  failed_ = false;
  appendable_ = false;
  unsynced_ = false;
  marks_dirty_ = false;
  ledger_dirty_ = false;
}

Status Spool::format() {
  reset();
  WAYSEAL_TRY(log_.erase_all());
  return mount();
}

Status Spool::mount() {
  reset();
  WAYSEAL_TRY(log_.mount(format::kCheckpointMax));
  stats_.capacity_bytes = static_cast<uint64_t>(log_.segment_count() - 2) * log_.segment_size();
  if (log_.head() != 0) {
    uint64_t checkpoint = 0;
    WAYSEAL_TRY(load_newest_checkpoint(checkpoint));
    WAYSEAL_TRY(replay(checkpoint));
    finish_replay();
    // The checkpoint that began the head has rotted: what it gave up is given up again.
    const uint64_t head = log_.head();
    if (head + 2 > tail_ + log_.segment_count()) WAYSEAL_TRY(release_up_to(head + 2 - log_.segment_count()));
  }
  mounted_ = true;
  return Status::kOk;
}

// The last checkpoint of a segment whose checksum is right. kNotFound when there is none.
Status Spool::last_checkpoint_of(uint64_t segment, LogEntry& out) const {
  const uint64_t border = log_.start_of(segment + 1);
  const uint64_t limit = border < log_.end() ? border : log_.end();
  uint64_t position = log_.start_of(segment);
  bool found = false;
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = log_.step(position, limit, entry)) == Status::kOk) {
    if (entry.kind != LogKind::kCheckpoint) continue;
    const Result<bool> whole = log_.intact(entry);
    if (!whole.ok()) return whole.status();
    if (!whole.value()) continue;
    out = entry;
    found = true;
  }
  return status == Status::kNotFound && found ? Status::kOk : status;
}

Status Spool::load_newest_checkpoint(uint64_t& position) {
  const uint64_t head = log_.head();
  const uint64_t count = log_.segment_count();
  const uint64_t oldest = head >= count ? head - count + 1 : 1;
  for (uint64_t segment = head; segment >= oldest; --segment) {
    LogEntry entry;
    const Status status = last_checkpoint_of(segment, entry);
    if (status == Status::kNotFound) continue;
    if (status != Status::kOk) return status;
    const Status loaded = load_checkpoint(entry);
    // It was whole a moment ago.
    if (loaded != Status::kOk) return loaded == Status::kMalformed ? Status::kStorageFailed : loaded;
    if (tail_ > head || tail_ < oldest) tail_ = oldest;
    position = entry.position;
    return Status::kOk;
  }
  tail_ = oldest;
  position = 0;
  return Status::kOk;
}

Status Spool::replay(uint64_t checkpoint) {
  for (size_t i = 0; i < session_count_; ++i) sessions_[i].seen = sessions_[i].accounted;
  uint64_t position = tail_position();
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = log_.step(position, log_.end(), entry)) == Status::kOk) {
    if (entry.kind == LogKind::kSessionOpen) WAYSEAL_TRY(replay_open(entry, checkpoint));
    if (entry.kind == LogKind::kRecord) WAYSEAL_TRY(replay_record(entry, checkpoint));
  }
  return status == Status::kNotFound ? Status::kOk : status;
}

Status Spool::replay_open(const LogEntry& entry, uint64_t checkpoint) {
  Session* session = find(entry.session);
  if (session == nullptr && entry.position < checkpoint) return Status::kOk;  // ended since
  const Result<bool> whole = log_.intact(entry);
  if (!whole.ok()) return whole.status();
  if (!whole.value()) return Status::kOk;
  if (session == nullptr) session = add_session(entry.session, entry.position);
  session->open_position = entry.position;
  return Status::kOk;
}

// Only the header is looked at. Whether the payload is whole shows when it is read.
Status Spool::replay_record(const LogEntry& entry, uint64_t checkpoint) {
  Session* session = find(entry.session);
  if (session == nullptr) {
    if (entry.position < checkpoint) return Status::kOk;  // ended since
    session = add_session(entry.session, entry.position);
  }
  if (entry.sequence <= session->seen) return Status::kOk;
  if (entry.sequence > session->seen + 1) note_gap(*session, session->seen + 1, entry.sequence - 1);
  session->seen = entry.sequence;
  if (entry.sequence > session->last) session->last = entry.sequence;
  if (!is_waiting(*session, entry.sequence)) return Status::kOk;
  if (session->waiting == 0) session->low = entry.position;
  ++session->waiting;
  session->waiting_bytes += entry.size;
  return Status::kOk;
}

// Losses that only show when everything has been seen.
void Spool::finish_replay() {
  for (size_t i = 0; i < session_count_; ++i) {
    Session& session = sessions_[i];
    if (session.last > session.seen) note_gap(session, session.seen + 1, session.last);
  }
  for (size_t i = session_count_; i > 0; --i) {
    Session& session = sessions_[i - 1];
    if (session.open_position == 0 && !session.open_acked && session.waiting > 0)
      give_up(session, LossCause::kDamaged);
  }
  drop_finished();
}

}  // namespace wayseal
