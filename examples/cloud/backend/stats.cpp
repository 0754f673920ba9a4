// SPDX-License-Identifier: Apache-2.0
#include "stats.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "commands.hpp"

namespace cloud {
namespace {

/// Records that vehicles have reported as missing. Reports are cumulative and their ranges grow together, so
/// of ranges
/// that overlap only the largest count holds.
int64_t records_lost(Database& database) {
  int64_t total = 0;
  int64_t vehicle = -1;
  Blob session;
  int64_t end = -1;
  int64_t count = 0;
  database.each(
      "SELECT vehicle, session_id, first, last, count FROM losses ORDER BY vehicle, session_id, first",
      [&](const Row& row) {
        const bool joined = row.integer(0) == vehicle && row.bytes(1) == session && row.integer(2) <= end;
        if (!joined) {
          total += count;
          count = 0;
          end = -1;
        }
        vehicle = row.integer(0);
        session = row.bytes(1);
        end = std::max(end, row.integer(3));
        count = std::max(count, row.integer(4));
      });
  return total + count;
}

/// Records lost in sessions whose names the vehicle has forgotten. It counts up until a report is acknowledged and may
/// then start anew: in the order in which the reports were sealed, a count that is lower than the one before begins a
/// new run, and of each run the last count holds. A new run that starts at no less than the former one's end looks
/// like its continuation, so this is the least that was lost.
int64_t nameless_lost(Database& database) {
  int64_t total = 0;
  int64_t vehicle = -1;
  int64_t count = 0;
  database.each(
      "SELECT vehicle, count FROM nameless_losses JOIN sessions ON sessions.id = session "
      "ORDER BY vehicle, counter, sessions.id, sequence",
      [&](const Row& row) {
        if (row.integer(0) != vehicle || row.integer(1) < count) total += count;
        vehicle = row.integer(0);
        count = row.integer(1);
      });
  return total + count;
}

int64_t one(Database& database, const char* sql) { return database.integer(sql).value_or(0); }

}  // namespace

nlohmann::ordered_json collect_stats(Database& database) {
  nlohmann::ordered_json json;
  for (const char* const name :
       {"records_stored", "duplicates", "samples", "payload_bytes", "sealed_bytes", "upload_bytes",
        "reply_bytes", "uploads", "sessions", "refusals", "not_authentic", "not_opened", "malformed",
        "unknown_session", "unknown_type", "undecodable"}) {
    json[name] = database.integer("SELECT value FROM counters WHERE name = ?", Text{name}).value_or(0);
  }
  json["vehicles"] = one(database, "SELECT COUNT(*) FROM vehicles");
  json["sessions_open"] = one(database, "SELECT COUNT(*) FROM sessions WHERE state = 1");
  json["records_lost"] = records_lost(database) + nameless_lost(database);
  json["batches_dropped"] = one(database, "SELECT SUM(batches_dropped) FROM starts");
  json["samples_dropped"] = one(database, "SELECT SUM(samples_dropped) FROM starts");
  json["frames"] = one(database, "SELECT SUM(frames) FROM buses");
  json["frames_dropped"] = one(database, "SELECT SUM(frames_dropped) FROM buses");
  json["alarms"] = one(database, "SELECT SUM(count) FROM alarms");
  json["alarm_kinds"] = nlohmann::ordered_json::object();
  database.each("SELECT kind, SUM(count) FROM alarms GROUP BY kind ORDER BY kind",
                [&json](const Row& row) { json["alarm_kinds"][row.bytes(0)] = row.integer(1); });
  return json;
}

int print_stats(const std::string& database_path, Format format) {
  Database database(database_path, Database::Mode::kReadOnly);
  const auto json = collect_stats(database);
  if (format == Format::kJson) {
    std::cout << json.dump() << '\n';
    return 0;
  }
  for (const auto& [name, value] : json.items()) {
    if (value.is_number()) std::printf("%-18s %15s\n", name.c_str(), value.dump().c_str());
  }
  for (const auto& [name, value] : json["alarm_kinds"].items()) {
    std::printf("  alarm %-26s %s\n", name.c_str(), value.dump().c_str());
  }
  return 0;
}

int list_vehicles(const std::string& database_path, Format format) {
  Database database(database_path, Database::Mode::kReadOnly);
  auto json = nlohmann::ordered_json::array();
  database.each(
      "SELECT name, (SELECT COUNT(*) FROM sessions WHERE vehicle = vehicles.id), "
      "(SELECT COUNT(*) FROM records JOIN sessions ON sessions.id = records.session WHERE vehicle = "
      "vehicles.id) "
      "FROM vehicles ORDER BY name",
      [&json](const Row& row) {
        json.push_back({{"vehicle", row.bytes(0)}, {"sessions", row.integer(1)}, {"records", row.integer(2)}});
      });
  if (format == Format::kJson) {
    std::cout << json.dump() << '\n';
    return 0;
  }
  for (const auto& row : json) {
    std::printf("%-32s sessions %s, records %s\n", row["vehicle"].get<std::string>().c_str(),
                row["sessions"].dump().c_str(), row["records"].dump().c_str());
  }
  return 0;
}

}  // namespace cloud
