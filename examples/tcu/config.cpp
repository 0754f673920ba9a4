// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <toml++/toml.h>
#include <filesystem>
#include <limits>
#include <set>
#include <sstream>

#include "wayseal/access/access_token.hpp"

namespace tcu {
namespace {

constexpr uint32_t kRenewDaysMax = 3650;

/// One table of the file, which must hold nothing that is not asked for.
class Section {
 public:
  Section(const toml::table& root, std::string name, std::string file)
      : name_(std::move(name)), file_(std::move(file)), table_(root[name_].as_table()) {
    if (table_ == nullptr && root.contains(name_)) fail(root.get(name_), "must be a table");
  }

  template <typename T>
  void read(const std::string& key, T& out) {
    known_.insert(key);
    const toml::node* node = find(key);
    if (node == nullptr) return;
    if constexpr (std::is_same_v<T, std::string>) {
      out = string_of(*node, key);
    } else if constexpr (std::is_same_v<T, double>) {
      const auto value = node->value<double>();
      if (!value) fail(node, key + " must be a number");
      out = *value;
    } else {
      out = integer_of<T>(*node, key);
    }
  }

  void read_strings(const std::string& key, std::vector<std::string>& out) {
    for_each(key, [&](const toml::node& node) { out.push_back(string_of(node, key)); });
  }
  void read_integers(const std::string& key, std::vector<int>& out) {
    std::vector<int> values;
    for_each(key, [&](const toml::node& node) { values.push_back(integer_of<int>(node, key)); });
    if (!values.empty()) out = values;
  }

  [[noreturn]] void fail(const toml::node* node, const std::string& what) const {
    std::ostringstream text;
    text << file_;
    if (node != nullptr) text << ':' << node->source().begin.line;
    text << ": [" << name_ << "] " << what;
    throw ConfigError(text.str());
  }

  void require(bool good, const std::string& key, const std::string& what) const {
    if (!good) fail(find(key) != nullptr ? find(key) : table_, key + ' ' + what);
  }

  /// Refuses keys that nobody read: a misspelt key would otherwise be a silent default.
  void finish() const {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (known_.count(std::string(key.str())) == 0)
        fail(&node, "unknown key '" + std::string(key.str()) + "'");
    }
  }

 private:
  const toml::node* find(const std::string& key) const {
    return table_ == nullptr ? nullptr : table_->get(key);
  }

  std::string string_of(const toml::node& node, const std::string& key) const {
    const auto value = node.value_exact<std::string>();
    if (!value) fail(&node, key + " must be a string");
    return *value;
  }

  template <typename T>
  T integer_of(const toml::node& node, const std::string& key) const {
    const auto value = node.value_exact<int64_t>();
    const auto most = static_cast<int64_t>(std::numeric_limits<T>::max());
    if (!value || *value < 0 || *value > most) {
      fail(&node, key + " must be a whole number from 0 to " + std::to_string(most));
    }
    return static_cast<T>(*value);
  }

  template <typename Visit>
  void for_each(const std::string& key, Visit visit) {
    known_.insert(key);
    const toml::node* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array()) fail(node, key + " must be an array");
    for (const toml::node& item : *node->as_array()) visit(item);
  }

  std::string name_;
  std::string file_;
  const toml::table* table_;
  std::set<std::string> known_;
};

void read_bus(const toml::table& root, const std::string& file, BusConfig& out) {
  Section section(root, "bus", file);
  section.read_strings("interfaces", out.interfaces);
  section.read("log", out.log);
  std::string pace = "recorded";
  section.read("pace", pace);
  section.read("speed", out.speed);
  section.require(pace == "recorded" || pace == "max", "pace", "must be \"recorded\" or \"max\"");
  section.require(out.speed > 0, "speed", "must be above 0");
  section.require(!out.log.empty() || !out.interfaces.empty(), "interfaces", "or log must be given");
  out.as_fast_as_it_goes = pace == "max";
  section.finish();
}

void read_token(const toml::table& root, const std::string& file, TokenConfig& out) {
  Section section(root, "token", file);
  section.read("module", out.module);
  section.read("module_args", out.module_args);
  section.read("label", out.label);
  section.read("pin_file", out.pin_file);
  constexpr int kNone = std::numeric_limits<int>::max();
  int fd = kNone;
  section.read("pin_fd", fd);
  if (fd != kNone) out.pin_fd = fd;
  section.require(!out.module.empty(), "module", "is missing: the path of a PKCS#11 module");
  section.require(!out.label.empty() && out.label.size() <= 32, "label", "must have 1 to 32 characters");
  section.require(out.pin_file.empty() == out.pin_fd.has_value(), "pin_file",
                  "or pin_fd must be given, not both");
  section.finish();
}

void read_store(const toml::table& root, const std::string& file, StoreConfig& out) {
  Section section(root, "store", file);
  section.read("directory", out.directory);
  section.read("spool_mib", out.spool_mib);
  section.require(!out.directory.empty(), "directory", "is missing");
  section.require(out.spool_mib >= 1 && out.spool_mib <= 4096, "spool_mib", "must be 1 to 4096");
  section.finish();
}

void read_batch(const toml::table& root, const std::string& file, BatchConfig& out) {
  Section section(root, "batch", file);
  section.read("longest_ms", out.longest_ms);
  section.read("queue_records", out.queue_records);
  section.read("collect_kib", out.collect_kib);
  section.require(out.longest_ms >= 10 && out.longest_ms <= 3'600'000, "longest_ms", "must be 10 to 3600000");
  section.require(out.queue_records >= 2 && out.queue_records <= 4096, "queue_records", "must be 2 to 4096");
  section.require(out.collect_kib >= 4 && out.collect_kib <= 262'144, "collect_kib", "must be 4 to 262144");
  section.finish();
}

void read_the_rest(const toml::table& root, const std::string& file, Config& out) {
  Section gateway(root, "gateway", file);
  gateway.read("host", out.gateway.host);
  gateway.read("port", out.gateway.port);
  gateway.read("scope", out.gateway.scope);
  gateway.require(!out.gateway.host.empty(), "host", "is missing");
  gateway.require(out.gateway.port != 0, "port", "must not be 0");
  gateway.require(out.gateway.scope.size() <= wayseal::kScopeMax, "scope", "is too long");
  gateway.finish();

  Section enrolment(root, "enrolment", file);
  out.enrolment.host = out.gateway.host;
  enrolment.read("host", out.enrolment.host);
  enrolment.read("port", out.enrolment.port);
  enrolment.read("renew_days", out.enrolment.renew_days);
  enrolment.require(!out.enrolment.host.empty(), "host", "must not be empty");
  enrolment.require(out.enrolment.renew_days >= 1 && out.enrolment.renew_days <= kRenewDaysMax, "renew_days",
                    "must be 1 to 3650");
  enrolment.finish();

  Section delivery(root, "delivery", file);
  delivery.read("retry_min_ms", out.delivery.retry_min_ms);
  delivery.read("retry_max_ms", out.delivery.retry_max_ms);
  delivery.require(out.delivery.retry_min_ms > 0 && out.delivery.retry_min_ms <= out.delivery.retry_max_ms,
                   "retry_min_ms", "must be above 0 and at most retry_max_ms");
  delivery.finish();

  Section policy(root, "policy", file);
  policy.read_integers("suites", out.suites);
  for (const int suite : out.suites) policy.require(suite == 1 || suite == 2, "suites", "knows 1 and 2");
  policy.finish();

  Section signals(root, "signals", file);
  signals.read("table", out.signal_table);
  signals.require(!out.signal_table.empty(), "table", "is missing: make one with `wayseal-oem dbc`");
  signals.finish();

  Section status(root, "status", file);
  status.read("socket", out.status_socket);
  status.finish();
}

void refuse_unknown_sections(const toml::table& root, const std::string& file) {
  static const std::set<std::string> known = {"bus",   "token",    "gateway", "enrolment", "store",
                                              "batch", "delivery", "policy",  "signals",   "status"};
  for (const auto& [key, node] : root) {
    if (known.count(std::string(key.str())) != 0) continue;
    std::ostringstream text;
    text << file << ':' << node.source().begin.line << ": unknown section [" << key.str() << ']';
    throw ConfigError(text.str());
  }
}

void make_absolute(const std::filesystem::path& folder, std::string& path) {
  if (!path.empty() && std::filesystem::path(path).is_relative()) path = (folder / path).string();
}

}  // namespace

Config load_config(const std::string& path) {
  toml::table root;
  try {
    root = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    std::ostringstream text;
    text << path << ':' << error.source().begin.line << ": " << error.description();
    throw ConfigError(text.str());
  }
  Config config;
  refuse_unknown_sections(root, path);
  read_bus(root, path, config.bus);
  read_token(root, path, config.token);
  read_store(root, path, config.store);
  read_batch(root, path, config.batch);
  read_the_rest(root, path, config);
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  for (std::string* file : {&config.bus.log, &config.token.pin_file, &config.store.directory,
                            &config.signal_table, &config.status_socket}) {
    make_absolute(folder, *file);
  }
  return config;
}

}  // namespace tcu
