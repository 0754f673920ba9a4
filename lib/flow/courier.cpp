// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/courier.hpp"

namespace wayseal {
namespace {

constexpr uint32_t kUploadBytesMin = 1024;
constexpr uint32_t kUploadBytesMax = 240 * 1024;
constexpr int64_t kRefreshesADay = 24;
constexpr uint8_t kFailuresMax = 40;
constexpr std::string_view kPrekeysPath = "/v1/prekeys";
constexpr std::string_view kRecordsPath = "/v1/records";
constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kProtobuf = "application/x-protobuf";

/// first * 2^times, at most `most`.
int64_t doubled(int64_t first, unsigned times, int64_t most) {
  int64_t value = first;
  for (unsigned i = 0; i < times && value < most; ++i) value *= 2;
  return value < most ? value : most;
}

bool refuses_us(Status status) { return status == Status::kRefused || status == Status::kNotAuthentic; }

}  // namespace

Courier::Courier(const CourierParts& parts, const CourierConfig& config)
    : parts_(parts),
      config_(config),
      exchange_(parts.channel, config.http),
      upload_bytes_(config.upload_bytes) {}

bool Courier::valid() const {
  const bool amounts = config_.upload_bytes >= kUploadBytesMin && config_.upload_bytes <= kUploadBytesMax &&
                       parts_.workspace.size() >= kCourierWorkspace;
  const bool times = config_.linger_ms > 0 && config_.back_off_min_ms > 0 &&
                     config_.back_off_max_ms >= config_.back_off_min_ms && config_.retry_after_max_ms > 0 &&
                     config_.resend_ms > 0 && config_.idle_close_ms > 0 && config_.refresh_ms > 0;
  return amounts && times;
}

Status Courier::step(MonotonicTime now) {
  if (!valid()) return Status::kInvalidArgument;
  if (denied_) return Status::kDenied;
  look_at_spool(now);
  const State before = state_;
  const uint64_t wire_before = parts_.channel.wire_bytes();
  Status status = Status::kOk;
  switch (before) {
    case State::kIdle: status = step_idle(now); break;
    case State::kConnecting: status = step_connecting(now); break;
    case State::kReady: status = step_ready(now); break;
    case State::kToken:
    case State::kPrekeys:
    case State::kUpload: status = step_exchange(now); break;
  }
  if (status != Status::kOk) return status;
  const bool moved = state_ != before || parts_.channel.wire_bytes() != wire_before;
  return moved ? Status::kWouldBlock : Status::kOk;
}

void Courier::hang_up() {
  if (state_ == State::kUpload) start_over();
  drop_connection();
  retry_at_ = {};
}

void Courier::refresh_prekeys() {
  prekeys_again_at_ = {};
  refresh_low_at_ = {};
  refresh_at_ = {};
}

bool Courier::resting(MonotonicTime now) const {
  if (state_ != State::kIdle && state_ != State::kReady) return false;
  return now < retry_at_ || need(now) == Need::kNothing;
}

CourierStats Courier::stats() const {
  CourierStats out = stats_;
  out.wire_bytes = parts_.channel.wire_bytes();
  return out;
}

Courier::Need Courier::need(MonotonicTime now) const {
  const bool prekeys = prekeys_due(now);
  const bool upload = upload_due(now);
  // By turns, so that neither route can starve the other while it fails.
  if (prekeys && upload) return last_need_ == Need::kPrekeys ? Need::kUpload : Need::kPrekeys;
  if (prekeys) return Need::kPrekeys;
  return upload ? Need::kUpload : Need::kNothing;
}

MonotonicTime Courier::next_due(MonotonicTime now) const {
  if (denied_ || !valid()) return kNever;
  if (state_ != State::kIdle && state_ != State::kReady) return now;
  const bool spool_changed = parts_.sealer.stats().spool_remounts != seen_remounts_ ||
                             (at_end_ && !lingering_ && parts_.spool.stats().appended != seen_appended_);
  if (spool_changed) return now;
  MonotonicTime due = later(earlier(next_prekeys(), next_upload(now)), retry_at_);
  if (state_ == State::kReady) due = earlier(due, after_ms(idle_since_, config_.idle_close_ms));
  return later(due, now);
}

bool Courier::prekeys_due(MonotonicTime now) const { return next_prekeys() <= now; }

MonotonicTime Courier::next_prekeys() const {
  if (!parts_.time.trusted() || parts_.sealer.wants_prekeys()) return prekeys_again_at_;
  const PrekeyCounts counts = parts_.prekeys.counts();
  const bool low = counts.one_time < config_.prekeys_low || !counts.last_resort;
  return later(prekeys_again_at_, low ? earlier(refresh_low_at_, refresh_at_) : refresh_at_);
}

bool Courier::upload_due(MonotonicTime now) const { return next_upload(now) <= now; }

MonotonicTime Courier::next_upload(MonotonicTime now) const {
  SessionId session;
  if (!parts_.time.trusted() || parts_.sealer.ack_session(session) != Status::kOk) return kNever;
  const SpoolStats spool = parts_.spool.stats();
  if (spool.waiting_records == 0) return kNever;
  if (!at_end_ || holds_) return now;
  MonotonicTime due = resend_armed_ ? resend_at_ : kNever;
  if (spool.appended == seen_appended_) return due;
  if (spool.waiting_bytes >= config_.upload_bytes) return now;
  return lingering_ ? earlier(due, linger_until_) : due;
}

void Courier::look_at_spool(MonotonicTime now) {
  const uint32_t remounts = parts_.sealer.stats().spool_remounts;
  if (remounts != seen_remounts_) {
    seen_remounts_ = remounts;
    start_over();
  }
  if (lingering_ || !at_end_ || parts_.spool.stats().appended == seen_appended_) return;
  lingering_ = true;
  linger_until_ = after_ms(now, config_.linger_ms);
}

// Everything that waits has been sent once the cursor is at the end. What still waits then, and is not new, was
// not acknowledged.
void Courier::watch_unsettled(MonotonicTime now) {
  if (!at_end_) return;
  const SpoolStats spool = parts_.spool.stats();
  const uint64_t unseen = spool.appended - seen_appended_;
  if (spool.waiting_records <= unseen) {
    resend_armed_ = false;
    return;
  }
  if (resend_armed_) return;
  const uint64_t freed = spool.settled + spool.refused + spool.evicted + spool.damaged;
  const bool stuck = resend_ms_ > 0 && freed == settled_at_arming_;
  resend_ms_ = doubled(stuck ? resend_ms_ : config_.resend_ms, stuck ? 1 : 0, config_.back_off_max_ms);
  settled_at_arming_ = freed;
  resend_armed_ = true;
  resend_at_ = after_ms(now, resend_ms_);
}

void Courier::start_over() {
  cursor_ = {};
  holds_ = false;
  at_end_ = false;
  resend_armed_ = false;
  open_skipped_ = false;
  lingering_ = false;
}

Status Courier::step_idle(MonotonicTime now) {
  if (now < retry_at_) return stats_.last_failure;
  if (need(now) == Need::kNothing) return Status::kOk;
  // The Sealer may have met the same loss and opened the token again: a second time would cost its new session.
  if (token_lost_ && parts_.sealer.stats().token_reopens != seen_reopens_) token_lost_ = false;
  if (token_lost_) {
    const Status reopened = parts_.sealer.reopen_token();
    if (reopened == Status::kDenied) denied_ = true;
    if (reopened != Status::kOk) return back_off(reopened, Severity::kUsual, now);
    token_lost_ = false;
  }
  const CertificateDates dates = parts_.time.dates();
  dates_judged_ = dates.check == CertificateDates::Check::kAgainst;
  const Status status = parts_.channel.open(dates);
  if (status != Status::kOk) return connection_failed(status, now);
  state_ = State::kConnecting;
  return Status::kOk;
}

Status Courier::step_connecting(MonotonicTime now) {
  const Status status = parts_.channel.progress();
  if (status == Status::kWouldBlock) return Status::kOk;
  if (status != Status::kOk) return connection_failed(status, now);
  ++stats_.connections;
  state_ = State::kReady;
  requests_on_connection_ = 0;
  idle_since_ = now;
  return step_ready(now);
}

Status Courier::step_ready(MonotonicTime now) {
  const bool waiting = now < retry_at_;
  const Need next = need(now);
  if (waiting || next == Need::kNothing) {
    if (ms_between(idle_since_, now) >= config_.idle_close_ms) drop_connection();
    return waiting ? stats_.last_failure : Status::kOk;
  }
  // Without trusted time a connection is good for prekeys only, and time may have become trusted since it was
  // made.
  if (next == Need::kUpload && !dates_judged_) {
    drop_connection();
    return step_idle(now);
  }
  Status failure = Status::kOk;
  if (!still_connected(failure)) {
    if (requests_on_connection_ == 0) return connection_failed(failure, now);
    drop_connection();  // It ended while nobody used it: no failure.
    return step_idle(now);
  }
  if (wants_token(now)) return start_token(now);
  last_need_ = next;
  return next == Need::kPrekeys ? start_prekeys(now) : start_upload(now);
}

bool Courier::still_connected(Status& failure) {
  uint8_t unexpected = 0;
  const Result<size_t> got = parts_.channel.read({&unexpected, 1});
  failure = got.ok() ? Status::kMalformed : got.status();
  return failure == Status::kWouldBlock;
}

Status Courier::step_exchange(MonotonicTime now) {
  const Status status = exchange_.step(now);
  if (status == Status::kWouldBlock) return Status::kOk;
  if (status != Status::kOk) return exchange_failed(status, now);
  return answered(now);
}

Status Courier::exchange_failed(Status status, MonotonicTime now) {
  stats_.payload_bytes += exchange_.body_sent();
  stats_.last_channel_failure = parts_.channel.diagnostic();
  const bool upload = state_ == State::kUpload;
  if (upload) start_over();
  // A connection that was kept alive may end just when the next request is on its way. A new one is tried at
  // once.
  const bool outlived = status == Status::kDisconnected && requests_on_connection_ > 1 && !exchange_.answered();
  drop_connection();
  if (outlived) return Status::kOk;
  // Too slow a line for the gateway's patience looks like this too. How much of the body lies in buffers yet is
  // not known.
  if (upload && (status == Status::kTimeout || status == Status::kDisconnected)) send_less();
  note_token(status);
  return back_off(status, refuses_us(status) ? Severity::kRefused : Severity::kUsual, now);
}

Status Courier::connection_failed(Status status, MonotonicTime now) {
  ++stats_.connections_failed;
  stats_.last_channel_failure = parts_.channel.diagnostic();
  drop_connection();
  note_token(status);
  return back_off(status, refuses_us(status) ? Severity::kRefused : Severity::kUsual, now);
}

Status Courier::back_off(Status status, Severity severity, MonotonicTime now) {
  ++stats_.retries;
  stats_.last_failure = status;
  int64_t limit = doubled(config_.back_off_min_ms, failures_ + 1U, config_.back_off_max_ms);
  if (severity == Severity::kRefused) limit = config_.back_off_max_ms;
  if (failures_ < kFailuresMax) ++failures_;
  const uint64_t span = static_cast<uint64_t>(limit - config_.back_off_min_ms) + 1;
  retry_at_ = after_ms(now, config_.back_off_min_ms + static_cast<int64_t>(random_below(span)));
  return status;
}

void Courier::note_token(Status status) {
  if (status != Status::kTokenLost) return;
  token_lost_ = true;
  seen_reopens_ = parts_.sealer.stats().token_reopens;
}

void Courier::drop_connection() {
  exchange_.abandon();
  parts_.channel.close();
  state_ = State::kIdle;
  requests_on_connection_ = 0;
}

// Spreads the retries of many vehicles; nothing secret hangs on it (xorshift64*, seeded by the token).
uint64_t Courier::random_below(uint64_t limit) {
  if (random_state_ == 0) {
    uint8_t seed[8];
    const bool drawn = parts_.vault.random(seed) == Status::kOk;
    random_state_ = (drawn ? load_le64(seed) : static_cast<uint64_t>(parts_.clock.now().ns)) | 1U;
  }
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return (random_state_ * 0x2545F4914F6CDD1DULL >> 16) % limit;
}

bool Courier::wants_token(MonotonicTime now) const {
  return parts_.authorization != nullptr && !parts_.authorization->good(now);
}

std::string_view Courier::bearer() const {
  return parts_.authorization != nullptr ? parts_.authorization->text() : std::string_view();
}

Status Courier::start_token(MonotonicTime now) {
  const Result<size_t> size = parts_.authorization->make_request(parts_.identity->id(), piece());
  Status status = size.status();
  plan_bytes_ = size.value_or(0);
  if (status == Status::kOk) {
    status = exchange_.start({parts_.authorization->path(), kForm, plan_bytes_, this}, reply(), now);
  }
  if (status != Status::kOk) return back_off(status, Severity::kRefused, now);
  token_asked_at_ = now;
  ++stats_.token_fetches;
  ++requests_on_connection_;
  state_ = State::kToken;
  return Status::kOk;
}

Status Courier::start_prekeys(MonotonicTime now) {
  // Set before the outcome is known, so that a route that fails does not take every turn.
  prekeys_again_at_ = after_ms(now, doubled(config_.back_off_min_ms, prekeys_streak_, config_.back_off_max_ms));
  if (prekeys_streak_ < kFailuresMax) ++prekeys_streak_;
  refresh_low_at_ = after_ms(now, config_.refresh_ms);
  refresh_at_ = refresh_low_at_;
  size_t size = 0;
  const SuiteSet suites = parts_.sealer.policy().suites & parts_.vault.capabilities().suites;
  Status status = parts_.prekey_client.make_request(suites, kPrekeysMax, piece(), size);
  note_token(status);
  plan_bytes_ = size;
  if (status == Status::kOk) {
    status = exchange_.start({kPrekeysPath, kProtobuf, plan_bytes_, this, bearer()}, reply(), now);
  }
  if (status != Status::kOk) {
    drop_connection();
    return back_off(status, Severity::kUsual, now);
  }
  ++stats_.prekey_fetches;
  ++requests_on_connection_;
  state_ = State::kPrekeys;
  return Status::kOk;
}

Status Courier::start_upload(MonotonicTime now) {
  if (resend_armed_ && resend_at_ <= now) {
    start_over();
    ++stats_.resends;
  }
  SessionId session;
  if (parts_.sealer.ack_session(session) != Status::kOk) return Status::kOk;
  // The backend must not know of a record that a power cut could still take from this vehicle.
  Status status = parts_.spool.sync();
  if (status == Status::kOk) status = plan_upload(session);
  if (status == Status::kOk && plan_count_ == 0) {
    watch_unsettled(now);
    return Status::kOk;
  }
  if (status == Status::kOk) {
    status = exchange_.start({kRecordsPath, kProtobuf, plan_bytes_, this, bearer()}, reply(), now);
  }
  if (status != Status::kOk) {
    start_over();
    return back_off(status, Severity::kUsual, now);
  }
  ++stats_.uploads;
  ++requests_on_connection_;
  state_ = State::kUpload;
  return Status::kOk;
}

Status Courier::answered(MonotonicTime now) {
  const http::Response& response = exchange_.response();
  const State request = state_;
  stats_.payload_bytes += exchange_.body_sent();
  stats_.last_http_status = response.status;
  idle_since_ = now;
  state_ = State::kReady;
  if (!response.reusable) drop_connection();
  if (response.status == 401 && parts_.authorization != nullptr && request != State::kToken) {
    if (request == State::kUpload) start_over();
    if (request == State::kPrekeys) refresh_prekeys();  // they have not been asked for yet
    return bearer_refused(now);
  }
  if (response.status == 200) {
    if (request == State::kToken) return token_answered(now);
    return request == State::kPrekeys ? prekeys_answered(now) : upload_answered(now);
  }
  if (request != State::kUpload) return refused(response.status, now);
  const bool itself = response.status == 400 || response.status == 413 || response.status == 422;
  if (itself) return too_large(now);
  if (response.status == 408) send_less();
  start_over();
  return refused(response.status, now);
}

// A new one that is refused as well costs a back-off like any refusal.
Status Courier::bearer_refused(MonotonicTime now) {
  parts_.authorization->forget();
  ++stats_.tokens_refused;
  const bool ended = bearer_proven_;
  bearer_proven_ = false;
  return ended ? Status::kOk : refused(exchange_.response().status, now);
}

Status Courier::token_answered(MonotonicTime now) {
  bearer_proven_ = false;
  const Status status = parts_.authorization->take_answer(exchange_.response().body, token_asked_at_);
  return status == Status::kOk ? status : back_off(status, Severity::kRefused, now);
}

Status Courier::prekeys_answered(MonotonicTime now) {
  PrekeysOutcome outcome;
  const Status status = parts_.prekey_client.take_reply(exchange_.response().body, outcome);
  if (status != Status::kOk) return back_off(status, Severity::kUsual, now);
  if (!parts_.time.trusted()) return back_off(outcome.time, Severity::kUsual, now);
  failures_ = 0;
  bearer_proven_ = true;
  stats_.last_failure = outcome.bundle;
  // Without a good bundle the next try is due after refresh_ms already.
  if (outcome.bundle != Status::kOk) return Status::kOk;
  ++stats_.prekey_replies;
  refresh_at_ = after_ms(now, kRefreshesADay * config_.refresh_ms);
  return Status::kOk;
}

Status Courier::upload_answered(MonotonicTime now) {
  stats_.items_sent += plan_count_;
  if (!take_reply(exchange_.response().body)) {
    ++stats_.unacked_answers;
    start_over();
    return back_off(Status::kNotAuthentic, Severity::kUsual, now);
  }
  ++stats_.uploads_acked;
  if (wanted_count_ > 0) {
    // A hint that nobody has signed: followed, at the pace of a failure.
    start_over();
    return back_off(Status::kNotFound, Severity::kUsual, now);
  }
  failures_ = 0;
  bearer_proven_ = true;
  prekeys_streak_ = 0;
  stats_.last_failure = Status::kOk;
  upload_items_ = upload_items_ * 2 < kUploadItemsMax ? upload_items_ * 2 : kUploadItemsMax;
  upload_bytes_ = upload_bytes_ < config_.upload_bytes / 2 ? upload_bytes_ * 2 : config_.upload_bytes;
  watch_unsettled(now);
  return Status::kOk;
}

Status Courier::refused(uint16_t http_status, MonotonicTime now) {
  const bool later = http_status >= 500 || http_status == 408 || http_status == 429;
  static_cast<void>(back_off(Status::kRefused, later ? Severity::kUsual : Severity::kRefused, now));
  int64_t wait_ms = static_cast<int64_t>(exchange_.response().retry_after_s) * kMsPerSecond;
  if (wait_ms > config_.retry_after_max_ms) wait_ms = config_.retry_after_max_ms;
  // On top of what was asked for, the random part: those who were sent away together shall not come back
  // together.
  if (wait_ms > 0) retry_at_ = after_ms(retry_at_, wait_ms);
  return Status::kRefused;
}

// The next upload is half of this one, down to one item; each upload that is acknowledged doubles it again.
void Courier::send_less() {
  if (plan_count_ <= 1) return;
  upload_items_ = plan_count_ / 2;
  const uint64_t half = plan_bytes_ / 2;
  upload_bytes_ = half < kUploadBytesMin ? kUploadBytesMin : static_cast<uint32_t>(half);
}

// What is wrong with one item must not hold up the others: halve until it stands alone, then leave it behind
// for now.
Status Courier::too_large(MonotonicTime now) {
  if (plan_count_ > 1) {
    send_less();
    start_over();
  } else {
    ++stats_.items_skipped;
    const SpoolEntry& item = plan_[0];
    if (item.kind == SpoolEntryKind::kSessionOpen && item.session == ack_session_) open_skipped_ = true;
    watch_unsettled(now);
  }
  return back_off(Status::kRefused, Severity::kUsual, now);
}

}  // namespace wayseal
