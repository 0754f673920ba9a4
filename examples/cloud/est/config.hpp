// SPDX-License-Identifier: Apache-2.0
// Configuration of the enrolment server: a JSON file; names that are not known are refused.
#ifndef WAYSEAL_EST_CONFIG_HPP
#define WAYSEAL_EST_CONFIG_HPP

#include <cstdint>
#include <string>

namespace est {

/// Relative paths in the file are meant from its folder; here they are absolute.
struct Config {
  std::string socket;  ///< Unix socket to listen on.
  std::string register_file;
  std::string issuers;  ///< Folder of the authorities that issue, with their keys.
  std::string cacerts;  ///< Folder of what is handed out as authorities.
  std::string log = "-";
  int days = 0;                ///< Life of a certificate.
  int64_t issues_per_day = 0;  ///< Of one vehicle.
  int64_t repeat_hours = 0;    ///< How long the same request gets the same certificate.
};

/// Throws std::runtime_error with what is wrong.
Config load_config(const std::string& file);

}  // namespace est

#endif
