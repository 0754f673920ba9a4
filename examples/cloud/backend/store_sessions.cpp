// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

#include <algorithm>

namespace cloud {
namespace {

constexpr auto kOpen = static_cast<int64_t>(SessionState::kOpen);
constexpr auto kSettled = static_cast<int64_t>(SessionState::kSettled);

SessionRow session_of(const Row& row) {
  SessionRow session;
  session.row = row.integer(0);
  session.vehicle = row.integer(1);
  session.session_id = row.bytes(2);
  session.th = row.bytes(3);
  session.suite = static_cast<uint32_t>(row.integer(4));
  session.prekey = row.unsigned_integer(5);
  session.ephemeral = row.bytes(6);
  session.state = static_cast<SessionState>(row.integer(7));
  session.contiguous = row.unsigned_integer(8);
  if (!row.is_null(9)) session.last_durable = row.unsigned_integer(9);
  return session;
}

}  // namespace

std::optional<SessionRow> Store::session(int64_t vehicle, const Blob& session_id) {
  std::optional<SessionRow> found;
  database_.each(
      "SELECT id, vehicle, session_id, th, suite, prekey, ephemeral, state, contiguous, last_durable FROM "
      "sessions "
      "WHERE vehicle = ? AND session_id = ?",
      [&found](const Row& row) { found = session_of(row); }, vehicle, session_id);
  return found;
}

int64_t Store::add_session(const SessionRow& row) {
  database_.run(
      "INSERT INTO sessions(vehicle, session_id, th, suite, prekey, ephemeral, counter, previous_session, "
      "previous_last_durable, opened_ms, state, last_durable) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.vehicle, row.session_id, row.th, int64_t{row.suite}, static_cast<int64_t>(row.prekey), row.ephemeral,
      static_cast<int64_t>(row.counter), row.previous_session, static_cast<int64_t>(row.previous_last_durable),
      now_ms(), kOpen,
      row.last_durable ? std::optional<int64_t>(static_cast<int64_t>(*row.last_durable)) : std::nullopt);
  return database_.last_row();
}

std::vector<SessionRow> Store::open_sessions(int64_t vehicle, uint32_t most) {
  std::vector<SessionRow> rows;
  database_.each(
      "SELECT id, vehicle, session_id, th, suite, prekey, ephemeral, state, contiguous, last_durable FROM "
      "sessions "
      "WHERE vehicle = ? AND state = 1 ORDER BY id DESC LIMIT ?",
      [&rows](const Row& row) { rows.push_back(session_of(row)); }, vehicle, int64_t{most});
  return rows;
}

bool Store::counter_known(int64_t vehicle, uint64_t counter) {
  return database_
      .integer("SELECT 1 FROM sessions WHERE vehicle = ? AND counter = ? LIMIT 1", vehicle,
               static_cast<int64_t>(counter))
      .has_value();
}

int64_t Store::link_previous(const SessionRow& row) {
  // With several successors (a clone) the largest claim counts: less is settled unseen.
  database_.run(
      "UPDATE sessions SET last_durable = MAX(IFNULL(last_durable, 0), ?) WHERE vehicle = ? AND session_id = ?",
      static_cast<int64_t>(row.previous_last_durable), row.vehicle, row.previous_session);
  return database_
      .integer("SELECT COUNT(*) FROM sessions WHERE vehicle = ? AND previous_session = ?", row.vehicle,
               row.previous_session)
      .value_or(0);
}

std::optional<uint64_t> Store::successor_says(int64_t vehicle, const Blob& session_id) {
  const auto found = database_.integer(
      "SELECT MAX(previous_last_durable) FROM sessions WHERE vehicle = ? AND previous_session = ?", vehicle,
      session_id);
  return found ? std::optional<uint64_t>(static_cast<uint64_t>(*found)) : std::nullopt;
}

void Store::set_contiguous(int64_t row, uint64_t contiguous) {
  database_.run("UPDATE sessions SET contiguous = ?1 WHERE id = ?2 AND contiguous < ?1",
                static_cast<int64_t>(contiguous), row);
}

uint64_t Store::last_known(const SessionRow& session) {
  const auto stored = database_.integer("SELECT MAX(sequence) FROM records WHERE session = ?", session.row);
  const auto lost = database_.integer("SELECT MAX(last) FROM losses WHERE vehicle = ? AND session_id = ?",
                                      session.vehicle, session.session_id);
  return std::max({session.last_durable.value_or(0), static_cast<uint64_t>(stored.value_or(0)),
                   static_cast<uint64_t>(lost.value_or(0))});
}

void Store::settle(int64_t row) { database_.run("UPDATE sessions SET state = ? WHERE id = ?", kSettled, row); }

std::vector<int64_t> Store::open_since(int64_t opened_before_ms) {
  std::vector<int64_t> rows;
  database_.each(
      "SELECT id FROM sessions WHERE state = 1 AND opened_ms < ?",
      [&rows](const Row& row) { rows.push_back(row.integer(0)); }, opened_before_ms);
  return rows;
}

int64_t Store::count_acks(int64_t row, int64_t by) {
  database_.run("UPDATE sessions SET acks_sealed = acks_sealed + ? WHERE id = ?", by, row);
  return database_.integer("SELECT acks_sealed FROM sessions WHERE id = ?", row).value_or(0);
}

std::optional<int64_t> Store::refusal(int64_t vehicle, const Blob& th) {
  return database_.integer("SELECT reason FROM refusals WHERE vehicle = ? AND th = ?", vehicle, th);
}

void Store::add_refusal(int64_t vehicle, const Blob& th, int64_t reason) {
  database_.run("INSERT OR IGNORE INTO refusals(vehicle, th, reason, at_ms) VALUES(?, ?, ?, ?)", vehicle, th,
                reason, now_ms());
}

}  // namespace cloud
