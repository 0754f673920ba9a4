// SPDX-License-Identifier: Apache-2.0
#include "service.hpp"

#include "wire.hpp"

namespace cloud {

Reply Service::dispatch(Route route, std::string_view vehicle, const Blob& body) {
  if (!is_vehicle_id(vehicle)) return {403, {}};
  const Peer peer{std::string(vehicle), core_.store.vehicle(vehicle)};
  Reply reply = route == Route::kPrekeys ? prekeys_.handle(body, peer) : ingest_.handle(body, peer);
  core_.count("reply_bytes", static_cast<int64_t>(reply.body.size()));
  core_.commit_notes();
  prekeys_.destroy_doomed();
  return reply;
}

void Service::trouble(const char* where, const std::exception& error, bool token_lost) noexcept {
  core_.log.line("trouble", {{"where", where}, {"what", error.what()}});
  if (!token_lost || core_.token.denied()) return;
  try {
    core_.reopen_token();
    core_.log.line("token-reopened", {});
  } catch (const std::exception& again) {
    core_.log.line("trouble", {{"where", "reopening the token"}, {"what", again.what()}});
  }
}

Reply Service::handle(Route route, std::string_view vehicle, const Blob& body) noexcept {
  if (core_.token.denied()) return {503, {}};  // logged when it was refused
  try {
    return dispatch(route, vehicle, body);
  } catch (const TokenError& error) {
    trouble("request", error, error.lost());
    return {503, {}};
  } catch (const DatabaseError& error) {
    trouble("request", error, false);
    return {503, {}};
  } catch (const std::exception& error) {
    trouble("request", error, false);
    return {500, {}};
  }
}

void Service::settle_expired() {
  // A session lives for at most a day; what it sealed may come for as long as a vehicle may be offline.
  const int64_t offline_ms = core_.config.policy.offline_days * kMsPerDay;
  const int64_t now = now_ms();
  Transaction transaction(core_.store.database());
  for (const int64_t session : core_.store.open_since(now - kMsPerDay - offline_ms)) {
    core_.store.settle(session);
    core_.store.doom_prekey_of(session);
    core_.ring.drop(session);
  }
  core_.store.doom_expired(now - offline_ms);
  transaction.commit();
}

void Service::maintain() noexcept {
  try {
    if (!core_.pki.refresh_crls()) core_.log.line("crl-unreadable", {});
    settle_expired();
    if (!core_.token.denied()) prekeys_.destroy_doomed();
  } catch (const TokenError& error) {
    trouble("maintenance", error, error.lost());
  } catch (const std::exception& error) {
    trouble("maintenance", error, false);
  }
}

}  // namespace cloud
