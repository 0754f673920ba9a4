// SPDX-License-Identifier: Apache-2.0
// Prints security events, and the names that a vehicle has in logs.
#include <cstdio>
#include <fstream>
#include <iostream>

#include "commands.hpp"
#include "events.hpp"
#include "log.hpp"
#include "samples.hpp"

namespace cloud {
namespace {

constexpr int64_t kDayMs = 86400000;

class Printer {
 public:
  explicit Printer(const EventsOptions& options) : options_(options) {
    if (options.since != "all") since_ms_ = parse_time_us(options.since) / 1000;
    if (!options.severity.empty() && !SecurityEvent::Severity_Parse(options.severity, &least_)) {
      throw std::runtime_error("no severity: " + options.severity);
    }
    SecurityEvent::Kind kind{};
    if (!options.kind.empty() && !SecurityEvent::Kind_Parse(options.kind, &kind)) {
      throw std::runtime_error("no kind of event: " + options.kind);
    }
    kind_ = kind;
  }

  void print(const SecurityEvent& event) const {
    if (event.time_ms() < since_ms_ || event.severity() < least_) return;
    if (!options_.kind.empty() && event.kind() != kind_) return;
    if (options_.format == Format::kJson) {
      std::cout << event_json(event) << '\n';
      return;
    }
    // Names by number, for a kind that a newer program has stored.
    const std::string kind = SecurityEvent::Kind_Name(event.kind());
    const std::string detail = event.has_refusal() ? event.refusal().reason() : event.session().session();
    std::printf("%s  %-8s %-12s %-24s %s\n", iso_time(event.time_ms() * 1000).c_str(),
                SecurityEvent::Severity_Name(event.severity()).c_str(), event.subject().c_str(),
                kind.empty() ? std::to_string(event.kind()).c_str() : kind.c_str(), detail.c_str());
  }

 private:
  const EventsOptions& options_;
  int64_t since_ms_ = 0;
  SecurityEvent::Severity least_ = SecurityEvent::SEVERITY_UNSPECIFIED;
  SecurityEvent::Kind kind_ = SecurityEvent::KIND_UNSPECIFIED;
};

}  // namespace

int print_events(const EventsOptions& options) {
  const Printer printer(options);
  if (!options.gateway_log.empty()) {
    std::ifstream file(options.gateway_log);
    if (!file) throw std::runtime_error("cannot read the gateway's log");
    for (std::string line; std::getline(file, line);) {
      if (const auto event = gateway_event(line)) printer.print(*event);
    }
    return 0;
  }
  Database database(options.database, Database::Mode::kReadOnly);
  database.each("SELECT message FROM events ORDER BY id", [&printer](const Row& row) {
    SecurityEvent event;
    if (event.ParseFromString(row.bytes(0))) printer.print(event);
  });
  return 0;
}

int print_tokens(const TokensOptions& options) {
  Blob key = log_key_of_environment();
  if (key.empty()) {
    Database database(options.database, Database::Mode::kReadOnly);
    key = database.bytes("SELECT value FROM meta WHERE name = 'log-token-key'").value_or(Blob());
  }
  if (key.empty()) throw std::runtime_error("there is no log key yet: the backend has not run");
  const int64_t today = now_ms();
  for (int64_t day = 0; day < options.days; ++day) {
    const int64_t at_ms = today - day * kDayMs;
    std::cout << iso_time(at_ms * 1000).substr(0, 10) << ' ' << token_of(key, at_ms, options.vehicle) << '\n';
  }
  return 0;
}

}  // namespace cloud
