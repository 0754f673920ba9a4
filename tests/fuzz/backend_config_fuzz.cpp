// SPDX-License-Identifier: Apache-2.0
// Covers cloud::load_config of the backend: nlohmann::json, every key and check.
//
// A file gives an error that begins with its path, or a configuration in which every number is in its documented range.
//
// Input: the file.
#include "config.hpp"

#include <stdexcept>

#include "config_file.hpp"

namespace {

using namespace wayseal;

void check(const cloud::Config& config) {
  fuzz::require(!config.database.empty() && config.database[0] == '/', "there is a database");
  fuzz::require(config.listen.size() <= 107, "a socket's path fits");
  fuzz::require(config.crl_policy == "required" || config.crl_policy == "off", "a CRL policy is known");
  fuzz::require(config.connections_max >= 1 && config.connections_max <= 65536, "connections have their limit");
  const cloud::Policy& policy = config.policy;
  fuzz::require(policy.suites >= 1 && policy.suites <= 3, "suites are known ones");
  fuzz::require(policy.prekeys_per_request >= 1 && policy.prekeys_per_request <= 64,
                "prekeys have their number");
  fuzz::require(policy.prekeys_unused_max >= 1 && policy.prekeys_unused_max <= 64, "also the unused ones");
  fuzz::require(policy.prekey_days >= 1 && policy.prekey_days <= 365, "and their age");
  fuzz::require(policy.last_resort_days >= 1 && policy.last_resort_days <= 365, "the last resort too");
  fuzz::require(policy.offline_days >= 0 && policy.offline_days <= 3650, "a vehicle may be away for so long");
  fuzz::require(policy.sessions_max >= 2 && policy.sessions_max <= 1000000, "sessions have their number");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::ConfigFile file({data, size});
  try {
    check(cloud::load_config(file.path()));
  } catch (const std::runtime_error& error) {
    fuzz::require(std::string(error.what()).rfind(file.path(), 0) == 0, "an error begins with the file");
  }
  return 0;
}
