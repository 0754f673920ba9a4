// SPDX-License-Identifier: Apache-2.0
#include "sqlite.hpp"

namespace cloud {

Blob Row::bytes(int column) const {
  const void* start = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return size == 0 ? Blob() : Blob(static_cast<const char*>(start), size);
}

Database::Database(const std::string& path, Mode mode) {
  const int flags = mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(path.c_str(), &connection_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    sqlite3_close(connection_);
    throw DatabaseError("cannot open the database " + path);
  }
  sqlite3_busy_timeout(connection_, 10000);
  try {
    if (mode == Mode::kReadWrite) script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
    script("PRAGMA foreign_keys=ON;");
  } catch (...) {
    sqlite3_close(connection_);
    throw;
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

void Database::fail(const char* what) const {
  throw DatabaseError(std::string(what) + ": " + sqlite3_errmsg(connection_));
}

void Database::script(const char* sql) {
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("database script");
}

sqlite3_stmt* Database::prepare(const char* sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    fail("database statement");
  }
  statements_.emplace(sql, statement);
  return statement;
}

bool Database::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail("database");
  return false;
}

void Database::bind(sqlite3_stmt* statement, int index, int64_t value) {
  if (sqlite3_bind_int64(statement, index, value) != SQLITE_OK) fail("database binding");
}

void Database::bind(sqlite3_stmt* statement, int index, const Blob& value) {
  // SQLITE_STATIC: the value outlives the statement's use, which ends inside the call that binds it.
  const void* start = value.empty() ? "" : value.data();
  if (sqlite3_bind_blob64(statement, index, start, value.size(), SQLITE_STATIC) != SQLITE_OK) {
    fail("database binding");
  }
}

void Database::bind(sqlite3_stmt* statement, int index, const Text& value) {
  if (sqlite3_bind_text64(statement, index, value.value.data(), value.value.size(), SQLITE_STATIC,
                          SQLITE_UTF8) != SQLITE_OK) {
    fail("database binding");
  }
}

void Database::bind(sqlite3_stmt* statement, int index, std::nullopt_t) {
  if (sqlite3_bind_null(statement, index) != SQLITE_OK) fail("database binding");
}

Transaction::Transaction(Database& database) : database_(database) { database_.script("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.script("COMMIT");
  open_ = false;
}

}  // namespace cloud
