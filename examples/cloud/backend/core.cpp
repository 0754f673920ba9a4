// SPDX-License-Identifier: Apache-2.0
#include "core.hpp"

#include <algorithm>

namespace cloud {

namespace {
constexpr size_t kRingMax = 4096;

int64_t validity_days(const Blob& der) {
  const unsigned char* at = octets(der);
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  int days = 0;
  int seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate.get()),
                                     X509_get0_notAfter(certificate.get())) != 1) {
    return INT64_MAX;
  }
  return days + (seconds > 0 ? 1 : 0);
}
}  // namespace

std::optional<SessionKeys> KeyRing::get(const SessionRow& session) {
  const auto known = keys_.find(session.row);
  if (known != keys_.end()) {
    known->second.used = ++clock_;
    return known->second.keys;
  }
  if (session.state != SessionState::kOpen) return std::nullopt;
  const auto keys =
      token_.derive(session.prekey, session.ephemeral, static_cast<Suite>(session.suite), session.th);
  if (keys) put(session.row, *keys);
  return keys;
}

void KeyRing::put(int64_t session, const SessionKeys& keys) {
  if (keys_.size() >= kRingMax) {
    const auto oldest = std::min_element(
        keys_.begin(), keys_.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    drop(oldest->first);
  }
  drop(session);
  keys_[session] = {keys, ++clock_};
}

void KeyRing::drop(int64_t session) {
  const auto known = keys_.find(session);
  if (known == keys_.end()) return;
  token_.destroy(known->second.keys);
  keys_.erase(known);
}

Core::Core(const Config& the_config, Log& the_log, Blob pin)
    : config(the_config),
      log(the_log),
      store(config.database),
      token(config.module, config.module_args, config.token, std::move(pin)),
      pki(token.certificate("data-root"), config.crls,
          config.crl_policy == "off" ? Pki::Revocation::kOff : Pki::Revocation::kRequired),
      ring(token) {
  log.set_token_key(store.secret("log-token-key", token.random(32)));
  load_identities();
  if (suites() == 0) throw std::runtime_error("token and policy share no suite");
  if (suites_offered() == 0) throw std::runtime_error("no suite that token and policy share is offered");
}

void Core::load_identities() {
  prekey_identity = token.identity("prekey");
  time_identity = token.identity("time");
  check_identity("prekey", prekey_identity, Role::kPrekey);
  check_identity("time", time_identity, Role::kTime);
  if (validity_days(time_identity.certificate) > 90) {
    throw std::runtime_error(
        "the time certificate is valid for more than 90 days, so no vehicle would accept it");
  }
}

void Core::check_identity(const char* name, const Identity& identity, Role role) {
  const Leaf leaf = pki.verify({identity.certificate, identity.intermediate}, role);
  if (leaf.state != ChainState::kValid) {
    throw std::runtime_error(std::string("the token's certificate '") + name +
                             "' is not valid now under its data root, role and CRLs");
  }
  const Blob digest = sha256(name);
  if (!verify_signature(leaf.key.get(), digest, token.sign(identity, digest))) {
    throw std::runtime_error(std::string("the token's key '") + name + "' does not belong to its certificate");
  }
}

void Core::reopen_token() {
  ring.forget();
  token.reopen();
  load_identities();
}

void Core::alarm(const Peer& peer, const char* kind, const Blob& session_id) {
  if (++alarms_[{peer.row, kind, session_id}] > 1) return;
  const std::string vehicle = log.token(peer.name);
  const std::string session = log.token(session_id);
  events_.push_back(alarm_event(kind, vehicle, session_id.empty() ? std::string() : session));
  log.line("alarm", {{"kind", kind}, {"vehicle", vehicle}, {"session", session}}, event_json(events_.back()));
}

void Core::flush() {
  for (const auto& [alarm, times] : alarms_)
    store.alarm(alarm.vehicle, alarm.kind.c_str(), alarm.session_id, times);
  for (const auto& [name, by] : counts_) store.count(name.c_str(), by);
  for (const SecurityEvent& event : events_) store_event(store.database(), event);
  alarms_.clear();
  events_.clear();
  counts_.clear();
}

void Core::commit_notes() {
  if (alarms_.empty() && counts_.empty()) return;
  Transaction transaction(store.database());
  flush();
  transaction.commit();
}

}  // namespace cloud
