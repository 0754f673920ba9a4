// SPDX-License-Identifier: Apache-2.0
// wayseal-backend: the reference cloud's side of the wire, and tools to look at what it has opened.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "commands.hpp"
#include "config.hpp"

namespace {

using cloud::Format;

/// Either the database itself, or a configuration that names it.
struct Where {
  std::string database;
  std::string config;

  void add_to(CLI::App* command) {
    auto* by_path =
        command->add_option("--database", database, "SQLite file of the backend")->check(CLI::ExistingFile);
    auto* by_config =
        command->add_option("--config", config, "Configuration that names it")->check(CLI::ExistingFile);
    by_path->excludes(by_config);
  }
  std::string path() const {
    if (!database.empty()) return database;
    if (config.empty()) throw std::runtime_error("give --database or --config");
    return cloud::load_config(config).database;
  }
};

void add_format(CLI::App* command, Format& format) {
  static const std::map<std::string, Format> kNames{
      {"table", Format::kTable}, {"csv", Format::kCsv}, {"json", Format::kJson}};
  command->add_option("--format", format, "table, csv or json")->transform(CLI::CheckedTransformer(kNames));
}

void add_json(CLI::App* command, Format& format) {
  command->add_flag_callback(
      "--json", [&format] { format = Format::kJson; }, "Print JSON");
}

int run(int argc, char** argv) {
  CLI::App app{"Reference backend of Wayseal: opens sealed telemetry in its own HSM"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all subcommands");

  cloud::ServeOptions serve;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve vehicles on a unix socket, behind the gateway");
  serve_command->add_option("--config", serve.config, "Configuration file (JSON)")
      ->required()
      ->check(CLI::ExistingFile);
  serve_command->add_option("--pin-fd", serve.pin_fd,
                            "Descriptor to read the token's PIN from, instead of pin_file");

  Where where;
  cloud::SignalsOptions signals;
  CLI::App* signals_command = app.add_subcommand("signals", "Print opened signals with units");
  where.add_to(signals_command);
  signals_command->add_option("--vehicle", signals.vehicle, "Vehicle id")->required();
  signals_command->add_option("--since", signals.since,
                              "all, 2026-11-22T16:00:00Z, seconds since 1970, -10m, ...");
  signals_command->add_option("--until", signals.until, "Same forms; without it, no end");
  signals_command->add_option("--signal", signals.signals,
                              "Signal or Message.Signal; may be given several times");
  add_format(signals_command, signals.format);

  CLI::App* table_command = app.add_subcommand("table", "Signal tables");
  table_command->require_subcommand(1);
  CLI::App* table_add = table_command->add_subcommand("add", "File a table, so that its batches can be read");
  where.add_to(table_add);
  table_add->get_option("--database")->check(CLI::Validator());
  std::string table_file;
  table_add->add_option("FILE", table_file, "Table made by wayseal-oem dbc")
      ->required()
      ->check(CLI::ExistingFile);

  Format format = Format::kTable;
  CLI::App* stats_command = app.add_subcommand("stats", "Print what has been counted");
  where.add_to(stats_command);
  add_json(stats_command, format);
  CLI::App* vehicles_command = app.add_subcommand("vehicles", "List vehicles");
  where.add_to(vehicles_command);
  add_json(vehicles_command, format);

  cloud::EventsOptions events;
  CLI::App* events_command = app.add_subcommand("events", "Print security events");
  where.add_to(events_command);
  events_command->add_option("--gateway-log", events.gateway_log, "Read the gateway's log, not the database")
      ->check(CLI::ExistingFile);
  events_command->add_option("--since", events.since, "As of signals");
  events_command->add_option("--severity", events.severity, "INFO, NOTICE, WARNING or ALARM: these and worse");
  events_command->add_option("--kind", events.kind, "As in proto/event.proto, for example PREKEY_REUSED");
  add_json(events_command, events.format);
  cloud::TokensOptions tokens;
  CLI::App* tokens_command = app.add_subcommand("tokens", "Print the names that a vehicle has in logs");
  where.add_to(tokens_command);
  tokens_command->add_option("--vehicle", tokens.vehicle, "Vehicle id")->required();
  tokens_command->add_option("--days", tokens.days, "How many, up to and with today")
      ->check(CLI::Range(1, 3660));

  cloud::WatchOptions watch;
  CLI::App* watch_command = app.add_subcommand("watch", "Live view, until SIGTERM or Ctrl-C");
  where.add_to(watch_command);
  watch_command->add_option("--signal", watch.signals, "Signal or Message.Signal; may be given several times");
  add_json(watch_command, watch.format);

  CLI11_PARSE(app, argc, argv);
  if (*serve_command) return cloud::serve(serve);
  if (*signals_command) {
    signals.database = where.path();
    return cloud::print_signals(signals);
  }
  if (*table_add) return cloud::file_table(where.path(), table_file);
  if (*stats_command) return cloud::print_stats(where.path(), format);
  if (*vehicles_command) return cloud::list_vehicles(where.path(), format);
  if (*events_command) {
    if (events.gateway_log.empty()) events.database = where.path();
    return cloud::print_events(events);
  }
  if (*tokens_command) {
    tokens.database = where.path();
    return cloud::print_tokens(tokens);
  }
  watch.database = where.path();
  return cloud::watch(watch);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-backend: " << error.what() << '\n';
    return 1;
  }
}
