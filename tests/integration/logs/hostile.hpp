// SPDX-License-Identifier: Apache-2.0
// Text that wants to become more than text in a log, and a reader of logs that takes nothing on trust.
#ifndef WAYSEAL_TESTS_LOGS_HOSTILE_HPP
#define WAYSEAL_TESTS_LOGS_HOSTILE_HPP

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace logs_test {

/// In every hostile string; a vehicle's id that no log may hold in plain, hexadecimal or base64.
inline constexpr char kPlantedId[] = "WVWZZZ1KZAW000042";
/// 32 bytes, base64: the log key of every program here.
inline constexpr char kLogKey[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const std::vector<std::string>& hostile_strings();

/// For the inside of a request: each byte as %XX.
std::string percent(const std::string& text);

/// Lines of a log, each one JSON object in printable ASCII with `event` and no name that is given twice or not in `known`. What is
/// wrong is in `faults`. What HAProxy says in its own form before its first line is left out.
struct ReadLog {
  ReadLog(const std::string& text, const std::set<std::string>& known);
  std::vector<nlohmann::json> lines;
  std::vector<std::string> faults;
};

/// Those of the secrets that `text` holds in plain, hexadecimal of either case, or base64 at any of the three places.
std::vector<std::string> found_in(const std::string& text, const std::vector<std::string>& secrets);

}  // namespace logs_test

#endif
