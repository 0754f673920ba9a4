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

CLI::App* add_serve(CLI::App& app, cloud::ServeOptions& serve) {
  CLI::App* command = app.add_subcommand("serve", "Serve vehicles on a unix socket, behind the gateway");
  command->add_option("--config", serve.config, "Configuration file (JSON)")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--pin-fd", serve.pin_fd, "Descriptor to read the token's PIN from, instead of pin_file");
  return command;
}

CLI::App* add_signals(CLI::App& app, Where& where, cloud::SignalsOptions& signals) {
  CLI::App* command = app.add_subcommand("signals", "Print opened signals with units");
  where.add_to(command);
  command->add_option("--vehicle", signals.vehicle, "Vehicle id")->required();
  command->add_option("--since", signals.since, "all, 2026-11-22T16:00:00Z, seconds since 1970, -10m, ...");
  command->add_option("--until", signals.until, "Same forms; without it, no end");
  command->add_option("--signal", signals.signals, "Signal or Message.Signal; may be given several times");
  add_format(command, signals.format);
  return command;
}

CLI::App* add_table(CLI::App& app, Where& where, std::string& file) {
  CLI::App* tables = app.add_subcommand("table", "Signal tables");
  tables->require_subcommand(1);
  CLI::App* command = tables->add_subcommand("add", "File a table, so that its batches can be read");
  where.add_to(command);
  command->get_option("--database")->check(CLI::Validator());
  command->add_option("FILE", file, "Table made by wayseal-oem dbc")->required()->check(CLI::ExistingFile);
  return command;
}

CLI::App* add_events(CLI::App& app, Where& where, cloud::EventsOptions& events) {
  CLI::App* command = app.add_subcommand("events", "Print security events");
  where.add_to(command);
  command->add_option("--gateway-log", events.gateway_log, "Read the gateway's log, not the database")
      ->check(CLI::ExistingFile);
  command->add_option("--since", events.since, "As of signals");
  command->add_option("--severity", events.severity, "INFO, NOTICE, WARNING or ALARM: these and worse");
  command->add_option("--kind", events.kind, "As in proto/event.proto, for example PREKEY_REUSED");
  add_json(command, events.format);
  return command;
}

CLI::App* add_tokens(CLI::App& app, Where& where, cloud::TokensOptions& tokens) {
  CLI::App* command = app.add_subcommand("tokens", "Print the names that a vehicle has in logs");
  where.add_to(command);
  command->add_option("--vehicle", tokens.vehicle, "Vehicle id")->required();
  command->add_option("--days", tokens.days, "How many, up to and with today")->check(CLI::Range(1, 3660));
  return command;
}

CLI::App* add_counts(CLI::App& app, Where& where, const char* name, const char* help, Format& format) {
  CLI::App* command = app.add_subcommand(name, help);
  where.add_to(command);
  add_json(command, format);
  return command;
}

int run(int argc, char** argv) {
  CLI::App app{"Reference backend of Wayseal: opens sealed telemetry in its own HSM"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all subcommands");
  Where where;
  cloud::ServeOptions serve;
  CLI::App* serve_command = add_serve(app, serve);
  cloud::SignalsOptions signals;
  CLI::App* signals_command = add_signals(app, where, signals);
  std::string table_file;
  CLI::App* table_add = add_table(app, where, table_file);
  Format format = Format::kTable;
  CLI::App* stats_command = add_counts(app, where, "stats", "Print what has been counted", format);
  CLI::App* vehicles_command = add_counts(app, where, "vehicles", "List vehicles", format);
  cloud::EventsOptions events;
  CLI::App* events_command = add_events(app, where, events);
  cloud::TokensOptions tokens;
  CLI::App* tokens_command = add_tokens(app, where, tokens);
  cloud::WatchOptions watch;
  CLI::App* watch_command = add_counts(app, where, "watch", "Live view, until SIGTERM or Ctrl-C", watch.format);
  watch_command->add_option("--signal", watch.signals, "Signal or Message.Signal; may be given several times");

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
