// SPDX-License-Identifier: Apache-2.0
#include "wayseal/spool/spool.hpp"

#include "spool/format.hpp"

namespace wayseal {

namespace {

// Settled records that a restart may repeat: marks are written together with a sync once there are so many.
constexpr uint32_t kUnmarkedMax = 64;

void describe(const LogEntry& entry, SpoolEntry& out) {
  out.kind = entry.kind == LogKind::kSessionOpen ? SpoolEntryKind::kSessionOpen : SpoolEntryKind::kRecord;
  out.size = entry.size;
  out.session = entry.session;
  out.sequence = entry.sequence;
  out.position = entry.position;
  out.check = entry.check;
}

}  // namespace

Spool::Session* Spool::find(const SessionId& id) {
  for (size_t i = session_count_; i > 0; --i) {
    if (sessions_[i - 1].id == id) return &sessions_[i - 1];
  }
  return nullptr;
}

const Spool::Session* Spool::find(const SessionId& id) const { return const_cast<Spool*>(this)->find(id); }

bool Spool::is_current(const SessionId& id) const {
  return appendable_ && session_count_ > 0 && sessions_[session_count_ - 1].id == id;
}

Spool::Session* Spool::add_session(const SessionId& id, uint64_t position) {
  if (session_count_ > kLiveSessionsMax) {
    forfeit(sessions_[0], LossCause::kEvicted);
    remove_session(0);
  }
  Session& session = sessions_[session_count_++];
  session = Session();
  session.id = id;
  session.low = position;
  return &session;
}

void Spool::remove_session(size_t index) {
  for (size_t i = index + 1; i < session_count_; ++i) sessions_[i - 1] = sessions_[i];
  --session_count_;
  marks_dirty_ = true;
}

// The newest session stays: its end is asked for when the next one opens. So does one whose SessionOpen the backend
// does not have yet, without a record even: its number in the row of sessions would be missing there.
void Spool::drop_finished() {
  for (size_t i = session_count_; i > 1; --i) {
    const Session& session = sessions_[i - 2];
    const bool open_waits = session.open_position != 0 && !session.open_acked;
    if (session.waiting == 0 && !open_waits) remove_session(i - 2);
  }
}

// Room for one session more. Those without a record go first: nothing is lost with them that would have to be counted.
void Spool::make_room_for_session() {
  while (session_count_ > kLiveSessionsMax || waiting_sessions() >= kLiveSessionsMax) {
    size_t oldest = 0;
    while (oldest + 1 < session_count_ && sessions_[oldest].waiting > 0) ++oldest;
    if (oldest + 1 == session_count_) oldest = 0;  // all but the newest have records
    forfeit(sessions_[oldest], LossCause::kEvicted);
    remove_session(oldest);
  }
}

size_t Spool::waiting_sessions() const {
  size_t count = 0;
  for (size_t i = 0; i < session_count_; ++i) count += sessions_[i].waiting > 0 ? 1 : 0;
  return count;
}

void Spool::no_longer_waiting(Session& session, uint32_t records, uint64_t bytes) {
  session.waiting = session.waiting > records ? session.waiting - records : 0;
  session.waiting_bytes = session.waiting_bytes > bytes ? session.waiting_bytes - bytes : 0;
}

void Spool::add_loss(const SessionId& session, uint32_t first, uint32_t last, uint32_t count, LossCause cause) {
  ledger_.add(session, first, last, count, cause);
  ledger_dirty_ = true;
  if (cause == LossCause::kEvicted) stats_.evicted += count;
  if (cause == LossCause::kVoid) stats_.voided += count;
  if (cause == LossCause::kRefused) stats_.refused += count;
  if (cause == LossCause::kDamaged) stats_.damaged += count;
}

// Everything that waits in a session is lost at once.
void Spool::forfeit(Session& session, LossCause cause) {
  if (session.waiting > 0) {
    const uint32_t before =
        session.marks.contiguous > session.accounted ? session.marks.contiguous : session.accounted;
    const uint32_t span = session.last > before ? session.last - before : 0;
    const uint32_t count = session.waiting < span ? session.waiting : span;
    add_loss(session.id, before + 1, session.last, count, cause);
  }
  if (ledger_.report_in(session.id) && !session.marks.settled(ledger_.report_sequence())) ledger_.report_lost();
  session.waiting = 0;
  session.waiting_bytes = 0;
  session.accounted = session.last;
}

// Forfeits and forgets a session. The newest one is only closed.
void Spool::give_up(Session& session, LossCause cause) {
  forfeit(session, cause);
  marks_dirty_ = true;
  if (!is_newest(session)) {
    remove_session(static_cast<size_t>(&session - sessions_));
    return;
  }
  session.open_position = 0;
  session.open_acked = true;  // nobody needs it any more, nor after a restart
  appendable_ = false;
}

// Without its SessionOpen nobody can read a session, unless the backend has it already.
void Spool::lose_open(Session& session) {
  session.open_position = 0;
  if (!session.open_acked) give_up(session, LossCause::kDamaged);
}

// A record cannot be read. Where the marks reach it, it is skipped from now on.
void Spool::give_up_record(Session& session, const LogEntry& entry, LossCause cause) {
  if (!is_waiting(session, entry.sequence)) return;
  if (!ledger_.counts(session.id, entry.sequence))
    add_loss(session.id, entry.sequence, entry.sequence, 1, cause);
  if (ledger_.report_is(session.id, entry.sequence)) ledger_.report_lost();
  if (entry.sequence - session.marks.contiguous > Marks::kBits) return;
  session.marks.set(entry.sequence);
  session.marks.normalise();
  marks_dirty_ = true;
  no_longer_waiting(session, 1, entry.size);
}

// Numbers without a record in the log: settled, known to be missing, or damaged beyond recognition.
void Spool::note_gap(Session& session, uint32_t first, uint32_t last) {
  if (last <= session.marks.contiguous) return;
  if (first <= session.marks.contiguous) first = session.marks.contiguous + 1;
  constexpr uint32_t kOneByOne = 4096;
  if (last > first && last - first >= kOneByOne) {
    add_loss(session.id, first, last, last - first + 1, LossCause::kDamaged);
    return;
  }
  // Counted down: `last` may be the last number that there is.
  for (uint32_t left = last - first + 1; left > 0; --left) {
    const uint32_t sequence = last - left + 1;
    if (session.marks.settled(sequence) || ledger_.counts(session.id, sequence)) continue;
    add_loss(session.id, sequence, sequence, 1, LossCause::kDamaged);
  }
}

void Spool::note_void(const SessionId& session, uint64_t sequence) {
  if (!mounted_ || sequence == 0 || sequence > kSessionRecordsMax) return;
  const uint32_t number = static_cast<uint32_t>(sequence);
  if (is_current(session) && number > highest_) highest_ = number;
  add_loss(session, number, number, 1, LossCause::kVoid);
}

void Spool::losses_reported(uint32_t token, const SessionId& session, uint64_t sequence) {
  if (token != 0) ledger_.report_sent(token, session, static_cast<uint32_t>(sequence));
}

Status Spool::ready() const {
  if (!mounted_) return Status::kBadState;
  return failed_ ? Status::kStorageFailed : Status::kOk;
}

Status Spool::append_open(const SessionId& session, Bytes session_open) {
  WAYSEAL_TRY(ready());
  if (session_open.empty() || session_open.size() > kSessionOpenMax || find(session) != nullptr) {
    return Status::kInvalidArgument;
  }
  drop_finished();
  make_room_for_session();
  // The checkpoint fixes where the session before has ended, and lets an older one go before the new one comes.
  const uint32_t size = log_.footprint(static_cast<uint32_t>(session_open.size()));
  if (log_.has_room(log_.footprint(checkpoint_size()) + size)) {
    WAYSEAL_TRY(write_checkpoint());
    WAYSEAL_TRY(sync_medium());
  } else {
    WAYSEAL_TRY(roll());
  }
  LogEntry entry;
  entry.kind = LogKind::kSessionOpen;
  entry.session = session;
  unsynced_ = true;
  WAYSEAL_TRY(log_.append(entry, session_open));
  WAYSEAL_TRY(sync_medium());
  add_session(session, entry.position)->open_position = entry.position;
  appendable_ = true;
  highest_ = 0;
  durable_ = 0;
  drop_finished();
  return Status::kOk;
}

Status Spool::append(const SessionId& session, uint64_t sequence, Bytes sealed) {
  WAYSEAL_TRY(ready());
  if (!is_current(session)) return Status::kBadState;
  if (sealed.empty() || sealed.size() > kRecordMax) return Status::kInvalidArgument;
  if (sequence <= highest_ || sequence > kSessionRecordsMax) return Status::kInvalidArgument;
  if (!log_.has_room(log_.footprint(static_cast<uint32_t>(sealed.size())))) WAYSEAL_TRY(roll());
  if (!is_current(session)) return Status::kBadState;  // its SessionOpen was found damaged

  LogEntry entry;
  entry.session = session;
  entry.sequence = static_cast<uint32_t>(sequence);
  unsynced_ = true;
  Status status = log_.append(entry, sealed);
  // After a failure the entry may be on the medium all the same. Whole, it is accepted, for else its content would be stored
  // a second time under another number. With a payload that is not, it is damaged, and found to be when it is read.
  if (status != Status::kOk && entry.position != 0 && log_.intact(entry).value_or(false)) status = Status::kOk;
  if (entry.position != 0) {
    Session& current = sessions_[session_count_ - 1];
    if (current.waiting == 0) current.low = entry.position;
    ++current.waiting;
    current.waiting_bytes += entry.size;
    current.last = entry.sequence;
    highest_ = entry.sequence;
  }
  if (status == Status::kOk) ++stats_.appended;
  return status;
}

Status Spool::sync_medium() {
  const Status status = log_.sync();
  if (status != Status::kOk) {
    failed_ = true;
    return status;
  }
  ++stats_.syncs;
  unsynced_ = false;
  if (appendable_) durable_ = sessions_[session_count_ - 1].last;
  return Status::kOk;
}

// Bookkeeping is written where there is room for it; it is never worth a new segment, which writes it anyhow.
Status Spool::sync() {
  WAYSEAL_TRY(ready());
  const bool due = ledger_dirty_ || unmarked_ >= kUnmarkedMax;
  if (due && log_.has_room(log_.footprint(checkpoint_size()))) WAYSEAL_TRY(write_checkpoint());
  return unsynced_ ? sync_medium() : Status::kOk;
}

Status Spool::probe() {
  WAYSEAL_TRY(ready());
  if (!log_.has_room(log_.footprint(checkpoint_size()))) return roll();
  WAYSEAL_TRY(write_checkpoint());
  return sync_medium();
}

Status Spool::flush() {
  WAYSEAL_TRY(ready());
  if (marks_dirty_ || ledger_dirty_) {
    const bool free_segment = log_.head() + 3 <= tail_ + log_.segment_count();
    if (log_.has_room(log_.footprint(checkpoint_size()))) {
      WAYSEAL_TRY(write_checkpoint());
    } else if (free_segment) {
      WAYSEAL_TRY(roll());
    }
  }
  return unsynced_ ? sync_medium() : Status::kOk;
}

// Goes on to the next segment. That one is dead already; the one behind it is given up now, in memory first and
// then by the checkpoint, so that a power cut leaves either all of it alive or all of it accounted for.
Status Spool::roll() {
  const SegmentLog::Place before = log_.place();
  log_.restore(before);  // nothing more goes into the old head, even when the new one cannot be made
  const uint64_t next = before.head + 1;
  if (before.head != 0 && next + 2 > tail_ + log_.segment_count()) {
    WAYSEAL_TRY(release_up_to(next + 2 - log_.segment_count()));
  }
  drop_finished();
  const Status status = build_segment();
  if (status != Status::kOk) {
    log_.restore(before);
    if (before.head == 0) tail_ = 0;
    return status;
  }
  return find_carried_opens();
}

Status Spool::build_segment() {
  unsynced_ = true;
  WAYSEAL_TRY(log_.start_segment());
  ++stats_.segments_started;
  if (tail_ == 0) tail_ = log_.head();
  WAYSEAL_TRY(carry_opens());
  WAYSEAL_TRY(write_checkpoint());
  return sync_medium();
}

// Those that records need come first, for room may run short.
Status Spool::carry_opens() {
  WAYSEAL_TRY(carry_opens(Carry::kNeeded));
  return carry_opens(Carry::kEmpty);
}

Status Spool::carry_opens(Carry which) {
  for (size_t i = session_count_; i > 0; --i) {
    Session& session = sessions_[i - 1];
    const bool needed = session.waiting > 0 || i == session_count_;
    if (needed != (which == Carry::kNeeded)) continue;
    if (session.open_position == 0 || session.open_position >= tail_position()) continue;
    LogEntry entry;
    const Status status = read_open_header(session, entry);
    if (status == Status::kNotFound) {
      lose_open(session);
      continue;
    }
    if (status != Status::kOk) return status;
    const Result<bool> whole = log_.intact(entry);
    if (!whole.ok()) return whole.status();
    if (!whole.value()) {
      lose_open(session);
      continue;
    }
    if (log_.has_room(log_.footprint(entry.size) + log_.footprint(spool_format::kCheckpointMax))) {
      WAYSEAL_TRY(log_.append_copy(entry));
    } else {
      give_up(session, LossCause::kEvicted);
    }
  }
  return Status::kOk;
}

Status Spool::find_carried_opens() {
  uint64_t position = log_.start_of(log_.head());
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = log_.step(position, log_.end(), entry)) == Status::kOk) {
    Session* session = entry.kind == LogKind::kSessionOpen ? find(entry.session) : nullptr;
    if (session != nullptr) session->open_position = entry.position;
  }
  return status == Status::kNotFound ? Status::kOk : status;
}

Status Spool::release_up_to(uint64_t segment) {
  while (tail_ < segment) WAYSEAL_TRY(release_segment());
  return Status::kOk;
}

// Gives up the oldest segment: what waits in it becomes a loss.
Status Spool::release_segment() {
  const uint64_t limit = log_.start_of(tail_ + 1);
  uint64_t position = tail_position();
  LogEntry entry;
  Status status = Status::kOk;
  while ((status = log_.step(position, limit, entry)) == Status::kOk) {
    Session* session = entry.kind == LogKind::kRecord ? find(entry.session) : nullptr;
    if (session == nullptr || entry.sequence <= session->accounted || entry.sequence > session->last) continue;
    if (entry.sequence > session->accounted + 1) note_gap(*session, session->accounted + 1, entry.sequence - 1);
    if (is_waiting(*session, entry.sequence)) {
      add_loss(session->id, entry.sequence, entry.sequence, 1, LossCause::kEvicted);
      if (ledger_.report_is(session->id, entry.sequence)) ledger_.report_lost();
      no_longer_waiting(*session, 1, entry.size);
    }
    session->accounted = entry.sequence;
  }
  if (status != Status::kNotFound) return status;
  ++tail_;
  for (size_t i = 0; i < session_count_; ++i) {
    Session& session = sessions_[i];
    if (session.low < tail_position()) session.low = tail_position();
    if (session.accounted >= session.last) no_longer_waiting(session, session.waiting, session.waiting_bytes);
  }
  return Status::kOk;
}

uint64_t Spool::first_position() const {
  uint64_t first = log_.end();
  for (size_t i = 0; i < session_count_; ++i) {
    const Session& session = sessions_[i];
    const bool open_waits = session.open_position != 0 && !session.open_acked;
    if (session.waiting > 0 && session.low < first) first = session.low;
    if (open_waits && session.open_position < first) first = session.open_position;
  }
  return first;
}

Status Spool::read_open_header(const Session& session, LogEntry& out) const {
  uint64_t position = session.open_position;
  if (position == 0) return Status::kNotFound;
  WAYSEAL_TRY(log_.step(position, log_.end(), out));
  const bool found = out.position == session.open_position && out.kind == LogKind::kSessionOpen;
  return found && out.session == session.id ? Status::kOk : Status::kNotFound;
}

Status Spool::give_open(Session& session, uint32_t cursor, SpoolEntry& out) {
  LogEntry entry;
  const Status status = read_open_header(session, entry);
  if (status == Status::kNotFound) lose_open(session);
  if (status != Status::kOk) return status;
  session.open_given = cursor;
  describe(entry, out);
  return Status::kOk;
}

// Gives `entry`, or first the SessionOpen that it needs. kNotFound when neither is to be given.
Status Spool::give(Session& session, const LogEntry& entry, SpoolCursor& cursor, SpoolEntry& out) {
  const bool open_due = session.open_position != 0 && !session.open_acked && session.open_given != cursor.id;
  if (entry.kind == LogKind::kSessionOpen) {
    return open_due && session.open_position == entry.position ? give_open(session, cursor.id, out)
                                                               : Status::kNotFound;
  }
  if (entry.kind != LogKind::kRecord || !is_waiting(session, entry.sequence)) return Status::kNotFound;
  if (open_due) {
    const Status status = give_open(session, cursor.id, out);
    if (status == Status::kOk) cursor.position = entry.position;  // the record comes next
    return status;
  }
  describe(entry, out);
  return Status::kOk;
}

Status Spool::next(SpoolCursor& cursor, SpoolEntry& out) {
  if (!mounted_) return Status::kBadState;
  if (cursor.id == 0) {
    cursor.id = ++cursors_;
    cursor.position = first_position();
  }
  if (cursor.position < tail_position()) cursor.position = tail_position();
  LogEntry entry;
  while (true) {
    WAYSEAL_TRY(log_.step(cursor.position, log_.end(), entry));
    Session* session = find(entry.session);
    if (session == nullptr) continue;
    const Status status = give(*session, entry, cursor, out);
    if (status != Status::kNotFound) return status;
  }
}

Status Spool::find_open(const SessionId& session, SpoolEntry& out) const {
  if (!mounted_) return Status::kBadState;
  const Session* found = find(session);
  if (found == nullptr) return Status::kNotFound;
  LogEntry entry;
  WAYSEAL_TRY(read_open_header(*found, entry));
  describe(entry, out);
  return Status::kOk;
}

Status Spool::read(const SpoolEntry& entry, MutableBytes out) {
  if (!mounted_) return Status::kBadState;
  if (out.size() < entry.size) return Status::kBufferTooSmall;
  if (entry.position < tail_position() || entry.position >= log_.end()) return Status::kNotFound;
  LogEntry place;
  place.position = entry.position;
  place.sequence = static_cast<uint32_t>(entry.sequence);
  place.size = entry.size;
  const Status status = log_.read(place, 0, out.first(entry.size));
  if (status == Status::kOk && log::crc32c(0, out.first(entry.size)) == entry.check) return Status::kOk;
  if (status != Status::kOk && status != Status::kMalformed) return status;
  Session* session = find(entry.session);
  if (session == nullptr) return Status::kMalformed;
  if (entry.kind == SpoolEntryKind::kSessionOpen) {
    lose_open(*session);
  } else {
    give_up_record(*session, place, LossCause::kDamaged);
    drop_finished();
  }
  return Status::kMalformed;
}

Result<uint64_t> Spool::last_durable(const SessionId& session) const {
  const Session* found = find(session);
  if (found == nullptr) return Status::kNotFound;
  return is_current(session) ? durable_ : found->last;
}

SpoolStats Spool::stats() const {
  SpoolStats stats = stats_;
  stats.sessions = static_cast<uint32_t>(session_count_);
  for (size_t i = 0; i < session_count_; ++i) {
    stats.waiting_records += sessions_[i].waiting;
    stats.waiting_bytes += sessions_[i].waiting_bytes;
  }
  return stats;
}

}  // namespace wayseal
