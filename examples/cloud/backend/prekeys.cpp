// SPDX-License-Identifier: Apache-2.0
#include "prekeys.hpp"

#include <algorithm>

#include "contract.hpp"
#include "wire.hpp"

namespace cloud {
namespace {

constexpr int64_t kUnfinishedMs = 60LL * 60 * 1000;
// A prekey is not given again when it is about to expire.
constexpr int64_t kLeastRestMs = kMsPerDay;

void fill(wayseal::v1::Prekey* prekey, const PrekeyRow& row) {
  prekey->set_id(row.id);
  prekey->set_point(row.point);
  prekey->set_suites(row.suites);
  prekey->set_expires_ms(row.expires_ms);
}

}  // namespace

unsigned Prekeys::check(const Blob& body, const Peer& peer, wayseal::v1::PrekeysRequest* request) {
  wayseal::v1::SignedPrekeysRequest signed_request;
  if (!signed_request.ParseFromString(body) || !in_form(signed_request, peer, core_.log)) {
    return 400;
  }
  const Leaf leaf = core_.pki.verify({signed_request.chain(0), signed_request.chain(1)}, Role::kVehicle);
  const Blob digest = signed_digest("wayseal/1 prekeys-request", signed_request.body());
  if (leaf.state != ChainState::kValid ||
      !verify_signature(leaf.key.get(), digest, signed_request.signature())) {
    core_.alarm(peer, "prekeys-not-authentic", {});
    return 403;
  }
  if (!request->ParseFromString(signed_request.body()) || !in_form(*request, peer, core_.log)) {
    return 400;
  }
  if (leaf.common_name != peer.name || request->vehicle_id() != peer.name) {
    core_.alarm(peer, "wrong-vehicle", {});
    return 403;
  }
  return 200;
}

Reply Prekeys::handle(const Blob& body, const Peer& peer) {
  wayseal::v1::PrekeysRequest request;
  const unsigned status = check(body, peer, &request);
  if (status != 200) return {status, {}};
  wayseal::v1::PrekeysReply reply;
  // Without a common suite there is nothing to give but the time, which the vehicle needs to deliver what it has.
  if ((request.suites() & core_.suites_offered()) != 0) fill_bundle(peer, request, &reply);
  fill_time(request, &reply);
  core_.log.line("prekeys", {{"vehicle", core_.log.token(peer.name)}, {"wanted", int64_t{request.wanted()}}});
  return {200, reply.SerializeAsString()};
}

std::vector<PrekeyRow> Prekeys::make(int64_t vehicle, uint32_t count, bool last_resort) {
  std::vector<PrekeyRow> rows(count);
  for (PrekeyRow& row : rows) {
    // Random ids stay unique across several backends and a restored database. 62 bits fit SQLite's integers.
    row.id = (read_be(core_.token.random(8)) >> 2) | 1;
    row.last_resort = last_resort;
    row.suites = core_.suites_offered();
    row.expires_ms = now_ms() + core_.config.policy.prekey_days * kMsPerDay;
  }
  if (rows.empty()) return rows;
  // Row, key, row: whatever a crash leaves in the token has a row that says so.
  core_.store.begin_prekeys(vehicle, rows);
  for (PrekeyRow& row : rows) row.point = core_.token.make_prekey(row.id);
  core_.store.finish_prekeys(rows);
  return rows;
}

std::vector<PrekeyRow> Prekeys::one_time(int64_t vehicle, uint32_t wanted, uint32_t suites) {
  const Policy& policy = core_.config.policy;
  wanted = std::min(wanted, policy.prekeys_per_request);
  const int64_t least_expiry = now_ms() + kLeastRestMs;
  std::vector<PrekeyRow> rows = core_.store.unclaimed(vehicle, suites, least_expiry, policy.prekeys_unused_max);
  const auto unused = static_cast<uint32_t>(rows.size());
  if (rows.size() > wanted) rows.resize(wanted);
  const uint32_t missing = wanted - static_cast<uint32_t>(rows.size());
  const std::vector<PrekeyRow> fresh =
      make(vehicle, std::min(missing, policy.prekeys_unused_max - unused), false);
  rows.insert(rows.end(), fresh.begin(), fresh.end());
  return rows;
}

PrekeyRow Prekeys::last_resort(int64_t vehicle, uint32_t suites) {
  const int64_t made_after = now_ms() - core_.config.policy.last_resort_days * kMsPerDay;
  const auto known = core_.store.last_resort(vehicle, made_after);
  if (known && (known->suites & suites) != 0 && known->expires_ms > now_ms() + kLeastRestMs) return *known;
  return make(vehicle, 1, true).front();
}

void Prekeys::fill_bundle(const Peer& peer, const wayseal::v1::PrekeysRequest& request,
                          wayseal::v1::PrekeysReply* reply) {
  wayseal::v1::PrekeyBundle bundle;
  bundle.set_version(1);
  bundle.set_vehicle_id(peer.name);
  bundle.set_challenge(request.challenge());
  // Unused ones are given again, but not those that this vehicle could never open a session with.
  const uint32_t suites = request.suites() & core_.suites_offered();
  std::vector<PrekeyRow> given = one_time(peer.row, request.wanted(), suites);
  given.push_back(last_resort(peer.row, suites));
  for (PrekeyRow& row : given) {
    row.suites &= core_.suites_offered();
    fill(row.last_resort ? bundle.mutable_last_resort() : bundle.add_one_time(), row);
  }

  const Blob body = bundle.SerializeAsString();
  core_.store.add_bundle(peer.row, sha256(body), sha256(core_.prekey_identity.certificate), given);
  sign_into(core_, core_.prekey_identity, "wayseal/1 prekeys", body, reply->mutable_bundle());
}

void Prekeys::fill_time(const wayseal::v1::PrekeysRequest& request, wayseal::v1::PrekeysReply* reply) {
  wayseal::v1::TimeStatement time;
  time.set_challenge(request.challenge());
  time.set_utc_ms(now_ms());
  sign_into(core_, core_.time_identity, "wayseal/1 time", time.SerializeAsString(), reply->mutable_time());
}

void Prekeys::destroy_doomed() {
  for (const uint64_t id : core_.store.doomed(now_ms() - kUnfinishedMs)) {
    core_.token.destroy_prekey(id);
    core_.store.destroyed(id);
  }
}

}  // namespace cloud
