// SPDX-License-Identifier: Apache-2.0
// A thin C++ face of SQLite: prepared statements that are kept, typed binding, transactions that roll back.
#ifndef WAYSEAL_CLOUD_SQLITE_HPP
#define WAYSEAL_CLOUD_SQLITE_HPP

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bytes.hpp"

namespace cloud {

class DatabaseError : public std::runtime_error {
 public:
  explicit DatabaseError(const std::string& what) : std::runtime_error(what) {}
};

/// Binds as TEXT; a plain Blob binds as BLOB.
struct Text {
  std::string_view value;
};

/// The current row of a query; valid inside the callback only.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  uint64_t unsigned_integer(int column) const { return static_cast<uint64_t>(integer(column)); }
  Blob bytes(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// One connection; one thread.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  /// WAL, synchronous=FULL: what a commit has returned survives a power cut.
  Database(const std::string& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs a script without parameters.
  void script(const char* sql);
  /// Runs one statement. \return rows changed.
  template <typename... Args>
  int64_t run(const char* sql, const Args&... args) {
    Use use(*this, sql);
    bind_all(use.statement, args...);
    step(use.statement);
    return sqlite3_changes64(connection_);
  }
  /// Calls `on_row(const Row&)` for each row.
  template <typename F, typename... Args>
  void each(const char* sql, F&& on_row, const Args&... args) {
    Use use(*this, sql);
    bind_all(use.statement, args...);
    while (step(use.statement)) on_row(Row(use.statement));
  }
  /// First column of the first row; nothing without a row or for NULL.
  template <typename... Args>
  std::optional<int64_t> integer(const char* sql, const Args&... args) {
    Use use(*this, sql);
    bind_all(use.statement, args...);
    if (!step(use.statement) || Row(use.statement).is_null(0)) return std::nullopt;
    return Row(use.statement).integer(0);
  }
  template <typename... Args>
  std::optional<Blob> bytes(const char* sql, const Args&... args) {
    Use use(*this, sql);
    bind_all(use.statement, args...);
    if (!step(use.statement) || Row(use.statement).is_null(0)) return std::nullopt;
    return Row(use.statement).bytes(0);
  }
  int64_t last_row() const { return sqlite3_last_insert_rowid(connection_); }

 private:
  friend class Transaction;
  // Takes a statement from the cache, and resets it however the scope ends.
  struct Use {
    Use(Database& database, const char* sql) : statement(database.prepare(sql)) {}
    ~Use() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    sqlite3_stmt* statement;
  };

  sqlite3_stmt* prepare(const char* sql);
  bool step(sqlite3_stmt* statement);
  [[noreturn]] void fail(const char* what) const;
  void bind(sqlite3_stmt* statement, int index, int64_t value);
  void bind(sqlite3_stmt* statement, int index, const Blob& value);
  void bind(sqlite3_stmt* statement, int index, const Text& value);
  void bind(sqlite3_stmt* statement, int index, std::nullopt_t);
  template <typename T>
  void bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    if (value) {
      bind(statement, index, *value);
    } else {
      bind(statement, index, std::nullopt);
    }
  }
  template <typename... Args>
  void bind_all([[maybe_unused]] sqlite3_stmt* statement, const Args&... args) {
    [[maybe_unused]] int index = 0;
    (bind(statement, ++index, args), ...);
  }

  sqlite3* connection_ = nullptr;
  std::map<std::string_view, sqlite3_stmt*> statements_;  // keyed by the text of a literal
};

/// BEGIN IMMEDIATE, so that two backends do not meet half-way; rolls back unless `commit` was called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  /// Durable when it returns.
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace cloud

#endif
