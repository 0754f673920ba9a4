// SPDX-License-Identifier: Apache-2.0
// Covers tcu::load_config of the Linux agent: toml++, every section and check.
//
// A file gives a ConfigError that begins with its path, or a configuration in which every number is in its documented
// range and every path is absolute.
//
// Input: the file.
#include "../../examples/tcu/config.hpp"

#include <algorithm>

#include "config_file.hpp"

namespace {

using namespace wayseal;

bool absolute_or_none(const std::string& path) { return path.empty() || path[0] == '/'; }

void check(const tcu::Config& config) {
  fuzz::require(!config.bus.log.empty() || !config.bus.interfaces.empty(), "there is a bus");
  fuzz::require(config.bus.speed > 0, "a speed is above 0");
  fuzz::require(!config.token.module.empty() && !config.token.label.empty() && config.token.label.size() <= 32,
                "there is a token");
  fuzz::require(config.token.pin_file.empty() == config.token.pin_fd.has_value(),
                "the PIN comes from one place");
  fuzz::require(!config.gateway.host.empty() && config.gateway.port != 0, "there is a gateway");
  fuzz::require(config.store.spool_mib >= 1 && config.store.spool_mib <= 4096, "a spool has its size");
  fuzz::require(config.batch.longest_ms >= 10 && config.batch.longest_ms <= 3'600'000, "a batch its duration");
  fuzz::require(config.batch.queue_records >= 2 && config.batch.queue_records <= 4096, "the queue its records");
  fuzz::require(config.batch.collect_kib >= 4 && config.batch.collect_kib <= 262'144,
                "the collector its memory");
  fuzz::require(
      config.delivery.retry_min_ms > 0 && config.delivery.retry_min_ms <= config.delivery.retry_max_ms,
      "waiting grows");
  fuzz::require(!config.suites.empty() && std::all_of(config.suites.begin(), config.suites.end(),
                                                      [](int suite) { return suite == 1 || suite == 2; }),
                "suites are known ones");
  for (const std::string* path : {&config.bus.log, &config.token.pin_file, &config.store.directory,
                                  &config.signal_table, &config.status_socket}) {
    fuzz::require(absolute_or_none(*path), "paths are absolute");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::ConfigFile file({data, size});
  try {
    check(tcu::load_config(file.path()));
  } catch (const tcu::ConfigError& error) {
    fuzz::require(std::string(error.what()).rfind(file.path(), 0) == 0, "an error begins with the file");
  }
  return 0;
}
