// SPDX-License-Identifier: Apache-2.0
#include "sessions.hpp"

#include "contract.hpp"
#include "wire.hpp"

namespace cloud {
namespace {

using wayseal::v1::SessionOpen;
using wayseal::v1::SessionRefused;

/// What the offer says about the suite; sizes and ranges are the contract's.
bool is_offered(const SessionOpen& open) { return ((open.offer() >> (open.suite() - 1)) & 1) == 1; }

/// The strongest suite that both sides share has the lowest number.
bool is_strongest(uint32_t suite, uint32_t shared) {
  const uint32_t bit = 1U << (suite - 1);
  return (shared & bit) != 0 && (shared & (bit - 1)) == 0;
}

}  // namespace

// Nothing here answers: the signature is not part of th, so a refusal of something that is not authentic would
// let
// anybody on the way make the vehicle drop its records.
std::optional<Sessions::Authentic> Sessions::authenticate(const Blob& encoded, const Peer& peer) {
  Authentic authentic;
  SessionOpen& open = authentic.open;
  const bool parsed = encoded.size() <= kSessionOpenMax && open.ParseFromString(encoded);
  if (!parsed || !in_form(open, peer, core_.log) || !is_offered(open)) {
    core_.count("opens_malformed", 1);
    return std::nullopt;
  }
  const Leaf leaf = core_.pki.verify({open.chain(0), open.chain(1)}, Role::kVehicle);
  if (leaf.state == ChainState::kNotAuthentic) {
    core_.alarm(peer, "open-not-authentic", {});
    return std::nullopt;
  }
  authentic.th = transcript(open, leaf.digest, leaf.common_name);
  if (!verify_signature(leaf.key.get(), authentic.th, open.signature())) {
    core_.alarm(peer, "open-not-authentic", {});
    return std::nullopt;
  }
  if (leaf.common_name != peer.name) {
    core_.alarm(peer, "wrong-vehicle", {});
    return std::nullopt;
  }
  authentic.revoked = leaf.state == ChainState::kRevoked;
  return authentic;
}

// A database that was restored may be older than what the token holds and than what vehicles were given. As long as
// the private half is there, a better database opens the session: an operator has to look, the vehicle keeps its
// records.
Sessions::Verdict Sessions::unrecorded(const Authentic& authentic, const Peer& peer,
                                       SessionRefused::Reason reason) {
  if (!core_.token.has_prekey(authentic.open.prekey_id())) return {Verdict::Kind::kRefuse, reason};
  core_.alarm(peer, "prekey-unrecorded", authentic.th.substr(0, kSessionIdSize));
  return {Verdict::Kind::kSkip, reason};
}

Sessions::Verdict Sessions::judge(const Authentic& authentic, const Peer& peer) {
  const SessionOpen& open = authentic.open;
  const auto refusal = [](SessionRefused::Reason reason) { return Verdict{Verdict::Kind::kRefuse, reason}; };
  if (authentic.revoked) return refusal(SessionRefused::REASON_VEHICLE_REVOKED);
  const auto prekey = core_.store.prekey(open.prekey_id());
  if (!prekey || (prekey->vehicle == peer.row && prekey->state == PrekeyState::kMaking)) {
    return unrecorded(authentic, peer, SessionRefused::REASON_PREKEY_UNKNOWN);
  }
  if (prekey->vehicle != peer.row) return refusal(SessionRefused::REASON_PREKEY_UNKNOWN);
  if (prekey->state != PrekeyState::kAlive) return refusal(SessionRefused::REASON_PREKEY_DESTROYED);
  if (prekey->point != open.prekey_point() || !on_curve(open.ephemeral())) {
    return refusal(SessionRefused::REASON_BAD_OPEN);
  }
  const auto given =
      core_.store.suites_given(peer.row, open.bundle_digest(), open.backend_certificate_digest(), prekey->id);
  if (!given) return unrecorded(authentic, peer, SessionRefused::REASON_BAD_OPEN);
  const bool allowed = ((core_.suites() >> (open.suite() - 1)) & 1) == 1;
  if (!allowed || !is_strongest(open.suite(), open.offer() & *given)) {
    return refusal(SessionRefused::REASON_SUITE_NOT_ALLOWED);
  }
  return {};
}

OpenOutcome Sessions::refuse(const Authentic& authentic, const Peer& peer, SessionRefused::Reason reason,
                             size_t& refusals_left) {
  if (refusals_left == 0) return {};
  --refusals_left;
  core_.store.add_refusal(peer.row, authentic.th, reason);
  core_.count("refusals", 1);
  SessionRefused refused;
  refused.set_vehicle_id(peer.name);
  refused.set_th(authentic.th);
  refused.set_reason(reason);
  wayseal::v1::SignedRefusal signed_refusal;
  sign_into(core_, core_.prekey_identity, "wayseal/1 refuse", refused.SerializeAsString(), &signed_refusal);
  core_.log.line("session-refused", {{"vehicle", core_.log.token(peer.name)},
                                     {"session", core_.log.token(authentic.th.substr(0, kSessionIdSize))},
                                     {"reason", SessionRefused::Reason_Name(reason)}});
  return {OpenOutcome::Kind::kRefused, authentic.th.substr(0, kSessionIdSize),
          signed_refusal.SerializeAsString()};
}

int64_t Sessions::claim(const SessionRow& row, const Peer& peer) {
  Transaction transaction(core_.store.database());
  const auto prekey = core_.store.prekey(row.prekey);
  // Another backend may have settled the session that claimed it, just now.
  if (!prekey || prekey->state != PrekeyState::kAlive)
    throw DatabaseError("the prekey has just been destroyed");
  const Blob holder = core_.store.claim(row.prekey, row.th);
  if (holder != row.th && !prekey->last_resort) core_.alarm(peer, "prekey-reused", row.session_id);
  // Lower ones may come later: what was sealed before the last start waits behind the new start's SessionOpen.
  if (core_.store.counter_known(peer.row, row.counter)) core_.alarm(peer, "counter-reused", row.session_id);
  const int64_t session = core_.store.add_session(row);
  if (!row.previous_session.empty() && core_.store.link_previous(row) > 1) {
    core_.alarm(peer, "forked", row.session_id);
  }
  core_.count("sessions", 1);
  core_.flush();  // with the session: a crash later must not lose its alarms
  transaction.commit();
  return session;
}

OpenOutcome Sessions::open(const Authentic& authentic, const Peer& peer) {
  const SessionOpen& open = authentic.open;
  const uint32_t most = core_.config.policy.sessions_max;
  if (core_.store.open_sessions(peer.row, most).size() >= most) {
    core_.alarm(peer, "too-many-sessions", {});
    return {};
  }
  SessionRow row;
  row.vehicle = peer.row;
  row.session_id = authentic.th.substr(0, kSessionIdSize);
  row.th = authentic.th;
  row.suite = open.suite();
  row.prekey = open.prekey_id();
  row.ephemeral = open.ephemeral();
  row.counter = open.session_counter();
  row.previous_session = open.previous_session();
  row.previous_last_durable = open.previous_last_durable();
  row.last_durable = core_.store.successor_says(peer.row, row.session_id);
  const auto keys = core_.token.derive(row.prekey, row.ephemeral, static_cast<Suite>(row.suite), row.th);
  if (!keys) {
    // The database says that the private half lives: an operator has to look, the vehicle loses nothing.
    core_.alarm(peer, "prekey-missing", row.session_id);
    return {};
  }
  try {
    core_.ring.put(claim(row, peer), *keys);
  } catch (const DatabaseError&) {
    core_.token.destroy(*keys);
    throw;
  }
  core_.log.line("session-open", {{"vehicle", core_.log.token(peer.name)},
                                  {"session", core_.log.token(row.session_id)},
                                  {"suite", int64_t{row.suite}},
                                  {"counter", static_cast<int64_t>(row.counter)}});
  return {OpenOutcome::Kind::kOpened, row.session_id, {}};
}

OpenOutcome Sessions::accept(const Blob& encoded, const Peer& peer, size_t& refusals_left) {
  const auto authentic = authenticate(encoded, peer);
  if (!authentic) return {};
  const Blob session_id = authentic->th.substr(0, kSessionIdSize);
  if (const auto known = core_.store.session(peer.row, session_id)) {
    if (known->th == authentic->th) return {OpenOutcome::Kind::kOpened, session_id, {}};
    core_.alarm(peer, "session-id-collision", session_id);
    return {};
  }
  if (const auto reason = core_.store.refusal(peer.row, authentic->th)) {
    return refuse(*authentic, peer, static_cast<SessionRefused::Reason>(*reason), refusals_left);
  }
  const Verdict verdict = judge(*authentic, peer);
  if (verdict.kind == Verdict::Kind::kSkip) return {};
  if (verdict.kind == Verdict::Kind::kRefuse) {
    return refuse(*authentic, peer, verdict.reason, refusals_left);
  }
  return open(*authentic, peer);
}

}  // namespace cloud
