// SPDX-License-Identifier: Apache-2.0
/// \file
/// The durable queue of sealed records between the bus side and the network.
#ifndef WAYSEAL_SPOOL_SPOOL_HPP
#define WAYSEAL_SPOOL_SPOOL_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/storage.hpp"
#include "wayseal/spool/loss_ledger.hpp"
#include "wayseal/spool/segment_log.hpp"

namespace wayseal {

/// Largest SessionOpen in bytes, as encoded.
inline constexpr size_t kSessionOpenMax = 512 + kChainMax * kCertificateMax;

/// Bytes of an Ack's bitmap at most (PROTOCOL.md, "Acks").
inline constexpr size_t kAckBeyondMax = 32;

/// What an entry of the spool is.
enum class SpoolEntryKind : uint8_t {
  kSessionOpen = 2,  ///< First message of a session; `sequence` is 0.
  kRecord = 3,       ///< A Sealed.
};

/// One entry to send. Valid until the spool evicts it; `read` notices that.
struct SpoolEntry {
  SpoolEntryKind kind = SpoolEntryKind::kRecord;
  uint32_t size = 0;  ///< Bytes that `read` gives.
  SessionId session;
  uint64_t sequence = 0;
  uint64_t position = 0;  ///< Of the entry in the log. For the spool alone.
  uint32_t check = 0;     ///< CRC-32C of the bytes. For the spool alone.
};

/// How far one connection has been served. A default one starts with the oldest entry that is not settled; make
/// a new one for each connection, and whenever everything not settled shall be sent again. One cursor is in use
/// at a time: a newer one makes an older one repeat the SessionOpens.
struct SpoolCursor {
  uint64_t position = 0;
  uint32_t id = 0;
};

/// Counts since mount, except those marked "now".
struct SpoolStats {
  uint64_t capacity_bytes = 0;    ///< Room for entries with their headers, about.
  uint64_t waiting_bytes = 0;     ///< Now: records not settled.
  uint64_t waiting_records = 0;   ///< Now.
  uint32_t sessions = 0;          ///< Now: sessions that are remembered.
  uint64_t appended = 0;          ///< Records accepted.
  uint64_t settled = 0;           ///< Records freed by acks.
  uint64_t evicted = 0;           ///< Records lost for want of room.
  uint64_t refused = 0;           ///< Records freed by refusals.
  uint64_t damaged = 0;           ///< Records that the medium gave back changed or not at all.
  uint64_t voided = 0;            ///< Sequence numbers noted void.
  uint64_t syncs = 0;             ///< Syncs of the medium.
  uint64_t segments_started = 0;  ///< Each erased one segment.
  uint64_t checkpoints = 0;       ///< Bookkeeping entries written.
};

/// A circular log of sealed records on a Storage of its own.
///
/// **What it promises.** A record for which `append` and a later `sync` returned kOk is there, bit by bit,
/// after any number of power cuts, until one of three things happens: `settle` named it, `refuse` freed its
/// session, or it was evicted because the log was full. Evicted, refused and damaged records and void numbers
/// stand in the loss ledger, durably *before* the bytes go, until a report about them has been settled. A
/// restart may repeat what was settled shortly before; it never forgets. A SessionOpen stays for as long as its
/// session has records here, and until the backend has acknowledged it; one without records is the first to go,
/// uncounted, when kLiveSessionsMax sessions are here.
///
/// **How.** N erase blocks make one segment, large enough for the largest record beside the bookkeeping: 28 KiB
/// with 4 KiB blocks and default limits. Segment number s, counted from the first one ever, lies at s modulo
/// the number of segments. At least four are needed; one is the reserve, another is being filled. A segment
/// begins with a header, copies of the SessionOpens whose segment goes, and a checkpoint: acked sequences,
/// ledger, and the oldest living segment. Only when that is durable is the segment after it dead, to be erased
/// when its turn comes; so one segment is always in reserve. Each entry has a header with its own CRC-32C bound
/// to the segment number, and a CRC-32C over its bytes. Mounting writes nothing. Everything is described in
/// lib/spool/format.hpp.
///
/// **Damage.** Bytes that come back changed, and places that the medium cannot read although it can read others,
/// are damage: what lies there is skipped and counted, at the latest by the next mount or when its segment goes.
/// Only a medium of which nothing can be read is kStorageFailed to the reading calls.
///
/// **States.** Only `mount` and `format` may be called first. A failed sync of the medium makes every writing
/// call return kStorageFailed until `mount` is called again, because nothing since the last sync may be taken
/// as durable.
///
/// Threads: one, the cloud side's. Blocking: as long as the medium takes; a new segment erases N blocks. Each
/// call is bounded by the number of entries it passes; cursor and sessions remember where they were. RAM: 5 KiB
/// with the default limits, mostly 104 bytes a session (kLiveSessionsMax) and 36 a loss range (kLossRangesMax).
class Spool {
 public:
  /// \param storage outlives this object and has no other user.
  explicit Spool(Storage& storage) : log_(storage) {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Finds what is there. Never writes. A blank medium is an empty spool. No session can be appended to
  /// afterwards until `append_open`: a new start is a new session.
  /// \return kOk;
  ///         kInvalidArgument when the area is too small;
  ///         kUnsupported when a build with another format or other limits wrote it (deliver with that build,
  ///         or `format`);
  ///         kMalformed when it holds something foreign: somebody must decide (`format` forgets what is there);
  ///         kStorageFailed.
  Status mount();

  /// Erases everything and starts empty. \return kOk; kInvalidArgument; kFull; kStorageFailed.
  Status format();

  /// Starts a session: later `append`s belong to it. Durable when kOk. When kLiveSessionsMax sessions have
  /// records here, the oldest is evicted whole and counted.
  /// \param session_open the encoded SessionOpen, 1 to kSessionOpenMax bytes.
  /// \return kOk; kInvalidArgument for its size or a session that is known; kFull, kStorageFailed: the session
  ///         is not started, open another one later; kBadState before `mount`.
  Status append_open(const SessionId& session, Bytes session_open);

  /// Adds a record of the session that was opened last. Durable at the next `sync` that returns kOk. Evicts,
  /// counted, when there is no room.
  /// \param sequence 1 to kSessionRecordsMax, larger than every earlier one of the session, voids included.
  /// \param sealed 1 to kRecordMax bytes.
  /// \return kOk;
  ///         kInvalidArgument: size or sequence;
  ///         kBadState before `mount`, or when `session` is not the one opened last in this life, or was
  ///         refused;
  ///         kFull, kStorageFailed: not accepted. The number is used up: call `note_void`.
  Status append(const SessionId& session, uint64_t sequence, Bytes sealed);

  /// Makes everything accepted durable, and now and then what has been settled. Cheap when there is nothing to
  /// do.
  /// \return kOk; kFull, kStorageFailed: see "States".
  Status sync();

  /// Writes the bookkeeping and makes it durable, whether anything has changed or not: finds out whether the
  /// medium can be written, before something precious is spent on a record for it. As `sync` otherwise.
  Status probe();

  /// kOk; kBadState before `mount`; kStorageFailed after a failed sync of the medium, whoever asked for it: see
  /// "States".
  Status ready() const;

  /// Makes durable all of it: records, settled marks, ledger. For a shutdown; after it a restart repeats
  /// nothing, unless room for the marks could be had only by evicting.
  /// \return as `sync`.
  Status flush();

  /// The next entry that is not settled, oldest first, the SessionOpen before its session's first record unless
  /// the backend has acknowledged it. Entries appended later are found by later calls. Gives entries that are
  /// not synced yet: sync before sending when the backend must not know more than this vehicle.
  /// \return kOk; kNotFound at the end for now; kStorageFailed; kBadState before `mount`.
  Status next(SpoolCursor& cursor, SpoolEntry& out);

  /// The SessionOpen of a session, for a backend that asks for it again.
  /// \return kOk; kNotFound; kStorageFailed; kBadState before `mount`.
  Status find_open(const SessionId& session, SpoolEntry& out) const;

  /// Copies an entry's bytes to the first entry.size bytes of `out`.
  /// \return kOk; kBufferTooSmall; kNotFound when it was evicted in the meantime: skip it;
  ///         kMalformed when the medium gives back something else, or cannot read it even at a second try: the
  ///         record is then in the ledger, skip it;
  ///         kStorageFailed; kBadState before `mount`.
  Status read(const SpoolEntry& entry, MutableBytes out);

  /// Frees what an authentic ack names, merged with what earlier acks said.
  /// \param contiguous every sequence up to it is stored.
  /// \param beyond bit i of byte j, least first: sequence contiguous + 2 + 8j + i is stored. At most
  ///         kAckBeyondMax bytes.
  /// \return kOk; kNotFound for a session that is not here (settled before: ignore);
  ///         kMalformed when it names numbers of this life that were never used, or a longer bitmap: drop the
  ///         ack, nothing was freed; kStorageFailed: nothing was freed; kBadState before `mount`.
  Status settle(const SessionId& session, uint64_t contiguous, Bytes beyond);

  /// Frees a session that the backend has refused, by an authentic refusal: its records go to the ledger as
  /// refused. When it is the session opened last, nothing more can be appended to it.
  /// \return kOk; kNotFound; kBadState before `mount`.
  Status refuse(const SessionId& session);

  /// Notes that a sequence number was used without leaving a record here (sealing or storing failed).
  void note_void(const SessionId& session, uint64_t sequence);

  /// Highest sequence of a session that is durable; 0 when none is. Known for every session with records here,
  /// and always for the one opened last, also after a restart and when all of it is settled: the value for
  /// SessionOpen's previous_last_durable.
  /// \return the sequence; kNotFound for a session that is settled and superseded, or was never here.
  Result<uint64_t> last_durable(const SessionId& session) const;

  /// Copies what is known to be missing, for a loss report.
  /// \param out room for kLossRangesMax ranges, or for fewer: the rest stays unreported for a later report.
  /// \return how many, and a token for `losses_reported`.
  LossSnapshot losses(Span<LossRange> out) const { return ledger_.snapshot(out); }

  /// Says that the record (session, sequence), appended with kOk, carries the snapshot `token`. Once an ack
  /// settles that record, the ranges of the snapshot are forgotten; when the record itself is lost, they stay
  /// and become unreported again. A later report replaces an earlier one that is still on its way.
  void losses_reported(uint32_t token, const SessionId& session, uint64_t sequence);

  /// True when there are losses that no report on its way carries: time to make one.
  bool losses_unreported() const { return ledger_.unreported(); }

  SpoolStats stats() const;

 private:
  // Settled sequences of a session: all up to `contiguous`, and bit i stands for contiguous + 1 + i.
  struct Marks {
    static constexpr uint32_t kBits = 8 * (kAckBeyondMax + 1);
    uint32_t contiguous = 0;
    uint8_t beyond[kAckBeyondMax + 1] = {};

    bool settled(uint32_t sequence) const;
    uint32_t highest() const;
    void set(uint32_t sequence);
    void merge(const Marks& other, uint32_t limit);
    void normalise();
  };

  struct Session {
    SessionId id;
    uint64_t low = 0;            // no waiting record is before this position
    uint64_t open_position = 0;  // 0: its SessionOpen is not here
    uint64_t waiting_bytes = 0;
    uint32_t waiting = 0;    // records in the log that are neither settled nor given up
    uint32_t last = 0;       // highest sequence in the log; higher ones are not ours
    uint32_t accounted = 0;  // up to here, all is settled or in the ledger, and no longer looked for in the log
    uint32_t seen = 0;       // while mounting: highest sequence found in the log so far
    uint32_t open_given = 0;  // id of the cursor that gave the SessionOpen
    bool open_acked = false;
    Marks marks;
  };

  enum class Carry : uint8_t { kNeeded, kEmpty };

  // Sessions by age; the last one is the one opened last.
  Session* find(const SessionId& id);
  const Session* find(const SessionId& id) const;
  bool is_newest(const Session& session) const { return &session == &sessions_[session_count_ - 1]; }
  bool is_current(const SessionId& id) const;
  bool is_waiting(const Session& session, uint32_t sequence) const {
    return sequence > session.accounted && sequence <= session.last && !session.marks.settled(sequence);
  }
  Session* add_session(const SessionId& id, uint64_t position);
  void remove_session(size_t index);
  void drop_finished();
  void make_room_for_session();
  size_t waiting_sessions() const;
  void forfeit(Session& session, LossCause cause);
  void give_up(Session& session, LossCause cause);
  void lose_open(Session& session);
  void no_longer_waiting(Session& session, uint32_t records, uint64_t bytes);
  void give_up_record(Session& session, const LogEntry& entry, LossCause cause);
  void note_gap(Session& session, uint32_t first, uint32_t last);
  void add_loss(const SessionId& session, uint32_t first, uint32_t last, uint32_t count, LossCause cause);
  Status free_settled(Session& session, const Marks& marks);
  void end_report();

  uint64_t tail_position() const { return log_.start_of(tail_); }
  uint64_t first_position() const;
  Status give_open(Session& session, uint32_t cursor, SpoolEntry& out);
  Status give(Session& session, const LogEntry& entry, SpoolCursor& cursor, SpoolEntry& out);
  Status read_open_header(const Session& session, LogEntry& out) const;

  Status roll();
  Status build_segment();
  Status carry_opens();
  Status carry_opens(Carry which);
  Status find_carried_opens();
  Status release_up_to(uint64_t segment);
  Status release_segment();
  Status sync_medium();

  Status write_checkpoint();
  static Status fill_checkpoint(void* context, log::Writer& writer);
  template <typename Sink>
  Status emit_checkpoint(Sink& sink) const;
  uint32_t checkpoint_size() const;
  Status load_checkpoint(const LogEntry& entry);
  Status load_session(const LogEntry& entry, uint32_t offset);
  Status load_range(const LogEntry& entry, uint32_t offset);

  void reset();
  Status load_newest_checkpoint(uint64_t& position);
  Status last_checkpoint_of(uint64_t segment, LogEntry& out) const;
  Status replay(uint64_t checkpoint);
  Status replay_open(const LogEntry& entry, uint64_t checkpoint);
  Status replay_record(const LogEntry& entry, uint64_t checkpoint);
  void finish_replay();

  SegmentLog log_;
  LossLedger ledger_;
  SpoolStats stats_;
  uint64_t tail_ = 0;      // oldest living segment; 0 for an empty log
  uint32_t durable_ = 0;   // of the session being appended to
  uint32_t highest_ = 0;   // of the session being appended to: highest number used, voids included
  uint32_t cursors_ = 0;   // ids given out
  uint32_t unmarked_ = 0;  // records settled since the last checkpoint
  size_t session_count_ = 0;
  bool mounted_ = false;
  bool failed_ = false;      // a sync failed
  bool appendable_ = false;  // the last session was opened in this life
  bool unsynced_ = false;
  bool marks_dirty_ = false;   // the last checkpoint does not say all: a restart would repeat something
  bool ledger_dirty_ = false;  // as well: it would know less of the losses
  Session sessions_[kLiveSessionsMax + 1];  // the newest one may have nothing waiting
};

}  // namespace wayseal

#endif
