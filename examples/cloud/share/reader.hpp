// SPDX-License-Identifier: Apache-2.0
// One page of a vehicle's samples out of the backend's database, which is opened for reading only.
#ifndef WAYSEAL_SHARE_READER_HPP
#define WAYSEAL_SHARE_READER_HPP

#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "registry.hpp"
#include "sqlite.hpp"

namespace share {

/// Where a page begins: a record in the order of arrival, and a sample in it. Late records come behind, so that nobody who follows
/// misses one.
struct Position {
  int64_t record = 0;
  int64_t sample = 0;
};

struct PageQuery {
  std::string vehicle;
  Position from;
  int64_t since_us = 0;         ///< As asked for; `permit` limits it further.
  int64_t until_us = 0;         ///< Not included.
  std::set<std::string> names;  ///< `Message.Signal`; those that are asked for and granted.
};

struct Page {
  nlohmann::ordered_json samples = nlohmann::ordered_json::array();
  Position end;            ///< Where the next page begins.
  bool more = false;       ///< Whether there was more to look at.
  int64_t unreadable = 0;  ///< Batches whose table is missing, or that break the format.
};

/// At most 1000 samples out of at most 64 batches. Samples that the vehicle had no clock for are never given: nobody can say whether they
/// lie within the grant. Throws cloud::DatabaseError.
Page read_page(cloud::Database& database, const PageQuery& query, const Permit& permit);

}  // namespace share

#endif
