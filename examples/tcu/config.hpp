// SPDX-License-Identifier: Apache-2.0
/// \file
/// The agent's configuration file (TOML). `wayseal-tcu.toml` beside this file shows every key.
#ifndef WAYSEAL_EXAMPLES_TCU_CONFIG_HPP
#define WAYSEAL_EXAMPLES_TCU_CONFIG_HPP

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tcu {

/// Says file, line and what is wrong; nothing secret is ever in it.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What cannot be used, in words for whoever set it up.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct BusConfig {
  std::vector<std::string>
      interfaces;   ///< SocketCAN names; or, for a log, the names in the order of the buses.
  std::string log;  ///< candump -L file; empty: SocketCAN.
  bool as_fast_as_it_goes = false;
  double speed = 1.0;
};

struct TokenConfig {
  std::string module;
  std::string module_args;  ///< Handed to C_Initialize; NSS softoken needs it. Not for secrets.
  std::string label = "vehicle";
  std::string pin_file;  ///< 0600; the PIN and nothing else.
  std::optional<int> pin_fd;
};

struct GatewayConfig {
  std::string host;
  uint16_t port = 8443;
  std::string scope = {};  ///< Of the access token that is asked for; empty: the gateway wants none.
};

/// Where certificates are renewed (EST, RFC 7030). Without a port they stay as provisioned.
struct EnrolmentConfig {
  std::string host;          ///< Default: the gateway's.
  uint16_t port = 0;         ///< 0: nowhere.
  uint32_t renew_days = 30;  ///< Days before its end when a certificate is renewed.
};

struct StoreConfig {
  std::string directory;  ///< 0700, holds `spool` and `state`.
  uint32_t spool_mib = 64;
};

struct BatchConfig {
  uint32_t longest_ms = 10'000;
  uint32_t queue_records = 16;  ///< Closed batches that may wait for the token: what a power loss can take.
  uint32_t collect_kib = 1024;  ///< Memory for the batch being collected.
};

struct DeliveryConfig {
  uint32_t retry_min_ms = 1'000;
  uint32_t retry_max_ms = 300'000;
};

struct Config {
  BusConfig bus;
  TokenConfig token;
  GatewayConfig gateway;
  EnrolmentConfig enrolment;
  StoreConfig store;
  BatchConfig batch;
  DeliveryConfig delivery;
  std::vector<int> suites = {1, 2};
  std::string signal_table;
  std::string status_socket;  ///< empty: none
};

/// Reads and checks a file. Relative paths are relative to the file's folder. Throws ConfigError.
Config load_config(const std::string& path);

}  // namespace tcu

#endif
