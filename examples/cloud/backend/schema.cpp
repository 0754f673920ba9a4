// SPDX-License-Identifier: Apache-2.0
// The database's tables, and how an older database becomes one of today. Each step runs once, in one
// transaction.
#include <array>

#include "store.hpp"

namespace cloud {
namespace {

constexpr std::array<const char*, 4> kSteps = {R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE vehicles(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_seen_ms INTEGER NOT NULL) STRICT;

-- Prekeys: 0 being made, 1 alive, 2 to be destroyed in the token, 3 destroyed.
CREATE TABLE prekeys(
  id INTEGER PRIMARY KEY, vehicle INTEGER NOT NULL REFERENCES vehicles(id), last_resort INTEGER NOT NULL,
  state INTEGER NOT NULL, point BLOB, suites INTEGER NOT NULL, made_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  claimed_by BLOB) STRICT;
CREATE INDEX prekeys_by_vehicle ON prekeys(vehicle, state, last_resort);
CREATE INDEX prekeys_by_state ON prekeys(state) WHERE state IN (0, 2);
CREATE TABLE bundles(
  id INTEGER PRIMARY KEY, vehicle INTEGER NOT NULL REFERENCES vehicles(id), digest BLOB NOT NULL,
  certificate_digest BLOB NOT NULL, issued_ms INTEGER NOT NULL) STRICT;
CREATE INDEX bundles_by_digest ON bundles(vehicle, digest);
CREATE TABLE bundle_prekeys(
  bundle INTEGER NOT NULL REFERENCES bundles(id) ON DELETE CASCADE,
  prekey INTEGER NOT NULL REFERENCES prekeys(id),
  suites INTEGER NOT NULL, PRIMARY KEY(bundle, prekey)) STRICT, WITHOUT ROWID;

-- Sessions: 1 open, 2 settled. `contiguous`: every sequence to it is stored or settled. `last_durable`: as its
-- successor says; NULL while there is none.
CREATE TABLE sessions(
  id INTEGER PRIMARY KEY, vehicle INTEGER NOT NULL REFERENCES vehicles(id), session_id BLOB NOT NULL,
  th BLOB NOT NULL,
  suite INTEGER NOT NULL, prekey INTEGER NOT NULL REFERENCES prekeys(id), ephemeral BLOB NOT NULL,
  counter INTEGER NOT NULL, previous_session BLOB NOT NULL, previous_last_durable INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL, state INTEGER NOT NULL, contiguous INTEGER NOT NULL DEFAULT 0,
  last_durable INTEGER,
  acks_sealed INTEGER NOT NULL DEFAULT 0, UNIQUE(vehicle, session_id)) STRICT;
CREATE INDEX sessions_by_previous ON sessions(vehicle, previous_session);
CREATE INDEX sessions_by_prekey ON sessions(prekey);
CREATE INDEX sessions_open ON sessions(vehicle) WHERE state = 1;
CREATE TABLE refusals(
  vehicle INTEGER NOT NULL REFERENCES vehicles(id), th BLOB NOT NULL, reason INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY(vehicle, th)) STRICT, WITHOUT ROWID;

-- Each (vehicle, session, sequence) once: `session` names vehicle and session.
CREATE TABLE records(
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions(id), sequence INTEGER NOT NULL,
  type INTEGER NOT NULL, arrival_ms INTEGER NOT NULL, table_id INTEGER, from_us INTEGER, to_us INTEGER,
  samples INTEGER NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL, UNIQUE(session, sequence)) STRICT;
CREATE INDEX records_by_time ON records(from_us) WHERE type = 1;
CREATE INDEX records_by_arrival ON records(arrival_ms);

-- By session id and not by row: a session may be lost whole, its SessionOpen included.
CREATE TABLE losses(
  vehicle INTEGER NOT NULL REFERENCES vehicles(id), session_id BLOB NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, count INTEGER NOT NULL, cause INTEGER NOT NULL,
  PRIMARY KEY(vehicle, session_id, first, last, cause)) STRICT, WITHOUT ROWID;
CREATE TABLE starts(
  vehicle INTEGER NOT NULL REFERENCES vehicles(id), epoch INTEGER NOT NULL, batches_dropped INTEGER NOT NULL,
  samples_dropped INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(vehicle, epoch)) STRICT, WITHOUT ROWID;
CREATE TABLE buses(
  vehicle INTEGER NOT NULL REFERENCES vehicles(id), epoch INTEGER NOT NULL, bus INTEGER NOT NULL,
  frames INTEGER NOT NULL, frames_dropped INTEGER NOT NULL, error_frames INTEGER NOT NULL,
  bus_off_events INTEGER NOT NULL, down_events INTEGER NOT NULL, frames_unknown INTEGER NOT NULL,
  PRIMARY KEY(vehicle, epoch, bus)) STRICT, WITHOUT ROWID;

CREATE TABLE alarms(
  vehicle INTEGER NOT NULL REFERENCES vehicles(id), kind TEXT NOT NULL, session_id BLOB NOT NULL,
  count INTEGER NOT NULL,
  first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, PRIMARY KEY(vehicle, kind, session_id)) STRICT,
  WITHOUT ROWID;
CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tables(table_id INTEGER PRIMARY KEY, file BLOB NOT NULL, added_ms INTEGER NOT NULL) STRICT;
)sql",
                                               R"sql(
-- Loss counts without a session, each by the record that reported it. A vehicle counts up until a report is
-- acknowledged and then starts anew, so a count that is lower than the one before adds to it (stats.cpp).
CREATE TABLE nameless_losses(
  session INTEGER NOT NULL REFERENCES sessions(id), sequence INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY(session, sequence)) STRICT, WITHOUT ROWID;
)sql",
                                               R"sql(
CREATE INDEX sessions_by_counter ON sessions(vehicle, counter);
)sql",
                                               R"sql(
-- Security events (proto/event.proto), in the order in which they came; the oldest go (events.hpp).
CREATE TABLE events(
  id INTEGER PRIMARY KEY AUTOINCREMENT, event_id BLOB NOT NULL UNIQUE, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL,
  severity INTEGER NOT NULL, message BLOB NOT NULL) STRICT;
)sql"};

}  // namespace

void migrate(Database& database) {
  Transaction transaction(database);
  const int64_t version = database.integer("SELECT user_version FROM pragma_user_version").value_or(0);
  if (version > static_cast<int64_t>(kSteps.size())) {
    throw DatabaseError("the database is of a newer version than this program");
  }
  for (size_t step = static_cast<size_t>(version); step < kSteps.size(); ++step) {
    database.script(kSteps[step]);
    database.script(("PRAGMA user_version=" + std::to_string(step + 1)).c_str());
  }
  transaction.commit();
}

}  // namespace cloud
