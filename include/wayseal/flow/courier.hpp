// SPDX-License-Identifier: Apache-2.0
/// \file
/// From the spool to the gateway and back: uploads, acks, prekeys, time. PROTOCOL.md, "Routes" and "Delivery
/// and acks".
#ifndef WAYSEAL_FLOW_COURIER_HPP
#define WAYSEAL_FLOW_COURIER_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/flow/sealer.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/http/authorization.hpp"
#include "wayseal/http/exchange.hpp"
#include "wayseal/spool/spool.hpp"
#include "wayseal/trust/prekey_client.hpp"
#include "wayseal/trust/prekey_store.hpp"
#include "wayseal/trust/time_keeper.hpp"

#ifndef WAYSEAL_UPLOAD_ITEMS_MAX
#define WAYSEAL_UPLOAD_ITEMS_MAX 64
#endif
#ifndef WAYSEAL_REPLY_MAX
#define WAYSEAL_REPLY_MAX 16384
#endif

namespace wayseal {

/// Items of one upload at most; 56 bytes of RAM each. The backend takes 1024.
inline constexpr size_t kUploadItemsMax = WAYSEAL_UPLOAD_ITEMS_MAX;
static_assert(kUploadItemsMax >= 8 && kUploadItemsMax <= 1024, "8 to 1024 items an upload");
/// Largest answer that is read, in bytes; larger ones count as failures. The protocol's limit is 16 KiB; with
/// kPrekeysMax 16 answers stay below 8 KiB.
inline constexpr size_t kReplyMax = WAYSEAL_REPLY_MAX;
static_assert(kReplyMax >= 4096, "room for a bundle of prekeys, or an ack");

/// An item's framing in an Upload at most: two tags and two lengths of up to 4 bytes.
inline constexpr size_t kUploadItemFramingMax = 10;
/// Where pieces of a request are put together: the largest single item, or a prekey request.
inline constexpr size_t kCourierPiece =
    (kRecordMax > kSessionOpenMax ? kRecordMax : kSessionOpenMax) + kUploadItemFramingMax;
static_assert(kCourierPiece >= kPrekeysRequestMax, "a prekey request fits as well");
/// Bytes of CourierParts::workspace.
inline constexpr size_t kCourierWorkspace = kCourierPiece > kReplyMax ? kCourierPiece : kReplyMax;

/// Waiting times in milliseconds, each at least 1, and amounts.
struct CourierConfig {
  /// Bytes of one upload's body, about; one item is always sent, however large. 1 KiB to 240 KiB.
  uint32_t upload_bytes = 64 * 1024;
  /// New records wait so long for others to travel with, unless upload_bytes are there.
  int64_t linger_ms = 1000;
  /// After a failure: a random time from back_off_min_ms to a limit that doubles each time ("full jitter"),
  /// from twice the minimum to back_off_max_ms. A peer that refuses us (4xx, certificates) is at the largest
  /// limit at once.
  int64_t back_off_min_ms = 1000;
  int64_t back_off_max_ms = 5 * 60 * 1000;
  /// The gateway's Retry-After is obeyed up to this.
  int64_t retry_after_max_ms = 60 * 60 * 1000;
  /// Records that an answer of 200 did not acknowledge are sent again after this time, doubled up to
  /// back_off_max_ms for as long as no record gets settled.
  int64_t resend_ms = 10 * 1000;
  /// A connection without a request is closed after this time.
  int64_t idle_close_ms = 15 * 1000;
  /// Prekeys are fetched when fewer one-time prekeys than this are left, but for that reason alone at most once
  /// in refresh_ms; and always after 24 refresh_ms, for the time and the last-resort prekey.
  uint8_t prekeys_low = 4;
  int64_t refresh_ms = 60 * 60 * 1000;
  http::Timeouts http;
};

/// What a Courier works with. All are borrowed; the sealer's spool, time and prekeys are the same objects.
struct CourierParts {
  Channel& channel;
  KeyVault& vault;
  const Clock& clock;
  Spool& spool;
  TimeKeeper& time;
  PrekeyStore& prekeys;
  PrekeyClient& prekey_client;
  Sealer& sealer;
  MutableBytes workspace;  ///< kCourierWorkspace bytes.
  /// What the gateway wants besides the certificate, and who it is for; null: nothing.
  Authorization* authorization = nullptr;
  const VehicleIdentity* identity = nullptr;
};

/// Counts since start.
struct CourierStats {
  uint64_t wire_bytes = 0;     ///< Both directions, TLS included.
  uint64_t payload_bytes = 0;  ///< Bodies of requests, as far as they were sent.
  uint64_t items_sent = 0;     ///< In uploads that got an answer, repeats included.
  uint32_t connections = 0;    ///< That came up.
  uint32_t connections_failed = 0;
  uint32_t uploads = 0;          ///< Requests begun.
  uint32_t prekey_fetches = 0;   ///< Requests begun.
  uint32_t prekey_replies = 0;   ///< Of those, answered by authentic prekeys.
  uint32_t token_fetches = 0;    ///< Requests for a credential begun.
  uint32_t tokens_refused = 0;   ///< Answers of 401 to a request that carried one.
  uint32_t uploads_acked = 0;    ///< Answered by at least one authentic ack or refusal.
  uint32_t unacked_answers = 0;  ///< Answers of 200 that released nothing.
  uint32_t retries = 0;          ///< Failures that were followed by a back-off.
  uint32_t resends = 0;          ///< Times that everything unsettled was begun anew.
  uint32_t items_gone = 0;       ///< Evicted or damaged between planning and sending; their place was filled.
  uint32_t items_skipped =
      0;  ///< Refused alone as too large or wrong (413, 400, 422); kept, tried again later.
  uint16_t last_http_status = 0;
  Status last_failure = Status::kOk;  ///< kOk again after the next success.
  ChannelDiagnostic last_channel_failure;
};

/// Delivers what the spool holds, one request at a time over one kept-alive connection, and fetches prekeys and
/// time.
///
/// **Nothing vanishes** (invariant 4): a record leaves the spool only through Sealer::take_ack and
/// take_refusal, which authenticate. No HTTP status, no answer of 200, no closed connection releases one;
/// whatever was not acknowledged is sent again.
///
/// **Progress.** Everything in the spool is tried again and again, oldest first, however often connections
/// break. An upload that is refused for itself (413, 400, 422) is halved down to one item; an item that is
/// refused alone is left behind for now, so that it holds up nothing, and tried again with the next resend. An
/// upload that the line is too slow for (408, a timeout, a line that breaks before the answer) is halved as
/// well, but an item alone is never left behind for that. Uploads that are acknowledged make the next ones
/// larger again. Every answer without an authentic ack costs a back-off, so a peer that lies can waste time,
/// not records and not unbounded traffic.
///
/// **Authorization.** Where the gateway wants a credential besides the certificate, one is fetched over the same connection
/// before the first request and when the one at hand is not good any more. Collecting and sealing never wait for it. One that is
/// refused (401) is forgotten: if it had worked before, for instance because it ended during a suspend, another is fetched at
/// once; else after a back-off.
///
/// **Time.** Without trusted time the connection is opened with dates ignored and carries nothing but
/// /v1/prekeys and the request for a credential; once the time is trusted it is closed, and opened again with dates judged.
///
/// An item that vanishes between planning and sending (evicted, damaged) is replaced by an UploadItem of the
/// same size without content (field 15, zeros), which the backend skips: the length promised in the request's
/// head stands.
///
/// States: idle, connecting, connected, request under way; `step` moves between them by itself.
///
/// Threads: the Sealer's, the cloud side's. Blocking: as long as token and storage take, never on a network.
/// About 5 KiB with the default limits, and the workspace.
class Courier final : private http::BodySource {
 public:
  Courier(const CourierParts& parts, const CourierConfig& config);
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// One bounded piece of work. Call it beside Sealer::step, every few tens of milliseconds at least.
  /// \return kOk: nothing to do until something arrives or a time passes;
  ///         kWouldBlock: something moved, call again at once;
  ///         kDenied: the token refused the log-in, never retried; kInvalidArgument: configuration or
  ///         workspace; else the last failure, while it waits to try again by itself.
  Status step(MonotonicTime now);

  /// Right after `step`: by when the next one is due if nothing new comes into the spool before.
  /// \return `now` while it connects or a request is under way (wake for the connection by its own means, within some tens of
  ///         milliseconds), and when one can begin; kNever: nothing is due, or never more (kDenied, kInvalidArgument).
  MonotonicTime next_due(MonotonicTime now) const;

  /// Gives up the request under way, if any, and closes the connection: before sleep, or when the network is
  /// known to have changed. The next `step` begins anew, without a back-off. Nothing is lost.
  void hang_up();

  /// Fresh prekeys are due at once, however many are at hand: after the identity that asks for them has changed.
  void refresh_prekeys();

  /// No request is under way and none is due: everything is settled, or waits for a time to pass.
  bool resting(MonotonicTime now) const;

  CourierStats stats() const;

 private:
  enum class State : uint8_t { kIdle, kConnecting, kReady, kToken, kPrekeys, kUpload };
  enum class Need : uint8_t { kNothing, kPrekeys, kUpload };
  enum class Severity : uint8_t { kUsual, kRefused };

  static constexpr size_t kWantedMax = 8;

  // Life of a connection (courier.cpp).
  bool valid() const;
  Status step_idle(MonotonicTime now);
  Status step_connecting(MonotonicTime now);
  Status step_ready(MonotonicTime now);
  Status step_exchange(MonotonicTime now);
  bool still_connected(Status& failure);
  Need need(MonotonicTime now) const;
  bool prekeys_due(MonotonicTime now) const;
  bool upload_due(MonotonicTime now) const;
  MonotonicTime next_prekeys() const;
  MonotonicTime next_upload(MonotonicTime now) const;
  void look_at_spool(MonotonicTime now);
  void watch_unsettled(MonotonicTime now);
  Status start_token(MonotonicTime now);
  Status start_prekeys(MonotonicTime now);
  Status start_upload(MonotonicTime now);
  Status exchange_failed(Status status, MonotonicTime now);
  Status connection_failed(Status status, MonotonicTime now);
  Status back_off(Status status, Severity severity, MonotonicTime now);
  void note_token(Status status);
  void drop_connection();
  uint64_t random_below(uint64_t limit);

  // Requests and answers (courier.cpp), and what is in them (courier_body.cpp).
  Status plan_upload(const SessionId& ack_session);
  Status plan_records();
  Status plan_next(SpoolEntry& entry);
  bool plan_add(const SpoolEntry& entry);
  void plan_open(const SessionId& session);
  Result<Bytes> do_next() override;
  Status append_item(const SpoolEntry& entry, size_t& used);
  Status answered(MonotonicTime now);
  Status token_answered(MonotonicTime now);
  Status bearer_refused(MonotonicTime now);
  Status prekeys_answered(MonotonicTime now);
  Status upload_answered(MonotonicTime now);
  Status refused(uint16_t http_status, MonotonicTime now);
  Status too_large(MonotonicTime now);
  bool wants_token(MonotonicTime now) const;
  std::string_view bearer() const;
  void send_less();
  bool take_reply(Bytes body);
  bool take_acks(Span<const Bytes> acks);
  bool take_refusals(Span<const Bytes> refusals);
  void want_open(Bytes session);
  void start_over();
  // The same memory: no piece is read any more once an answer's body comes (http::Exchange::start).
  MutableBytes piece() const { return parts_.workspace.first(kCourierPiece); }
  MutableBytes reply() const { return parts_.workspace.first(kReplyMax); }

  CourierParts parts_;
  CourierConfig config_;
  http::Exchange exchange_;
  CourierStats stats_;

  // The upload under way.
  SpoolEntry plan_[kUploadItemsMax];
  size_t plan_count_ = 0;
  size_t plan_sent_ = 0;
  uint64_t plan_bytes_ = 0;
  bool plan_headed_ = false;
  SessionId ack_session_;

  // How far the spool has been served.
  SpoolCursor cursor_;
  SpoolEntry held_;  // given by the spool, did not fit the last upload
  bool holds_ = false;
  bool at_end_ = false;  // the cursor has seen all that had been appended by seen_appended_
  bool resend_armed_ = false;
  bool opened_known_ = false;  // the backend has acknowledged under known_session_, or
  bool open_skipped_ = false;  // has refused its SessionOpen alone as too large
  SessionId known_session_;
  SessionId wanted_[kWantedMax];
  size_t wanted_count_ = 0;
  uint64_t seen_appended_ = 0;
  uint64_t settled_at_arming_ = 0;
  uint32_t seen_remounts_ = 0;
  uint32_t seen_reopens_ = 0;  // of the Sealer, when the token was found lost
  uint32_t upload_bytes_;
  size_t upload_items_ = kUploadItemsMax;
  MonotonicTime resend_at_;
  MonotonicTime linger_until_;
  int64_t resend_ms_ = 0;

  // The connection and its failures.
  MonotonicTime retry_at_;
  MonotonicTime token_asked_at_;
  MonotonicTime idle_since_;
  MonotonicTime prekeys_again_at_;  // not before this, whatever the reason
  MonotonicTime refresh_low_at_;
  MonotonicTime refresh_at_;
  uint64_t random_state_ = 0;
  uint32_t requests_on_connection_ = 0;
  uint8_t failures_ = 0;
  uint8_t prekeys_streak_ = 0;
  Need last_need_ = Need::kNothing;
  State state_ = State::kIdle;
  bool dates_judged_ = false;
  bool lingering_ = false;
  bool token_lost_ = false;
  bool bearer_proven_ = false;  // has brought something authentic since it was fetched
  bool denied_ = false;
};

}  // namespace wayseal

#endif
