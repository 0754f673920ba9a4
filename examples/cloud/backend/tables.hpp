// SPDX-License-Identifier: Apache-2.0
// Signal tables: what the raw integers of batches mean. The one place of the backend that uses the library (its
// SignalTable reader); everything on the wire is written on its own.
#ifndef WAYSEAL_CLOUD_TABLES_HPP
#define WAYSEAL_CLOUD_TABLES_HPP

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sqlite.hpp"
#include "wayseal/signal/signal_table.hpp"

namespace cloud {

struct SignalName {
  std::string message;
  std::string signal;
  std::string unit;
};

/// One table with its bytes.
class Table {
 public:
  /// Throws when the bytes are no table, or its id is not that of its core section.
  explicit Table(Blob file);
  uint64_t id() const { return table_.id(); }
  /// Index of a signal from its group and place; nothing when the table has no such signal.
  std::optional<uint16_t> index(uint32_t group, uint32_t signal) const;
  const SignalName& name(uint16_t index) const { return names_[index]; }
  size_t size() const { return names_.size(); }
  double physical(uint16_t index, uint64_t raw) const { return wayseal::physical(table_, index, raw); }
  /// What the table's value list calls this value; mostly empty.
  std::string text(uint16_t index, uint64_t raw) const;

 private:
  Blob file_;
  wayseal::SignalTable table_;
  std::vector<SignalName> names_;
};

/// Tables of the database, read when they are needed.
class Tables {
 public:
  explicit Tables(Database& database) : database_(database) {}
  /// \return nullptr when the database does not have it.
  const Table* find(uint64_t id);

 private:
  Database& database_;
  std::map<uint64_t, std::unique_ptr<Table>> tables_;
};

/// Files a table. \return its id.
uint64_t add_table(Database& database, const std::string& path);

}  // namespace cloud

#endif
