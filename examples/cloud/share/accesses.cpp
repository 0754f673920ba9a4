// SPDX-License-Identifier: Apache-2.0
#include "accesses.hpp"

#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace share {
namespace {

using cloud::Blob;
using cloud::Text;

constexpr size_t kHandleBytes = 16;
constexpr size_t kLogKeyBytes = 32;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accesses(
  id INTEGER PRIMARY KEY, handle TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, partner TEXT NOT NULL,
  certificate TEXT NOT NULL, route TEXT NOT NULL, vehicle TEXT NOT NULL, outcome TEXT NOT NULL,
  grants TEXT NOT NULL, purposes TEXT NOT NULL, signals TEXT NOT NULL, since_us INTEGER, until_us INTEGER,
  name TEXT NOT NULL, count INTEGER NOT NULL, kid TEXT NOT NULL, end_record INTEGER NOT NULL,
  end_sample INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS accesses_by_vehicle ON accesses(vehicle, at_ms);
)sql";

Blob random_bytes(size_t size) {
  Blob bytes(size, '\0');
  if (RAND_bytes(cloud::octets(bytes), static_cast<int>(size)) != 1) throw std::runtime_error("no randomness");
  return bytes;
}

std::optional<int64_t> maybe(const cloud::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

/// A row of `SELECT *`.
Access access_of(const cloud::Row& row) {
  Access access;
  access.handle = row.bytes(1);
  access.at_ms = row.integer(2);
  access.partner = row.bytes(3);
  access.certificate = row.bytes(4);
  access.route = row.bytes(5);
  access.vehicle = row.bytes(6);
  access.outcome = row.bytes(7);
  access.grants = row.bytes(8);
  access.purposes = row.bytes(9);
  access.signals = row.bytes(10);
  access.since_us = maybe(row, 11);
  access.until_us = maybe(row, 12);
  access.name = row.bytes(13);
  access.count = row.integer(14);
  access.kid = row.bytes(15);
  access.end = {row.integer(16), row.integer(17)};
  return access;
}

}  // namespace

std::string random_handle() { return cloud::hex(random_bytes(kHandleBytes)); }

Accesses::Accesses(const std::string& path, cloud::Database::Mode mode) : database_(path, mode) {
  if (mode == cloud::Database::Mode::kReadWrite) database_.script(kSchema);
}

Blob Accesses::log_key() {
  database_.run("INSERT OR IGNORE INTO meta(name, value) VALUES('log_key', ?)", random_bytes(kLogKeyBytes));
  return database_.bytes("SELECT value FROM meta WHERE name = 'log_key'").value();
}

void Accesses::add(const Access& a) {
  database_.run("INSERT INTO accesses VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                Text{a.handle}, a.at_ms, Text{a.partner}, Text{a.certificate}, Text{a.route}, Text{a.vehicle},
                Text{a.outcome}, Text{a.grants}, Text{a.purposes}, Text{a.signals}, a.since_us, a.until_us,
                Text{a.name}, a.count, Text{a.kid}, a.end.record, a.end.sample);
}

std::optional<Access> Accesses::find(const std::string& handle, const std::string& partner,
                                     const std::string& vehicle) {
  std::optional<Access> found;
  database_.each(
      "SELECT * FROM accesses WHERE handle = ? AND partner = ? AND vehicle = ? AND route = 'signals' AND "
      "outcome = 'given'",
      [&](const cloud::Row& row) { found = access_of(row); }, Text{handle}, Text{partner}, Text{vehicle});
  return found;
}

void Accesses::each(const Filter& filter, const std::function<void(const Access&)>& on_access) {
  database_.each(
      "SELECT * FROM accesses WHERE (?1 = '' OR partner = ?1) AND (?2 = '' OR vehicle = ?2) AND at_ms >= ?3 "
      "ORDER BY id",
      [&](const cloud::Row& row) { on_access(access_of(row)); }, Text{filter.partner}, Text{filter.vehicle},
      filter.since_ms);
}

}  // namespace share
