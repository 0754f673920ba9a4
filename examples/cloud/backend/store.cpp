// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

namespace cloud {

Store::Store(const std::string& path) : database_(path, Database::Mode::kReadWrite) { migrate(database_); }

Blob Store::secret(const char* name, const Blob& fresh) {
  database_.run("INSERT OR IGNORE INTO meta(name, value) VALUES(?, ?)", Text{name}, fresh);
  return database_.bytes("SELECT value FROM meta WHERE name = ?", Text{name}).value_or(fresh);
}

int64_t Store::vehicle(std::string_view name) {
  const char* const find = "SELECT id FROM vehicles WHERE name = ?";
  if (const auto id = database_.integer(find, Text{name})) return *id;
  database_.run("INSERT OR IGNORE INTO vehicles(name, first_seen_ms) VALUES(?, ?)", Text{name}, now_ms());
  return database_.integer(find, Text{name}).value();
}

void Store::alarm(int64_t vehicle, const char* kind, const Blob& session_id, int64_t times) {
  database_.run(
      "INSERT INTO alarms(vehicle, kind, session_id, count, first_ms, last_ms) VALUES(?1, ?2, ?3, ?5, ?4, ?4) "
      "ON CONFLICT DO UPDATE SET count = count + ?5, last_ms = ?4",
      vehicle, Text{kind}, session_id, now_ms(), times);
}

void Store::count(const char* counter, int64_t by) {
  if (by == 0) return;
  database_.run("INSERT INTO counters(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2",
                Text{counter}, by);
}

}  // namespace cloud
