// SPDX-License-Identifier: Apache-2.0
#include "dbc/table_builder.hpp"

#include <openssl/sha.h>

#include "dbc/plan.hpp"

namespace wayseal::oem {

BuiltTable build_table(const std::vector<BusDbc>& files, const TableOptions& options) {
  TablePlan plan = plan_table(files, options);
  BuiltTable built;
  built.bytes = write_table(plan, options);
  built.warnings = std::move(plan.warnings);
  SignalTable table;
  if (table.load({built.bytes.data(), built.bytes.size()}) != Status::kOk) {
    throw TableError("the table that was built does not pass its own check; please report this DBC");
  }
  return built;
}

uint64_t table_id(Bytes core_section) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(core_section.data(), core_section.size(), digest);
  return load_be64(digest);
}

bool has_true_id(Bytes bytes) {
  if (bytes.size() < table_format::kHeaderSize) return false;
  const uint32_t core_size = load_le32(bytes.data() + table_format::header::kCoreSize);
  const Bytes core = bytes.from(table_format::kHeaderSize).first(core_size);
  return table_id(core) == load_be64(bytes.data() + table_format::header::kId);
}

bool matches(const std::string& pattern, const std::string& text) {
  // The last star takes as little as it can, and one more each time that the rest does not fit.
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string::npos;
  size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

}  // namespace wayseal::oem
