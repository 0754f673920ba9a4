// SPDX-License-Identifier: Apache-2.0
// The configuration of wayseal-share: JSON, comments allowed. README.md of this folder lists the keys.
#ifndef WAYSEAL_SHARE_SHARE_CONFIG_HPP
#define WAYSEAL_SHARE_SHARE_CONFIG_HPP

#include <cstdint>
#include <string>

namespace share {

struct Config {
  std::string listen;     ///< Path of the unix socket.
  std::string telemetry;  ///< The backend's SQLite file; only read.
  std::string partners;   ///< File with partners and grants, written by `wayseal-oem partner`.
  std::string accesses;   ///< SQLite file with who has read what; made when it is not there.
  std::string log = "-";  ///< Path, or "-" for standard error.
  uint32_t connections_max = 64;
};

/// Reads and checks a configuration. Relative paths are meant from the file's folder.
/// Throws std::runtime_error that names file and key, for missing, unknown or ill-typed keys.
Config load_config(const std::string& path);

}  // namespace share

#endif
