// SPDX-License-Identifier: Apache-2.0
// What the backend keeps. Rows in, rows out: the rules are in sessions, prekeys and ingest.
#ifndef WAYSEAL_CLOUD_STORE_HPP
#define WAYSEAL_CLOUD_STORE_HPP

#include <optional>
#include <string>
#include <vector>

#include "sqlite.hpp"

namespace cloud {

/// Brings a database to today's schema.
void migrate(Database& database);

enum class PrekeyState : int64_t { kMaking = 0, kAlive = 1, kDoomed = 2, kDestroyed = 3 };
enum class SessionState : int64_t { kOpen = 1, kSettled = 2 };

struct PrekeyRow {
  uint64_t id = 0;
  int64_t vehicle = 0;
  bool last_resort = false;
  PrekeyState state = PrekeyState::kMaking;
  Blob point;
  uint32_t suites = 0;
  int64_t expires_ms = 0;
  Blob claimed_by;  ///< th of the first session; empty while unclaimed.
};

struct SessionRow {
  int64_t row = 0;
  int64_t vehicle = 0;
  Blob session_id;
  Blob th;
  uint32_t suite = 0;
  uint64_t prekey = 0;
  Blob ephemeral;
  uint64_t counter = 0;
  Blob previous_session;
  uint64_t previous_last_durable = 0;
  SessionState state = SessionState::kOpen;
  uint64_t contiguous = 0;
  std::optional<uint64_t> last_durable;
};

struct RecordRow {
  int64_t session = 0;
  uint64_t sequence = 0;
  uint32_t type = 0;
  std::optional<uint64_t> table_id;
  std::optional<int64_t> from_us;  ///< First and last sample, UTC in us; nothing when the vehicle had no time.
  std::optional<int64_t> to_us;
  uint64_t samples = 0;
  Blob digest;  ///< SHA-256 of the ciphertext.
  Blob payload;
};

struct LossRow {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t count = 0;
};

class Store {
 public:
  explicit Store(const std::string& path);
  Database& database() { return database_; }

  /// A secret of this database, made once from `fresh`.
  Blob secret(const char* name, const Blob& fresh);

  int64_t vehicle(std::string_view name);

  // store_prekeys.cpp
  void begin_prekeys(int64_t vehicle, const std::vector<PrekeyRow>& rows);
  void finish_prekeys(const std::vector<PrekeyRow>& rows);
  std::optional<PrekeyRow> prekey(uint64_t id);
  /// Those that any of the suites can use.
  std::vector<PrekeyRow> unclaimed(int64_t vehicle, uint32_t suites, int64_t expires_after_ms, uint32_t most);
  std::optional<PrekeyRow> last_resort(int64_t vehicle, int64_t made_after_ms);
  /// \param prekeys with their suites as given.
  void add_bundle(int64_t vehicle, const Blob& digest, const Blob& certificate_digest,
                  const std::vector<PrekeyRow>& prekeys);
  /// Suites of `prekey` as a bundle of this vehicle gave them; nothing when no such bundle holds it.
  std::optional<uint32_t> suites_given(int64_t vehicle, const Blob& digest, const Blob& certificate_digest,
                                       uint64_t prekey);
  /// Claims for `th` if nobody has. \return the th that holds it.
  Blob claim(uint64_t prekey, const Blob& th);
  /// Marks the one-time prekey of a settled session, unless another open session uses it too.
  void doom_prekey_of(int64_t session);
  /// Marks prekeys whose expiry lies before `expired_before_ms` and that no open session uses, and forgets bundles that nothing can be
  /// opened with.
  void doom_expired(int64_t expired_before_ms);
  /// Prekeys to be destroyed in the token; those whose making was cut off before `unfinished_before_ms` as
  /// well.
  std::vector<uint64_t> doomed(int64_t unfinished_before_ms);
  void destroyed(uint64_t prekey);

  // store_sessions.cpp
  std::optional<SessionRow> session(int64_t vehicle, const Blob& session_id);
  int64_t add_session(const SessionRow& row);
  std::vector<SessionRow> open_sessions(int64_t vehicle, uint32_t most);
  /// Whether a session of this vehicle has this session counter.
  bool counter_known(int64_t vehicle, uint64_t counter);
  /// Sets `last_durable` of the predecessor; \return how many sessions name it as previous, this one included.
  int64_t link_previous(const SessionRow& row);
  std::optional<uint64_t> successor_says(int64_t vehicle, const Blob& session_id);
  void set_contiguous(int64_t row, uint64_t contiguous);
  /// The highest sequence that is stored, lost or claimed by the successor.
  uint64_t last_known(const SessionRow& session);
  void settle(int64_t row);
  std::vector<int64_t> open_since(int64_t opened_before_ms);
  /// Counts acks before they are sealed. \return how many there are now.
  int64_t count_acks(int64_t row, int64_t by);
  std::optional<int64_t> refusal(int64_t vehicle, const Blob& th);
  void add_refusal(int64_t vehicle, const Blob& th, int64_t reason);

  // store_records.cpp
  std::optional<Blob> record_digest(int64_t session, uint64_t sequence);
  /// \return false when the sequence is there already.
  bool add_record(const RecordRow& row, int64_t arrival_ms);
  /// Stored sequences above `after`, in order, at most `most`.
  std::vector<uint64_t> sequences_after(int64_t session, uint64_t after, int64_t most);
  uint64_t stored_between(int64_t session, uint64_t first, uint64_t last);
  void add_loss(int64_t vehicle, const Blob& session_id, const LossRow& loss, int64_t cause);
  /// The count without a session that the report in this record carried.
  void add_nameless_loss(int64_t session, uint64_t sequence, uint64_t count);
  /// Loss ranges of a session that reach above `after`.
  std::vector<LossRow> losses_after(const SessionRow& session, uint64_t after);
  struct BusRow {
    int64_t bus, frames, frames_dropped, error_frames, bus_off_events, down_events, frames_unknown;
  };
  /// Cumulative counts since the vehicle's start `epoch`; the largest seen are kept.
  void add_bus(int64_t vehicle, uint64_t epoch, const BusRow& bus);
  void add_start(int64_t vehicle, uint64_t epoch, uint64_t batches_dropped, uint64_t samples_dropped);
  void alarm(int64_t vehicle, const char* kind, const Blob& session_id, int64_t times);
  void count(const char* counter, int64_t by);

 private:
  Database database_;
};

}  // namespace cloud

#endif
