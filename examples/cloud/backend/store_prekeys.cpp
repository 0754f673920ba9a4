// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

namespace cloud {
namespace {

constexpr auto kMaking = static_cast<int64_t>(PrekeyState::kMaking);
constexpr auto kAlive = static_cast<int64_t>(PrekeyState::kAlive);
constexpr auto kDoomed = static_cast<int64_t>(PrekeyState::kDoomed);
constexpr auto kDestroyed = static_cast<int64_t>(PrekeyState::kDestroyed);

PrekeyRow prekey_of(const Row& row) {
  PrekeyRow prekey;
  prekey.id = row.unsigned_integer(0);
  prekey.vehicle = row.integer(1);
  prekey.last_resort = row.integer(2) != 0;
  prekey.state = static_cast<PrekeyState>(row.integer(3));
  prekey.point = row.bytes(4);
  prekey.suites = static_cast<uint32_t>(row.integer(5));
  prekey.expires_ms = row.integer(6);
  prekey.claimed_by = row.bytes(7);
  return prekey;
}

}  // namespace

void Store::begin_prekeys(int64_t vehicle, const std::vector<PrekeyRow>& rows) {
  Transaction transaction(database_);
  for (const PrekeyRow& row : rows) {
    database_.run(
        "INSERT INTO prekeys(id, vehicle, last_resort, state, suites, made_ms, expires_ms) VALUES(?, ?, ?, ?, "
        "?, ?, ?)",
        static_cast<int64_t>(row.id), vehicle, int64_t{row.last_resort}, kMaking, int64_t{row.suites}, now_ms(),
        row.expires_ms);
  }
  transaction.commit();
}

void Store::finish_prekeys(const std::vector<PrekeyRow>& rows) {
  Transaction transaction(database_);
  for (const PrekeyRow& row : rows) {
    database_.run("UPDATE prekeys SET state = ?, point = ? WHERE id = ?", kAlive, row.point,
                  static_cast<int64_t>(row.id));
  }
  transaction.commit();
}

std::optional<PrekeyRow> Store::prekey(uint64_t id) {
  std::optional<PrekeyRow> found;
  database_.each(
      "SELECT id, vehicle, last_resort, state, point, suites, expires_ms, claimed_by FROM prekeys WHERE id = ?",
      [&found](const Row& row) { found = prekey_of(row); }, static_cast<int64_t>(id));
  return found;
}

std::vector<PrekeyRow> Store::unclaimed(int64_t vehicle, uint32_t suites, int64_t expires_after_ms,
                                        uint32_t most) {
  std::vector<PrekeyRow> rows;
  database_.each(
      "SELECT id, vehicle, last_resort, state, point, suites, expires_ms, claimed_by FROM prekeys "
      "WHERE vehicle = ? AND state = ? AND last_resort = 0 AND claimed_by IS NULL AND expires_ms > ? "
      "AND (suites & ?) != 0 ORDER BY expires_ms LIMIT ?",
      [&rows](const Row& row) { rows.push_back(prekey_of(row)); }, vehicle, kAlive, expires_after_ms,
      int64_t{suites}, int64_t{most});
  return rows;
}

std::optional<PrekeyRow> Store::last_resort(int64_t vehicle, int64_t made_after_ms) {
  std::optional<PrekeyRow> found;
  database_.each(
      "SELECT id, vehicle, last_resort, state, point, suites, expires_ms, claimed_by FROM prekeys "
      "WHERE vehicle = ? AND state = ? AND last_resort = 1 AND made_ms > ? ORDER BY made_ms DESC LIMIT 1",
      [&found](const Row& row) { found = prekey_of(row); }, vehicle, kAlive, made_after_ms);
  return found;
}

void Store::add_bundle(int64_t vehicle, const Blob& digest, const Blob& certificate_digest,
                       const std::vector<PrekeyRow>& prekeys) {
  Transaction transaction(database_);
  database_.run("INSERT INTO bundles(vehicle, digest, certificate_digest, issued_ms) VALUES(?, ?, ?, ?)",
                vehicle, digest, certificate_digest, now_ms());
  const int64_t bundle = database_.last_row();
  for (const PrekeyRow& prekey : prekeys) {
    database_.run("INSERT INTO bundle_prekeys(bundle, prekey, suites) VALUES(?, ?, ?)", bundle,
                  static_cast<int64_t>(prekey.id), int64_t{prekey.suites});
  }
  transaction.commit();
}

std::optional<uint32_t> Store::suites_given(int64_t vehicle, const Blob& digest, const Blob& certificate_digest,
                                            uint64_t prekey) {
  const auto found = database_.integer(
      "SELECT suites FROM bundles JOIN bundle_prekeys ON bundle = bundles.id "
      "WHERE vehicle = ? AND digest = ? AND certificate_digest = ? AND prekey = ?",
      vehicle, digest, certificate_digest, static_cast<int64_t>(prekey));
  return found ? std::optional<uint32_t>(static_cast<uint32_t>(*found)) : std::nullopt;
}

Blob Store::claim(uint64_t prekey, const Blob& th) {
  database_.run("UPDATE prekeys SET claimed_by = ? WHERE id = ? AND claimed_by IS NULL", th,
                static_cast<int64_t>(prekey));
  return database_.bytes("SELECT claimed_by FROM prekeys WHERE id = ?", static_cast<int64_t>(prekey))
      .value_or(th);
}

void Store::doom_prekey_of(int64_t session) {
  database_.run(
      "UPDATE prekeys SET state = ?1 WHERE id = (SELECT prekey FROM sessions WHERE id = ?2) AND state = ?3 "
      "AND last_resort = 0 AND NOT EXISTS(SELECT 1 FROM sessions WHERE prekey = prekeys.id AND sessions.state "
      "= 1)",
      kDoomed, session, kAlive);
}

void Store::doom_expired(int64_t expired_before_ms) {
  database_.run(
      "UPDATE prekeys SET state = ? WHERE state = ? AND expires_ms < ? "
      "AND NOT EXISTS(SELECT 1 FROM sessions WHERE prekey = prekeys.id AND sessions.state = 1)",
      kDoomed, kAlive, expired_before_ms);
  database_.run(
      "DELETE FROM bundles WHERE NOT EXISTS(SELECT 1 FROM bundle_prekeys JOIN prekeys ON prekey = prekeys.id "
      "WHERE bundle = bundles.id AND prekeys.state = ?)",
      kAlive);
}

std::vector<uint64_t> Store::doomed(int64_t unfinished_before_ms) {
  std::vector<uint64_t> ids;
  database_.each(
      "SELECT id FROM prekeys WHERE state = 2 OR (state = 0 AND made_ms < ?)",
      [&ids](const Row& row) { ids.push_back(row.unsigned_integer(0)); }, unfinished_before_ms);
  return ids;
}

void Store::destroyed(uint64_t prekey) {
  database_.run("UPDATE prekeys SET state = ? WHERE id = ?", kDestroyed, static_cast<int64_t>(prekey));
}

}  // namespace cloud
