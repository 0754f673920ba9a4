// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/sealer.hpp"

#include "wayseal/seal/refusal.hpp"

namespace wayseal {
namespace {

// StateItem::kPreviousSession: the session opened last, then the one before it, if there was one. Both, because
// the value is written before the SessionOpen is durable: if that never was, the one before is the previous
// session still.
constexpr size_t kOnePrevious = SessionId::kSize;
constexpr size_t kTwoPrevious = 2 * SessionId::kSize;

constexpr uint8_t kSealFailuresMax = 3;

SessionId session_at(const uint8_t* bytes) {
  SessionId id;
  std::memcpy(id.data, bytes, SessionId::kSize);
  return id;
}

// What no retry of the same prekeys can mend.
bool means_no_prekey(Status status) {
  return next_step(status) == NextStep::kDropInput && status != Status::kUnsupported;
}

bool same_offset(const UtcOffset& a, const UtcOffset& b) {
  return a.quality == b.quality && a.utc_offset_us == b.utc_offset_us && a.continuity == b.continuity;
}

bool same_drops(const BusLoss& a, const BusLoss& b) {
  return a.frames_dropped == b.frames_dropped && a.error_frames == b.error_frames &&
         a.bus_off_events == b.bus_off_events && a.down_events == b.down_events;
}

}  // namespace

Sealer::Sealer(const SealerParts& parts, const SealerConfig& config)
    : parts_(parts),
      config_(config),
      openings_(parts.state, parts.prekeys),
      session_(parts.vault, parts.clock, openings_, parts.identity) {}

Status Sealer::check_config() const {
  const bool positive = config_.sync_interval_ms > 0 && config_.sync_bytes > 0 &&
                        config_.loss_report_interval_ms > 0 && config_.records_per_step > 0 &&
                        config_.refused_wait_ms > 0 && config_.retry_min_ms > 0 &&
                        config_.retry_max_ms >= config_.retry_min_ms;
  if (!positive || parts_.workspace.size() < kSealerWorkspace) return Status::kInvalidArgument;
  return check_policy(config_.policy, known_suites());
}

Status Sealer::step(MonotonicTime now) {
  WAYSEAL_TRY(check_config());
  if (denied_) return Status::kDenied;
  publish_time();
  if (now < retry_at_ && !new_prekeys()) {
    if (!spool_failed_) static_cast<void>(sync_if_due(now));
    return stats_.last_failure;
  }
  Status status = work(now, config_.records_per_step);
  if (status == Status::kOk) status = report_losses(now, ReportWhen::kWhenDropped);
  if (!spool_failed_) {
    const Status synced = sync_if_due(now);
    if (status == Status::kOk) status = synced;
  }
  if (status == Status::kOk) status = keep_time(now);
  // A session that ended in the middle is no failure: the next step opens another.
  if (status == Status::kExhausted) return Status::kWouldBlock;
  if (status != Status::kOk) return fail(status, now);
  retry_ms_ = 0;
  retry_at_ = {};  // new prekeys may have ended a wait early
  stats_.last_failure = Status::kOk;
  return parts_.own_queue.size() + parts_.bus_queue.size() > 0 ? Status::kWouldBlock : Status::kOk;
}

Status Sealer::prepare_sleep(MonotonicTime deadline) {
  WAYSEAL_TRY(check_config());
  if (denied_) return Status::kDenied;
  Status status = Status::kOk;
  bool retried = false;
  while (status == Status::kOk && parts_.own_queue.size() + parts_.bus_queue.size() > 0) {
    const MonotonicTime now = parts_.clock.now();
    if (deadline <= now) {
      status = Status::kTimeout;
      break;
    }
    status = work(now, 1);
    if (status == Status::kExhausted) status = Status::kOk;
    if (status == Status::kTokenLost && !retried) {
      retried = true;
      static_cast<void>(fail(status, now));
      status = Status::kOk;  // the next round opens the token again
    }
  }
  if (status == Status::kOk) status = report_losses(parts_.clock.now(), ReportWhen::kWhenChanged);
  if (status != Status::kOk && status != Status::kTimeout) static_cast<void>(fail(status, parts_.clock.now()));
  const Status stored = spool_failed_ ? Status::kStorageFailed : spool_status(parts_.spool.flush());
  const Status floor = parts_.time.keep_floor();
  unsynced_bytes_ = 0;
  if (stored != Status::kOk) return stored;
  return status == Status::kOk ? floor : status;
}

Status Sealer::set_policy(const CryptoPolicy& policy) {
  WAYSEAL_TRY(check_policy(policy, parts_.vault.capabilities().suites));
  const SessionLimits& old = config_.policy.limits;
  const bool tighter = policy.limits.records < old.records || policy.limits.bytes < old.bytes ||
                       policy.limits.age_ms < old.age_ms;
  config_.policy = policy;
  if (tighter || !policy.suites.has(session_.suite())) session_.close();
  return Status::kOk;
}

MonotonicTime Sealer::next_due(MonotonicTime now) const {
  if (denied_ || check_config() != Status::kOk) return kNever;
  const bool tells_time = parts_.bus_time != nullptr && !same_offset(current_offset(), published_);
  if (tells_time || new_prekeys()) return now;
  MonotonicTime due = next_floor_;
  if (work_waits()) due = now;
  due = later(earlier(due, report_due()), retry_at_);
  if (unsynced_bytes_ == 0 || spool_failed_) return later(due, now);
  // Syncing does not wait for a retry, unless it has been tried and was what failed.
  const MonotonicTime sync = after_ms(unsynced_since_, config_.sync_interval_ms);
  return later(sync <= now && now < retry_at_ ? due : earlier(due, sync), now);
}

// What `work` would do now.
bool Sealer::work_waits() const {
  return token_lost_ || spool_failed_ || parts_.spool.ready() != Status::kOk || session_needed();
}

MonotonicTime Sealer::report_due() const {
  Reported current;
  current_losses(current);
  const bool any = parts_.spool.losses_unreported() || drops_changed(current, ReportWhen::kWhenDropped);
  return any ? next_report_ : kNever;
}

UtcOffset Sealer::current_offset() const {
  const uint64_t continuity = parts_.clock.continuity();
  const Result<int64_t> utc_offset_us = parts_.time.utc_offset_us();
  if (!utc_offset_us.ok()) return {TimeQuality::kUntrusted, 0, continuity};
  return {TimeQuality::kTrusted, utc_offset_us.value(), continuity};
}

void Sealer::publish_time() {
  const UtcOffset offset = current_offset();
  if (parts_.bus_time == nullptr || same_offset(offset, published_)) return;
  parts_.bus_time->publish(offset);
  published_ = offset;
}

// A session is needed to seal, and to open the acks of what an earlier life of this program left in the spool.
bool Sealer::session_needed() const {
  if (parts_.own_queue.size() + parts_.bus_queue.size() > 0) return true;
  const SessionState state = session_.state();
  const bool opens_acks = state == SessionState::kAlive || state == SessionState::kSpent;
  return !opens_acks && parts_.spool.stats().waiting_records > 0;
}

Status Sealer::work(MonotonicTime now, uint32_t records) {
  WAYSEAL_TRY(recover());
  if (!session_needed()) return Status::kOk;
  WAYSEAL_TRY(ensure_session());
  WAYSEAL_TRY(drain(parts_.own_queue, now, records));
  return drain(parts_.bus_queue, now, records);
}

Status Sealer::ensure_session() {
  switch (session_.state()) {
    case SessionState::kAlive: return Status::kOk;
    case SessionState::kNone:
    case SessionState::kSpent:
    case SessionState::
        kTokenLost:  // somebody else may have opened the token again already; else `open` finds out
    case SessionState::kForked: break;
  }
  if (parts_.clock.now() < no_session_before_) return Status::kRefused;
  const PrekeyCounts counts = parts_.prekeys.counts();
  Status status = Status::kNotFound;
  // Without a prekey a spent session stays: it opens acks still.
  if (counts.one_time > 0 || counts.last_resort) status = open_session();
  wants_prekeys_ = means_no_prekey(status);
  bundles_seen_ = parts_.prekeys.bundles_stored();
  return wants_prekeys_ ? Status::kNotFound : status;
}

Status Sealer::open_session() {
  // Whatever the session before sealed is durable first, so that its last durable sequence is its last one. No prekey
  // is spent on a spool that cannot be written.
  WAYSEAL_TRY(spool_status(spool_doubtful_ ? parts_.spool.probe() : parts_.spool.sync()));
  spool_doubtful_ = false;
  PreviousSession previous;
  WAYSEAL_TRY(previous_session(previous));
  size_t size = 0;
  WAYSEAL_TRY(session_.open(config_.policy, previous, scratch(), size));
  Status status = remember_session(previous);
  if (status == Status::kOk) {
    status = spool_status(parts_.spool.append_open(session_.id(), scratch().first(size)));
  }
  if (status != Status::kOk) {
    session_.close();
    return status;
  }
  ++stats_.sessions_opened;
  seal_failures_ = 0;
  unsynced_bytes_ = 0;
  return Status::kOk;
}

Status Sealer::previous_session(PreviousSession& previous) const {
  previous = {};
  uint8_t bytes[kTwoPrevious];
  const Result<size_t> size = parts_.state.get(StateItem::kPreviousSession, bytes);
  if (size.status() == Status::kNotFound) return Status::kOk;
  if (!size.ok()) return size.status();
  if (size.value() != kOnePrevious && size.value() != kTwoPrevious) return Status::kStorageFailed;
  SessionId id = session_at(bytes);
  Result<uint64_t> last = parts_.spool.last_durable(id);
  if (last.status() == Status::kNotFound) {
    // Its SessionOpen never became durable, so nobody has heard of it.
    if (size.value() == kOnePrevious) return Status::kOk;
    id = session_at(bytes + SessionId::kSize);
    last = parts_.spool.last_durable(id);
  }
  if (!last.ok() && last.status() != Status::kNotFound) return last.status();
  previous = {PreviousSession::Known::kYes, id, last.value_or(0)};
  return Status::kOk;
}

Status Sealer::remember_session(const PreviousSession& previous) {
  uint8_t bytes[kTwoPrevious];
  std::memcpy(bytes, session_.id().data, SessionId::kSize);
  size_t size = kOnePrevious;
  if (previous.known == PreviousSession::Known::kYes) {
    std::memcpy(bytes + size, previous.id.data, SessionId::kSize);
    size = kTwoPrevious;
  }
  return parts_.state.put(StateItem::kPreviousSession, Bytes{bytes, size});
}

Status Sealer::drain(RecordQueue& queue, MonotonicTime now, uint32_t& records) {
  QueuedContent waiting;
  while (records > 0 && queue.front(waiting)) {
    --records;
    SealedRecord record;
    const Status status = seal_and_store(waiting.content, now, record);
    const bool unsealable = next_step(status) == NextStep::kFixCall && record.sequence == 0;
    if (unsealable && session_.state() == SessionState::kAlive) {
      ++stats_.contents_dropped;
    } else if (status != Status::kOk) {
      return status;  // it stays in the queue, for the next session or the next try
    } else {
      stats_.samples_sealed += waiting.samples;
    }
    queue.pop();
  }
  return Status::kOk;
}

Status Sealer::seal_and_store(Bytes content, MonotonicTime now, SealedRecord& record) {
  Status status = session_.seal(content, scratch(), record);
  if (status == Status::kOk) {
    status = spool_status(parts_.spool.append(session_.id(), record.sequence, scratch().first(record.size)));
    // The session was refused behind our back: an ack or refusal came between two records.
    if (status == Status::kBadState) {
      session_.close();
      status = Status::kExhausted;
    }
  }
  if (status != Status::kOk) {
    if (record.sequence == 0) return status;
    parts_.spool.note_void(session_.id(), record.sequence);
    ++stats_.voids;
    // Keys that fail again and again without a lost token are given up.
    if (++seal_failures_ >= kSealFailuresMax) session_.close();
    return status;
  }
  seal_failures_ = 0;
  ++stats_.records_sealed;
  stats_.content_bytes += content.size();
  stats_.sealed_bytes += record.size;
  if (unsynced_bytes_ == 0) unsynced_since_ = now;
  unsynced_bytes_ += record.size;
  return Status::kOk;
}

Status Sealer::sync_if_due(MonotonicTime now) {
  if (unsynced_bytes_ == 0) return Status::kOk;
  const bool due =
      unsynced_bytes_ >= config_.sync_bytes || ms_between(unsynced_since_, now) >= config_.sync_interval_ms;
  if (!due) return Status::kOk;
  WAYSEAL_TRY(spool_status(parts_.spool.sync()));
  unsynced_bytes_ = 0;
  return Status::kOk;
}

Status Sealer::keep_time(MonotonicTime now) {
  if (now < next_floor_) return Status::kOk;
  next_floor_ = after_ms(now, kMsPerDay);
  return parts_.time.keep_floor();
}

Status Sealer::report_losses(MonotonicTime now, ReportWhen when) {
  if (when == ReportWhen::kWhenDropped && now < next_report_) return Status::kOk;
  Reported current;
  current_losses(current);
  if (!parts_.spool.losses_unreported() && !drops_changed(current, when)) return Status::kOk;
  WAYSEAL_TRY(recover());
  WAYSEAL_TRY(ensure_session());
  LossSnapshot snapshot;
  Bytes content;
  WAYSEAL_TRY(compose_report(current, snapshot, content));
  SealedRecord record;
  WAYSEAL_TRY(seal_and_store(content, now, record));
  parts_.spool.losses_reported(snapshot.token, session_.id(), record.sequence);
  reported_ = current;
  next_report_ = after_ms(now, config_.loss_report_interval_ms);
  ++stats_.loss_reports;
  return Status::kOk;
}

Status Sealer::compose_report(const Reported& current, LossSnapshot& snapshot, Bytes& content) {
  if (loss_epoch_ == 0) {
    uint8_t epoch[8];
    WAYSEAL_TRY(parts_.vault.random(epoch));
    loss_epoch_ = load_le64(epoch) | 1U;
  }
  LossRange ranges[kLossRangesInReport];
  snapshot = parts_.spool.losses(ranges);
  LossReport report;
  report.ranges = {ranges, snapshot.count};
  report.buses = {current.buses, current.bus_count};
  report.batches_dropped = current.batches_dropped;
  report.samples_dropped = current.samples_dropped;
  report.epoch = loss_epoch_;
  size_t coded = 0;
  const Result<size_t> size = encode_loss_report(report, report_area().from(kContentHeaderSize), coded);
  if (!size.ok()) return size.status();
  const Result<size_t> framed = frame_content(ContentType::kLossReport, size.value(), report_area());
  if (!framed.ok()) return framed.status();
  content = report_area().first(framed.value());
  return coded == snapshot.count ? Status::kOk : Status::kBufferTooSmall;
}

void Sealer::current_losses(Reported& current) const {
  current = reported_;
  current.batches_dropped = stats_.contents_dropped;
  if (parts_.recorder == nullptr) return;
  const uint8_t buses = parts_.recorder->bus_count();
  for (uint8_t i = 0; i < buses && i < kBusesMax; ++i) {
    BusSnapshot snapshot;
    // While it is being replaced, what was reported last still holds.
    if (!parts_.recorder->bus(i, snapshot)) continue;
    current.buses[i] = bus_loss(i, snapshot);
    if (current.bus_count <= i) current.bus_count = i + size_t{1};
  }
  CollectorStats stats;
  if (!parts_.recorder->stats(stats)) {
    current.batches_dropped = reported_.batches_dropped;
    return;
  }
  current.samples_dropped = stats.samples_dropped;
  current.batches_dropped += stats.batches_dropped;
}

bool Sealer::drops_changed(const Reported& current, ReportWhen when) const {
  if (current.samples_dropped != reported_.samples_dropped) return true;
  if (current.batches_dropped != reported_.batches_dropped) return true;
  for (size_t i = 0; i < current.bus_count; ++i) {
    const BusLoss& now = current.buses[i];
    const BusLoss& before = reported_.buses[i];
    if (!same_drops(now, before)) return true;
    const bool changed = now.frames != before.frames || now.frames_unknown != before.frames_unknown;
    if (when == ReportWhen::kWhenChanged && changed) return true;
  }
  return false;
}

// Notes that the spool must be mounted again; its failure may have come out of any of its calls.
Status Sealer::spool_status(Status status) {
  if (status == Status::kStorageFailed) spool_failed_ = true;
  if (status == Status::kStorageFailed || status == Status::kFull) spool_doubtful_ = true;
  return status;
}

Status Sealer::fail(Status status, MonotonicTime now) {
  stats_.last_failure = status;
  if (status == Status::kTokenLost) token_lost_ = true;
  if (status == Status::kDenied) denied_ = true;
  retry_at_ = after_ms(now, retry_ms_);
  retry_ms_ = retry_ms_ == 0 ? config_.retry_min_ms : retry_ms_ * 2;
  if (retry_ms_ > config_.retry_max_ms) retry_ms_ = config_.retry_max_ms;
  return status;
}

Status Sealer::reopen_token() {
  WAYSEAL_TRY(parts_.vault.reopen());
  session_.close();
  token_lost_ = false;
  ++stats_.token_reopens;
  return Status::kOk;
}

Status Sealer::recover() {
  if (token_lost_) WAYSEAL_TRY(reopen_token());
  // The Courier syncs as well.
  if (parts_.spool.ready() != Status::kOk) static_cast<void>(spool_status(Status::kStorageFailed));
  if (spool_failed_) {
    // Nothing since the last sync counts as durable. A new session tells the backend where this one ended.
    session_.close();
    WAYSEAL_TRY(parts_.spool.mount());
    spool_failed_ = false;
    unsynced_bytes_ = 0;
    ++stats_.spool_remounts;
  }
  return Status::kOk;
}

Status Sealer::ack_session(SessionId& session) const {
  const SessionState state = session_.state();
  if (state != SessionState::kAlive && state != SessionState::kSpent) return Status::kBadState;
  session = session_.id();
  return Status::kOk;
}

Status Sealer::take_ack(Bytes sealed) {
  const Status status = apply_ack(sealed);
  if (status == Status::kOk) ++stats_.acks;
  if (next_step(status) == NextStep::kDropInput) ++stats_.acks_rejected;
  return status;
}

Status Sealer::apply_ack(Bytes sealed) {
  Bytes payload;
  WAYSEAL_TRY(session_.open_ack(sealed, scratch(), payload));
  SessionAck entry;
  AckReader check(payload);
  Status status = check.next(entry);
  for (; status == Status::kOk; status = check.next(entry)) {
    if (entry.session == session_.id() && entry.highest() > session_.last_sequence()) return Status::kMalformed;
  }
  if (status != Status::kNotFound) return status;
  AckReader apply(payload);
  while (apply.next(entry) == Status::kOk) {
    status = spool_status(parts_.spool.settle(entry.session, entry.contiguous, entry.bitmap()));
    if (status != Status::kOk && status != Status::kNotFound) return status;
  }
  return Status::kOk;
}

Status Sealer::take_refusal(Bytes message) {
  const Status status = apply_refusal(message);
  if (status == Status::kOk) ++stats_.refusals;
  if (next_step(status) == NextStep::kDropInput && status != Status::kNotFound) ++stats_.refusals_rejected;
  return status;
}

Status Sealer::apply_refusal(Bytes message) {
  Refusal refusal;
  WAYSEAL_TRY(verify_refusal(message, parts_.time, parts_.identity, refusal));
  const SessionId session = session_id_of(refusal.th);
  SpoolEntry entry;
  WAYSEAL_TRY(parts_.spool.find_open(session, entry));
  WAYSEAL_TRY(parts_.spool.read(entry, scratch()));
  WAYSEAL_TRY(refusal_fits(refusal, scratch().first(entry.size), parts_.identity.id()));
  WAYSEAL_TRY(parts_.spool.refuse(session));
  if (session_.state() != SessionState::kNone && session == session_.id()) {
    session_.close();
    no_session_before_ = after_ms(parts_.clock.now(), config_.refused_wait_ms);
  }
  return Status::kOk;
}

}  // namespace wayseal
