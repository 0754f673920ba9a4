// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace cloud {
namespace {

using nlohmann::json;
constexpr size_t kSocketPathMax = 107;

using Setters = std::map<std::string, std::function<void(const json&)>>;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what);
}

template <typename T>
std::function<void(const json&)> number(T& target, int64_t least, int64_t most) {
  return [&target, least, most](const json& value) {
    if (!value.is_number_integer()) throw std::runtime_error("must be an integer");
    const auto n = value.get<int64_t>();
    if (n < least || n > most) {
      throw std::runtime_error("must be between " + std::to_string(least) + " and " + std::to_string(most));
    }
    target = static_cast<T>(n);
  };
}

std::function<void(const json&)> text(std::string& target) {
  return [&target](const json& value) { target = value.get<std::string>(); };
}

void apply(const std::string& path, const json& object, const Setters& setters) {
  if (!object.is_object()) fail(path, "must be a JSON object");
  for (const auto& [key, value] : object.items()) {
    const auto setter = setters.find(key);
    if (setter == setters.end()) fail(path, "unknown key '" + key + "'");
    try {
      setter->second(value);
    } catch (const json::exception&) {
      fail(path, "key '" + key + "' has a wrong type");
    } catch (const std::runtime_error& error) {
      fail(path, "key '" + key + "' " + error.what());
    }
  }
}

std::function<void(const json&)> suites(uint32_t& target) {
  return [&target](const json& value) {
    target = 0;
    for (const int suite : value.get<std::vector<int>>()) {
      if (suite != 1 && suite != 2) throw std::runtime_error("may list the suites 1 and 2");
      target |= 1U << (suite - 1);
    }
    if (target == 0) throw std::runtime_error("leaves no usable suite");
  };
}

Setters policy_setters(Policy& policy) {
  return {
      {"suites", suites(policy.suites)},
      {"suites_offered", suites(policy.suites_offered)},
      {"prekeys_per_request", number(policy.prekeys_per_request, 1, 64)},
      {"prekeys_unused_max", number(policy.prekeys_unused_max, 1, 64)},
      {"prekey_days", number(policy.prekey_days, 1, 365)},
      {"last_resort_days", number(policy.last_resort_days, 1, 365)},
      {"offline_days", number(policy.offline_days, 0, 3650)},
      {"sessions_max", number(policy.sessions_max, 2, 1000000)},
  };
}

std::string beside(const std::string& config_path, const std::string& path) {
  if (path.empty() || path == "-") return path;
  const std::filesystem::path p(path);
  return p.is_absolute() ? path : (std::filesystem::absolute(config_path).parent_path() / p).string();
}

Blob first_line(int fd) {
  Blob pin;
  char c = 0;
  while (pin.size() < 255) {
    const ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n' || c == '\r') break;
    pin += c;
  }
  return pin;
}

}  // namespace

Config load_config(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(path, "cannot be read");
  json root;
  try {
    root = json::parse(file, nullptr, true, true);
  } catch (const json::exception& error) {
    fail(path, std::string("is not JSON: ") + error.what());
  }
  Config config;
  const Setters setters = {
      {"listen", text(config.listen)},
      {"database", text(config.database)},
      {"log", text(config.log)},
      {"module", text(config.module)},
      {"module_args", text(config.module_args)},
      {"softhsm2_conf", text(config.softhsm2_conf)},
      {"token", text(config.token)},
      {"pin_file", text(config.pin_file)},
      {"crl_policy", text(config.crl_policy)},
      {"crls", [&](const json& value) { config.crls = value.get<std::vector<std::string>>(); }},
      {"connections_max", number(config.connections_max, 1, 65536)},
      {"policy", [&](const json& value) { apply(path, value, policy_setters(config.policy)); }},
  };
  apply(path, root, setters);
  if (config.database.empty()) fail(path, "key 'database' is missing");
  if (config.crl_policy.empty()) config.crl_policy = "required";
  if (config.crl_policy != "required" && config.crl_policy != "off") {
    fail(path, "key 'crl_policy' must be \"required\" or \"off\"");
  }
  for (std::string* p :
       {&config.listen, &config.database, &config.log, &config.pin_file, &config.softhsm2_conf}) {
    *p = beside(path, *p);
  }
  for (std::string& crl : config.crls) crl = beside(path, crl);
  if (config.listen.size() > kSocketPathMax)
    fail(path, "key 'listen' gives a path of more than 107 bytes, too long for a socket");
  return config;
}

Blob read_pin_fd(int fd) {
  Blob pin = first_line(fd);
  ::close(fd);
  if (pin.empty()) throw std::runtime_error("no PIN came through the given descriptor");
  return pin;
}

Blob read_pin_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) throw std::runtime_error("cannot open the PIN file " + path);
  struct stat info {};
  const bool private_file = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) == 0;
  if (!private_file) {
    ::close(fd);
    throw std::runtime_error("the PIN file " + path + " must be a regular file with mode 0600");
  }
  return read_pin_fd(fd);
}

}  // namespace cloud
