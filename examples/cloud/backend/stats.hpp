// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_CLOUD_STATS_HPP
#define WAYSEAL_CLOUD_STATS_HPP

#include <nlohmann/json.hpp>

#include "sqlite.hpp"

namespace cloud {

/// Everything that the backend counts; README.md names the keys.
nlohmann::ordered_json collect_stats(Database& database);

}  // namespace cloud

#endif
