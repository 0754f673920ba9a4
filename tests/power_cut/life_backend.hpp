// SPDX-License-Identifier: Apache-2.0
/// \file
/// The other end of a whole life: the rules of PROTOCOL.md, 4 and 11 to 13, over the tests' own half of the wire. A
/// value, so that a copy of it is what a power cut at that instant would meet. The reference backend follows the same
/// rules over SQLite and a token; cloud_life_test.cpp puts it in this place.
#ifndef WAYSEAL_TESTS_POWER_CUT_LIFE_BACKEND_HPP
#define WAYSEAL_TESTS_POWER_CUT_LIFE_BACKEND_HPP

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "delivery.pb.h"
#include "fakes/fake_channel.hpp"
#include "unit/seal/backend_half.hpp"

namespace wayseal::test {

using fakes::Blob;
using EntryName = std::pair<Blob, uint64_t>;  ///< Session id and sequence; 0 is the SessionOpen.

inline Blob id_blob(const SessionId& id) { return {std::begin(id.data), std::end(id.data)}; }
/// Session and sequence for a message: the first bytes in hexadecimal.
std::string name_text(const EntryName& name);

/// The backend's side of a life.
class OtherEnd {
 public:
  /// Answers a request at the time `utc_ms`.
  virtual std::string serve(const fakes::HttpRequest& request, int64_t utc_ms) = 0;
  /// The next session is refused for good, by a signature.
  virtual void refuse_next_session() = 0;
  /// True when a session's sequence is stored, or reported lost: the vehicle need not hold it.
  virtual bool accounts_for(const EntryName& name) = 0;
  virtual bool knows_session(const Blob& id) = 0;
  /// Every sequence from the first to the last that is known of each session that has a successor is accounted for.
  /// \return what is missing, or an empty string.
  virtual std::string missing() = 0;
  /// Records that were reported lost without a session, as a vehicle does that has lost pieces of more sessions than its
  /// ledger has room for: no session of theirs can become complete. At least what they are.
  virtual uint64_t lost_without_session() { return 0; }

 protected:
  ~OtherEnd() = default;
};

struct LossRow {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t count = 0;
};

/// What the database holds: goes back when an older copy is restored, unlike the prekeys in the token.
struct LifeDatabase {
  struct Record {
    Blob ciphertext;
    uint8_t type = 0;
  };
  std::map<Blob, fakes::BackendSession> sessions;  // by id
  std::map<uint64_t, std::set<Blob>> claims;
  std::set<uint64_t> prekeys;  // recorded
  std::set<uint64_t> last_resorts;
  std::vector<fakes::PrekeyPlan::Prekey> given;  // one-time
  std::map<uint64_t, unsigned> times_given;
  std::map<EntryName, Record> records;
  std::map<Blob, std::vector<LossRow>> losses;
  std::map<Blob, uint64_t> last_durable;  // of sessions that have a successor, as it says
  std::set<Blob> refused;
  std::set<std::string> alarms;
  uint64_t nameless_losses = 0;
  std::set<uint64_t> counters;
  uint64_t duplicates = 0;

  /// Last-resort prekeys that opened a session.
  size_t last_resorts_used() const;
};

class LifeBackend final : public OtherEnd {
 public:
  static constexpr size_t kPrekeysGiven = 2;

  LifeBackend(fakes::FakeCertVerifier& root, const std::string& vehicle_id) : half_(root, vehicle_id) {}

  std::string serve(const fakes::HttpRequest& request, int64_t utc_ms) override;
  void refuse_next_session() override { ++refuse_opens_; }
  bool accounts_for(const EntryName& name) override { return is_accounted(name); }
  bool knows_session(const Blob& id) override { return db.sessions.count(id) != 0; }
  std::string missing() override;
  uint64_t contiguous(const Blob& session) const;

  LifeDatabase db;
  /// A mistake in the vehicle that only the other end can see; empty in a good life.
  std::string wrong;

 private:
  std::string serve_prekeys(const std::string& body, int64_t utc_ms);
  std::string serve_records(const std::string& body);
  void take_open(const Blob& encoded, std::set<Blob>& touched, v1::UploadReply& reply);
  void judge_open(const Blob& encoded, const Blob& id);
  void add_session(const fakes::BackendSession& session);
  void take_record(const Blob& sealed, std::set<Blob>& touched, v1::UploadReply& reply);
  void take_losses(const Blob& payload, std::set<Blob>& touched);
  bool is_accounted(const EntryName& name) const { return db.records.count(name) != 0 || reported_lost(name); }
  bool reported_lost(const EntryName& name) const;
  uint64_t last_known(const Blob& session) const;
  fakes::AckEntry ack_entry(const Blob& session) const;
  bool complete(const Blob& session) const;

  fakes::BackendHalf half_;
  unsigned refuse_opens_ = 0;
  uint64_t fetches_ = 0;
  std::optional<fakes::PrekeyPlan::Prekey> last_resort_;
};

}  // namespace wayseal::test

#endif
