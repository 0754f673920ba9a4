// SPDX-License-Identifier: Apache-2.0
// The subcommands of wayseal-backend. Each returns the program's exit code.
#ifndef WAYSEAL_CLOUD_COMMANDS_HPP
#define WAYSEAL_CLOUD_COMMANDS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cloud {

struct ServeOptions {
  std::string config;
  std::optional<int> pin_fd;
};
int serve(const ServeOptions& options);

enum class Format { kTable, kCsv, kJson };

struct SignalsOptions {
  std::string database;
  std::string vehicle;
  std::string since = "all";
  std::string until;
  std::vector<std::string> signals;
  Format format = Format::kTable;
};
int print_signals(const SignalsOptions& options);

struct EventsOptions {
  std::string database;
  std::string gateway_log;  ///< Events of this file instead of the database's.
  std::string since = "all";
  std::string severity;  ///< At least; empty: all.
  std::string kind;      ///< Empty: all.
  Format format = Format::kTable;
};
int print_events(const EventsOptions& options);

struct TokensOptions {
  std::string database;
  std::string vehicle;
  int64_t days = 1;  ///< Up to and with today (UTC).
};
int print_tokens(const TokensOptions& options);

int print_stats(const std::string& database, Format format);
int list_vehicles(const std::string& database, Format format);
int file_table(const std::string& database, const std::string& path);

struct WatchOptions {
  std::string database;
  std::vector<std::string> signals;
  Format format = Format::kTable;
};
/// Until SIGTERM or SIGINT.
int watch(const WatchOptions& options);

}  // namespace cloud

#endif
