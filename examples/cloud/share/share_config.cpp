// SPDX-License-Identifier: Apache-2.0
#include "share_config.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace share {
namespace {

using nlohmann::json;
constexpr size_t kSocketPathMax = 107;
constexpr uint32_t kConnectionsMax = 4096;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what);
}

json read_object(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(path, "cannot be read");
  json root = json::parse(file, nullptr, false, true);
  if (!root.is_object()) fail(path, "is not a JSON object");
  return root;
}

std::string beside(const std::string& config_path, const std::string& path) {
  if (path == "-" || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::absolute(config_path).parent_path() / path).string();
}

}  // namespace

Config load_config(const std::string& path) {
  Config config;
  const std::map<std::string, std::string*> texts{{"listen", &config.listen},
                                                  {"telemetry", &config.telemetry},
                                                  {"partners", &config.partners},
                                                  {"accesses", &config.accesses},
                                                  {"log", &config.log}};
  const json root = read_object(path);
  for (const auto& [key, value] : root.items()) {
    const auto text = texts.find(key);
    if (text != texts.end()) {
      if (!value.is_string()) fail(path, "key '" + key + "' has to be a text");
      *text->second = value.get<std::string>();
    } else if (key == "connections_max") {
      const bool usable =
          value.is_number_unsigned() && value.get<uint64_t>() >= 1 && value.get<uint64_t>() <= kConnectionsMax;
      if (!usable) fail(path, "key 'connections_max' has to be a number from 1 to 4096");
      config.connections_max = value.get<uint32_t>();
    } else {
      fail(path, "unknown key '" + key + "'");
    }
  }
  for (const auto& [key, value] : texts) {
    if (value->empty()) fail(path, "key '" + key + "' is missing");
    *value = beside(path, *value);
  }
  if (config.listen.size() > kSocketPathMax)
    fail(path, "key 'listen' gives a path of more than 107 bytes, too long for a socket");
  return config;
}

}  // namespace share
