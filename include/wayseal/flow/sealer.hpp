// SPDX-License-Identifier: Apache-2.0
/// \file
/// From the record queues into the spool: opens sessions, seals each content once, reports what is missing.
#ifndef WAYSEAL_FLOW_SEALER_HPP
#define WAYSEAL_FLOW_SEALER_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/record/record_queue.hpp"
#include "wayseal/record/snapshot.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/spool/spool.hpp"
#include "wayseal/trust/prekey_store.hpp"
#include "wayseal/trust/time_keeper.hpp"

namespace wayseal {

/// Waiting times and amounts; each at least 1.
struct SealerConfig {
  CryptoPolicy policy;
  /// A record is durable at the latest so long after it was sealed, and after so many bytes. What a power loss
  /// takes is at most this, what waits in the queues, and the open batch.
  int64_t sync_interval_ms = 1000;
  uint32_t sync_bytes = 64 * 1024;
  /// Between two loss reports.
  int64_t loss_report_interval_ms = 10 * 1000;
  /// Contents that one `step` seals at most: bounds its time to about so many times the token's.
  uint32_t records_per_step = 8;
  /// After a failure of token or storage: doubled at each repetition.
  int64_t retry_min_ms = 500;
  int64_t retry_max_ms = 60 * 1000;
  /// After an authentic refusal of the living session no other is opened for so long: the backend would most likely
  /// refuse that too. Contents wait in the queues; what overflows is counted.
  int64_t refused_wait_ms = 5 * 60 * 1000;
};

/// What a Sealer works with. All are borrowed.
struct SealerParts {
  KeyVault& vault;
  const Clock& clock;
  StateStore& state;
  Spool& spool;
  TimeKeeper& time;
  PrekeyStore& prekeys;
  const VehicleIdentity& identity;
  RecordQueue& bus_queue;    ///< Filled by the bus side.
  RecordQueue& own_queue;    ///< Filled by the cloud side: events, version manifest.
  const Recorder* recorder;  ///< Whose losses are reported; null when there is none.
  TimeSnapshot* bus_time;    ///< Told to the bus side; null when nobody listens.
  MutableBytes workspace;    ///< kSealerWorkspace bytes.
};

/// Ranges that one loss report carries at most; the rest follows in the next.
inline constexpr size_t kLossRangesInReport =
    (kPayloadMax - loss_report_size_max(0, kBusesMax)) /
                (loss_report_size_max(1, 0) - loss_report_size_max(0, 0)) <
            kLossRangesMax
        ? (kPayloadMax - loss_report_size_max(0, kBusesMax)) /
              (loss_report_size_max(1, 0) - loss_report_size_max(0, 0))
        : kLossRangesMax;
/// Room for a loss report with its padding.
inline constexpr size_t kLossReportContentMax =
    (kContentHeaderSize + loss_report_size_max(kLossRangesInReport, kBusesMax)) * 9 / 8 + 8;
/// Room for the largest of what is sealed, opened or read back.
inline constexpr size_t kSealerScratch = kRecordMax > kAckContentMax ? kRecordMax : kAckContentMax;
static_assert(kSealerScratch >= kSessionOpenBytesMax && kSessionOpenBytesMax == kSessionOpenMax,
              "opens fit as well");
/// Bytes of SealerParts::workspace.
inline constexpr size_t kSealerWorkspace = kSealerScratch + kLossReportContentMax;

/// Counts since start.
struct SealerStats {
  uint64_t records_sealed = 0;  ///< Accepted by the spool.
  uint64_t samples_sealed = 0;
  uint64_t content_bytes = 0;  ///< Sealed contents, with padding.
  uint64_t sealed_bytes = 0;   ///< As stored.
  uint64_t loss_reports = 0;   ///< Of records_sealed.
  uint64_t acks = 0;           ///< Valid ones.
  uint64_t acks_rejected = 0;
  uint64_t refusals = 0;  ///< Valid ones: sessions that the backend can never open.
  uint64_t refusals_rejected = 0;
  uint32_t sessions_opened = 0;
  uint32_t voids = 0;             ///< Sequence numbers without a record.
  uint32_t contents_dropped = 0;  ///< Contents that no session would take: a mistake of who made them.
  uint32_t token_reopens = 0;
  uint32_t spool_remounts = 0;  ///< Cursors into the spool start anew when this changes.
  Status last_failure = Status::kOk;
};

/// States: idle or sealing in a session; waiting for prekeys; waiting after a failure. `step` moves between
/// them by itself.
///
/// Threads: the cloud side's. Blocking: as long as token and storage take, never on a network. On a Cortex-M4
/// 944 bytes with the Session, and the workspace (19 KiB with the default limits); 2.5 KiB of stack.
class Sealer {
 public:
  /// \param config copied. A policy or value out of range makes every `step` return kInvalidArgument.
  Sealer(const SealerParts& parts, const SealerConfig& config);
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  /// One bounded piece of work: time to the bus side, a session if one is needed, up to records_per_step
  /// contents, a loss report and a sync when due.
  /// \return kOk: nothing waits (call again when the queues have something, at the latest after
  ///         sync_interval_ms);
  ///         kWouldBlock: more waits, call again at once;
  ///         kNotFound: contents wait for prekeys: fetch some (nothing is lost meanwhile but what overflows,
  ///         counted);
  ///         kTokenLost, kStorageFailed, kFull, ...: retried by itself after a back-off, go on calling;
  ///         kDenied: the token refused the log-in; never retried; kUnsupported, kInvalidArgument: the
  ///         configuration.
  Status step(MonotonicTime now);

  /// Right after `step`: by when the next one is due if nothing arrives before. Of the time that the Courier makes trusted it
  /// knows; contents that come into the queues make it due at once.
  /// \return `now`: at once; kNever: not before something arrives, or never more (kDenied, kInvalidArgument).
  MonotonicTime next_due(MonotonicTime now) const;

  /// Makes durable what has been collected, before the device sleeps: seals all that is queued, a last loss
  /// report, flushes spool and time floor. The bus side has flushed its batches before.
  /// \param deadline when to stop. One call of the token or the storage may overrun it.
  /// \return kOk: all is durable; kTimeout: something is left in the queues, what was sealed is durable;
  ///         kNotFound and failures as `step`: what was sealed is durable unless the failure is the storage's.
  Status prepare_sleep(MonotonicTime deadline);

  /// Replaces the policy. \return kOk; kUnsupported, kInvalidArgument: refused, the old one stays. A session
  /// that the new one forbids ends before the next record.
  Status set_policy(const CryptoPolicy& policy);
  const CryptoPolicy& policy() const { return config_.policy; }

  /// The session under which an answer of POST /v1/records can be opened.
  /// \return kOk; kBadState while there is none.
  Status ack_session(SessionId& session) const;

  /// Takes a Sealed Ack: opens it, checks every entry, frees what it names.
  /// \return kOk; kMalformed, kNotAuthentic, kUnsupported, kNotFound (not of the living session): dropped and
  ///         counted;
  ///         kTokenLost, kBadState: not judged, the records are sent again; kStorageFailed: nothing or part is
  ///         freed.
  Status take_ack(Bytes sealed);

  /// Takes a SignedRefusal: verifies it against the whole transcript of the session that it names, frees that
  /// session's records as lost, and ends the session when it is the living one; the next one is then opened after
  /// refused_wait_ms, until when `step` returns kRefused if something waits.
  /// \return kOk; kNotFound (a session that is gone: ignore); kNotAuthentic, kMalformed, kStale, kUnsupported:
  ///         dropped and counted; kStorageFailed.
  Status take_refusal(Bytes message);

  /// Opens the token again, after a kTokenLost that a caller has met. Ends the session, whose keys are gone.
  /// \return as KeyVault::reopen.
  Status reopen_token();

  /// True when the next session could not be opened for want of prekeys: fetch some.
  bool wants_prekeys() const { return wants_prekeys_; }
  const Session& session() const { return session_; }
  const SealerStats& stats() const { return stats_; }

 private:
  enum class ReportWhen : uint8_t { kWhenDropped, kWhenChanged };
  // What was last reported of the bus side.
  struct Reported {
    BusLoss buses[kBusesMax];
    size_t bus_count = 0;
    uint64_t samples_dropped = 0;
    uint64_t batches_dropped = 0;
  };

  Status check_config() const;
  UtcOffset current_offset() const;
  void publish_time();
  bool session_needed() const;
  bool new_prekeys() const { return wants_prekeys_ && parts_.prekeys.bundles_stored() != bundles_seen_; }
  bool work_waits() const;
  MonotonicTime report_due() const;
  Status work(MonotonicTime now, uint32_t records);
  Status ensure_session();
  Status open_session();
  Status previous_session(PreviousSession& previous) const;
  Status remember_session(const PreviousSession& previous);
  Status drain(RecordQueue& queue, MonotonicTime now, uint32_t& records);
  Status seal_and_store(Bytes content, MonotonicTime now, SealedRecord& record);
  Status report_losses(MonotonicTime now, ReportWhen when);
  Status compose_report(const Reported& current, LossSnapshot& snapshot, Bytes& content);
  void current_losses(Reported& current) const;
  bool drops_changed(const Reported& current, ReportWhen when) const;
  Status sync_if_due(MonotonicTime now);
  Status keep_time(MonotonicTime now);
  Status recover();
  Status fail(Status status, MonotonicTime now);
  Status spool_status(Status status);
  Status apply_ack(Bytes sealed);
  Status apply_refusal(Bytes message);
  MutableBytes scratch() const { return parts_.workspace.first(kSealerScratch); }
  MutableBytes report_area() const { return parts_.workspace.from(kSealerScratch); }

  SealerParts parts_;
  SealerConfig config_;
  StoredOpenings openings_;
  Session session_;
  SealerStats stats_;
  Reported reported_;
  UtcOffset published_;
  uint64_t loss_epoch_ = 0;  // 0: not drawn yet
  MonotonicTime next_report_ = {};
  MonotonicTime next_floor_ = {};
  MonotonicTime unsynced_since_ = {};
  uint64_t unsynced_bytes_ = 0;
  MonotonicTime retry_at_ = {};
  MonotonicTime no_session_before_ = {};
  int64_t retry_ms_ = 0;  // 0: the next failure is tried again at once
  uint32_t bundles_seen_ = 0;
  uint8_t seal_failures_ = 0;  // one after another
  bool wants_prekeys_ = false;
  bool token_lost_ = false;
  bool spool_failed_ = false;
  bool spool_doubtful_ = false;  // has failed or was full, and was not written since
  bool denied_ = false;
};

}  // namespace wayseal

#endif
