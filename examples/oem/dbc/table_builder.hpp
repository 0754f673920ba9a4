// SPDX-License-Identifier: Apache-2.0
/// \file
/// From DBC files to the one table that a vehicle uses.
#ifndef WAYSEAL_OEM_DBC_TABLE_BUILDER_HPP
#define WAYSEAL_OEM_DBC_TABLE_BUILDER_HPP

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "dbc/model.hpp"
#include "wayseal/core/bytes.hpp"

namespace wayseal::oem {

/// One DBC and the bus that it describes.
struct BusDbc {
  std::string bus;  ///< Name of the interface, at most 15 bytes; empty: every bus. All files or none have one.
  DbcFile dbc;
};

/// "at most every so many milliseconds" for the signals that a pattern names.
struct IntervalRule {
  std::string pattern;
  uint32_t min_interval_ms = 0;
};

/// What goes into a table. A pattern names signals as "Signal" or "Message.Signal"; '*' stands for any text.
struct TableOptions {
  std::string name;  ///< At most 32 bytes of UTF-8.
  uint32_t version = 1;
  std::vector<std::string> collect = {"*"};
  std::vector<std::string> on_change;   ///< Kept only when their value changes; the rest keep every sample.
  std::vector<IntervalRule> intervals;  ///< A later rule overrides an earlier one.
  bool names = true;                    ///< Whether to write the names section.
};

/// The options ask for what the files don't have, or more than a table holds.
class TableError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct BuiltTable {
  std::vector<uint8_t> bytes;
  std::vector<Diagnostic> warnings;  ///< Those of the files and of joining them.
};

/// Builds a table and loads it once, so that what leaves here is what a vehicle accepts. Signals that are not
/// collected are left out, except multiplexer switches that collected ones depend on; messages without any
/// collected signal are left out too, and so are not told apart from unknown ones by the vehicle. With "*"
/// everything stays. The same input gives the same bytes. \throw TableError
BuiltTable build_table(const std::vector<BusDbc>& files, const TableOptions& options);

/// The id that a core section must have: computed with OpenSSL, for comparing with SignalTable::id().
uint64_t table_id(Bytes core_section);
/// Whether a table that has been loaded from `bytes` bears the id of its core section.
bool has_true_id(Bytes bytes);

/// Whether `text` is what `pattern` describes; '*' stands for any text, also none.
bool matches(const std::string& pattern, const std::string& text);

}  // namespace wayseal::oem

#endif
