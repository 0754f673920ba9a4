// SPDX-License-Identifier: Apache-2.0
// What the parts of the backend share: database, token, trust, log, and the keys of sessions in use.
#ifndef WAYSEAL_CLOUD_CORE_HPP
#define WAYSEAL_CLOUD_CORE_HPP

#include <map>
#include <optional>
#include <tuple>

#include "config.hpp"
#include "events.hpp"
#include "log.hpp"
#include "pki.hpp"
#include "session.pb.h"
#include "store.hpp"
#include "token.hpp"

namespace cloud {

inline constexpr int64_t kMsPerDay = 24LL * 60 * 60 * 1000;

/// Keys of sessions, derived when they are needed and kept in the token until too many are. Losing them costs
/// one
/// derivation: after a restart, too, they come from the prekey's private half.
class KeyRing {
 public:
  explicit KeyRing(Token& token) : token_(token) {}

  /// \return nothing when the session is settled or its prekey's private half is not in the token.
  std::optional<SessionKeys> get(const SessionRow& session);
  void put(int64_t session, const SessionKeys& keys);
  void drop(int64_t session);
  /// The token has lost them all.
  void forget() { keys_.clear(); }

 private:
  struct Entry {
    SessionKeys keys;
    uint64_t used = 0;
  };
  Token& token_;
  std::map<int64_t, Entry> keys_;
  uint64_t clock_ = 0;
};

/// The vehicle that the gateway named, for the time of one request.
struct Peer {
  std::string name;
  int64_t row = 0;
  mutable int form_lines_left = 4;  ///< An upload of a thousand bad items writes no thousand lines of log.
};

/// An answer to an HTTP request.
struct Reply {
  unsigned status = 500;
  Blob body;
};

struct Core {
  Core(const Config& config, Log& log, Blob pin);

  /// After the token was lost: opens it again.
  void reopen_token();

  /// Remembers an alarm and writes it to the log. `flush` brings it to the database, so that a flood of bad
  /// items costs
  /// one commit.
  void alarm(const Peer& peer, const char* kind, const Blob& session_id);
  /// The same for a counter.
  void count(const char* counter, int64_t by) { counts_[counter] += by; }
  /// Writes what is remembered, inside the caller's transaction.
  void flush();
  /// `flush` in a transaction of its own, if there is anything.
  void commit_notes();

  /// Suites that token and policy allow.
  uint32_t suites() const { return config.policy.suites & token.suites(); }
  /// Those that prekeys are offered for.
  uint32_t suites_offered() const { return config.policy.suites_offered & suites(); }

  const Config& config;
  Log& log;
  Store store;
  Token token;
  Pki pki;
  KeyRing ring;
  Identity prekey_identity;
  Identity time_identity;

 private:
  struct Alarm {
    int64_t vehicle;
    std::string kind;
    Blob session_id;
    bool operator<(const Alarm& other) const {
      return std::tie(vehicle, kind, session_id) < std::tie(other.vehicle, other.kind, other.session_id);
    }
  };
  std::map<Alarm, int64_t> alarms_;
  std::vector<SecurityEvent> events_;
  std::map<std::string, int64_t> counts_;

  void load_identities();
  void check_identity(const char* name, const Identity& identity, Role role);
};

/// Sets body, signature and chain of a signed message (PROTOCOL.md, "Signed bodies").
template <typename Message>
void sign_into(Core& core, const Identity& identity, std::string_view label, const Blob& body,
               Message* message) {
  message->set_body(body);
  message->set_signature(core.token.sign(identity, signed_digest(label, body)));
  message->add_chain(identity.certificate);
  message->add_chain(identity.intermediate);
}

}  // namespace cloud

#endif
