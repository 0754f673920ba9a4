// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace est {
namespace {

using nlohmann::json;
using Setter = std::function<void(const json&)>;
constexpr size_t kSocketPathMax = 107;
constexpr int64_t kDaysMax = 3650;
constexpr int64_t kIssuesMax = 1000;
constexpr int64_t kRepeatHoursMax = 720;

template <typename T>
Setter number(T& target, int64_t most) {
  return [&target, most](const json& value) {
    const bool good = value.is_number_integer() && value.get<int64_t>() >= 1 && value.get<int64_t>() <= most;
    if (!good) throw std::runtime_error("must be an integer from 1 to " + std::to_string(most));
    target = static_cast<T>(value.get<int64_t>());
  };
}

Setter path(std::string& target, const std::filesystem::path& folder) {
  return [&target, folder](const json& value) {
    if (!value.is_string() || value.get<std::string>().empty()) throw std::runtime_error("must be a path");
    const std::string text = value;
    target = text == "-" ? text : (folder / text).string();
  };
}

[[noreturn]] void fail(const std::string& file, const std::string& key, const std::string& what) {
  std::string text = file;
  text.append(": key '").append(key).append("' ").append(what);
  throw std::runtime_error(text);
}

}  // namespace

Config load_config(const std::string& file) {
  std::ifstream in(file);
  const json root = json::parse(in, nullptr, false, true);
  if (!root.is_object()) throw std::runtime_error(file + ": is no JSON object");
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  Config config;
  const std::map<std::string, Setter> setters = {
      {"socket", path(config.socket, folder)},
      {"register", path(config.register_file, folder)},
      {"issuers", path(config.issuers, folder)},
      {"cacerts", path(config.cacerts, folder)},
      {"log", path(config.log, folder)},
      {"days", number(config.days, kDaysMax)},
      {"issues_per_day", number(config.issues_per_day, kIssuesMax)},
      {"repeat_hours", number(config.repeat_hours, kRepeatHoursMax)},
  };
  for (const auto& [key, value] : root.items()) {
    const auto setter = setters.find(key);
    if (setter == setters.end()) fail(file, key, "is not known");
    try {
      setter->second(value);
    } catch (const std::runtime_error& error) {
      fail(file, key, error.what());
    }
  }
  for (const auto& [key, setter] : setters) {
    if (key != "log" && !root.contains(key)) fail(file, key, "is missing");
  }
  if (config.socket.size() > kSocketPathMax) {
    fail(file, "socket", "gives a path of more than 107 bytes, too long for a socket");
  }
  return config;
}

}  // namespace est
