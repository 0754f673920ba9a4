// SPDX-License-Identifier: Apache-2.0
// What a partner asks for, out of a request's target. There is one way to write each request; every other is refused.
#ifndef WAYSEAL_SHARE_ASKED_HPP
#define WAYSEAL_SHARE_ASKED_HPP

#include <cstdint>
#include <optional>
#include <string>

namespace share {

inline constexpr char kVehiclesPath[] = "/v1/share/vehicles";

enum class Trouble { kNone, kNoSuchResource, kParameters };

struct Asked {
  Trouble trouble = Trouble::kNone;
  bool signals = false;               ///< Otherwise the list of vehicles.
  std::string vehicle;                ///< Of `signals`; empty when it is no vehicle id.
  std::optional<int64_t> since_us;    ///< UTC.
  std::optional<int64_t> until_us;    ///< Not included.
  std::optional<std::string> name;    ///< `Message.Signal`.
  std::optional<std::string> cursor;  ///< 32 hexadecimal digits; comes with no other parameter.
  std::optional<std::string> after;   ///< Of the list: vehicles behind this one.
};

/// `/v1/share/vehicles[?after=ID]` and `/v1/share/vehicles/ID/signals[?since=TIME&until=TIME&name=Message.Signal]` or `?cursor=CURSOR`:
/// each parameter at most once, no percent signs, TIME as `2026-11-22T16:00:00Z`.
Asked read_target(const std::string& target);

/// `2026-11-22T16:00:00Z` in microseconds; nothing for any other text, and for days that do not exist.
std::optional<int64_t> read_time(const std::string& text);

}  // namespace share

#endif
