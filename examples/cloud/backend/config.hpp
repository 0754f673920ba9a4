// SPDX-License-Identifier: Apache-2.0
// The backend's configuration file: JSON, comments allowed. README.md of this folder lists the keys.
#ifndef WAYSEAL_CLOUD_CONFIG_HPP
#define WAYSEAL_CLOUD_CONFIG_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace cloud {

struct Policy {
  uint32_t suites = 3;                ///< Bit n-1 for suite n; those that the token lacks are left out.
  uint32_t suites_offered = 3;        ///< Of these, what prekeys are offered for; see README.md.
  uint32_t prekeys_per_request = 16;  ///< One-time prekeys in one bundle at most.
  uint32_t prekeys_unused_max = 64;   ///< Unused one-time prekeys that one vehicle may have.
  int64_t prekey_days = 30;           ///< Until a prekey may open a session.
  int64_t last_resort_days = 7;       ///< Until the last-resort prekey is replaced.
  int64_t offline_days = 90;          ///< After expiry, until the private half is destroyed at the latest.
  uint32_t sessions_max = 1024;       ///< Sessions of one vehicle that are not settled.
};

struct Config {
  std::string listen;             ///< Path of the unix socket.
  std::string database;           ///< Path of the SQLite file.
  std::string log = "-";          ///< Path, or "-" for standard error.
  std::string module;             ///< Path of the PKCS#11 module.
  std::string module_args;        ///< Handed to C_Initialize; NSS softoken needs it.
  std::string softhsm2_conf;      ///< Becomes SOFTHSM2_CONF, where SoftHSM2 looks for its store.
  std::string token;              ///< Label of the token.
  std::string pin_file;           ///< Mode 0600; unused with --pin-fd.
  std::vector<std::string> crls;  ///< PEM files; read again when they change.
  std::string crl_policy;         ///< "required" (default) or "off".
  uint32_t connections_max = 256;
  Policy policy;
};

/// Reads and checks a configuration. Relative paths are meant from the file's folder.
/// Throws std::runtime_error that names file and key, for missing, unknown or ill-typed keys.
Config load_config(const std::string& path);

/// Reads a PIN up to the first line end from a descriptor that somebody else opened, then closes it.
Blob read_pin_fd(int fd);

/// Reads a PIN from a file that only its owner can read; refuses others.
Blob read_pin_file(const std::string& path);

}  // namespace cloud

#endif
