// SPDX-License-Identifier: Apache-2.0
#include "asked.hpp"

#include <ctime>
#include <map>

#include "registry.hpp"

namespace share {
namespace {

constexpr size_t kNameMax = 128;
constexpr size_t kCursorSize = 32;
constexpr char kSignals[] = "/signals";

using Parameters = std::map<std::string, std::string>;

/// `a=1&b=2` as it stands; nothing when a part has no value or a name comes twice.
std::optional<Parameters> split(const std::string& query) {
  Parameters parameters;
  size_t at = 0;
  while (at <= query.size()) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string part = query.substr(at, end - at);
    const size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == part.size()) return std::nullopt;
    if (!parameters.emplace(part.substr(0, equals), part.substr(equals + 1)).second) return std::nullopt;
    at = end + 1;
  }
  return parameters;
}

std::optional<std::string> take(Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  std::string value = found->second;
  parameters.erase(found);
  return value;
}

bool is_signal_name(const std::string& text) {
  return text.size() <= kNameMax && text.find('.') != std::string::npos &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos;
}

bool is_cursor(const std::string& text) {
  return text.size() == kCursorSize && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// \return false when a time is there and is none.
bool take_time(Parameters& parameters, const char* name, std::optional<int64_t>& time_us) {
  const auto text = take(parameters, name);
  if (text) time_us = read_time(*text);
  return !text || time_us;
}

bool read_signals_query(Parameters& parameters, Asked& asked) {
  asked.cursor = take(parameters, "cursor");
  if (asked.cursor) return is_cursor(*asked.cursor) && parameters.empty();
  if (!take_time(parameters, "since", asked.since_us) || !take_time(parameters, "until", asked.until_us))
    return false;
  if (asked.since_us && asked.until_us && *asked.since_us >= *asked.until_us) return false;
  asked.name = take(parameters, "name");
  return (!asked.name || is_signal_name(*asked.name)) && parameters.empty();
}

bool read_list_query(Parameters& parameters, Asked& asked) {
  asked.after = take(parameters, "after");
  return asked.after && is_id(*asked.after) && parameters.empty();
}

}  // namespace

std::optional<int64_t> read_time(const std::string& text) {
  std::tm parts{};
  constexpr size_t kSize = 20;
  if (text.size() != kSize || text.find_first_not_of("0123456789-:TZ") != std::string::npos)
    return std::nullopt;
  const char* const stop = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (stop == nullptr || *stop != '\0') return std::nullopt;
  const std::time_t seconds = ::timegm(&parts);
  // The 30th of February becomes another day.
  char again[kSize + 1];
  std::tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(again, sizeof again, "%Y-%m-%dT%H:%M:%SZ", &utc) != kSize || text != again)
    return std::nullopt;
  return static_cast<int64_t>(seconds) * 1000000;
}

Asked read_target(const std::string& target) {
  Asked asked;
  const size_t mark = target.find('?');
  const std::string path = target.substr(0, mark);
  const std::string start = std::string(kVehiclesPath) + "/";
  if (path != kVehiclesPath) {
    asked.signals = true;
    const size_t end = path.size() - std::min(path.size(), sizeof kSignals - 1);
    const bool whole = path.compare(0, start.size(), start) == 0 && end > start.size() &&
                       path.compare(end, std::string::npos, kSignals) == 0;
    if (whole) asked.vehicle = path.substr(start.size(), end - start.size());
    if (!is_id(asked.vehicle)) {
      asked.vehicle.clear();
      asked.trouble = Trouble::kNoSuchResource;
      return asked;
    }
  }
  if (mark == std::string::npos) return asked;
  auto parameters = split(target.substr(mark + 1));
  const bool good = parameters && (asked.signals ? read_signals_query(*parameters, asked)
                                                 : read_list_query(*parameters, asked));
  if (!good) asked.trouble = Trouble::kParameters;
  return asked;
}

}  // namespace share
