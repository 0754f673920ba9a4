// SPDX-License-Identifier: Apache-2.0
// wayseal-share: gives partners what they were granted, sealed for their keys, and shows the operator who has read what.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "desk.hpp"
#include "samples.hpp"

namespace {

using share::Access;
using share::Accesses;

int serve(const std::string& path) {
  cloud::harden_process();
  const share::Config config = share::load_config(path);
  share::Desk desk(config);
  const std::string list = share::kVehiclesPath;
  cloud::HttpServer server({config.listen,
                            {{0, "GET", list, false, {}, 0},
                             {0, "GET", list + "?", true, {}, 0},
                             {0, "GET", list + "/", true, {}, 0}},
                            {"x-partner-id", "x-partner-certificate"},
                            0,
                            config.connections_max},
                           desk);
  desk.log().line("start", {});
  std::cout << "wayseal-share: ready\n" << std::flush;
  server.run();
  desk.log().line("stop", {});
  return 0;
}

struct LogOptions {
  std::string config;
  std::string partner;
  std::string vehicle;
  std::string since = "all";
  bool json = false;
};

nlohmann::ordered_json json_of(const Access& access) {
  nlohmann::ordered_json json{{"at", cloud::iso_time(access.at_ms * 1000)},
                              {"access", access.handle},
                              {"partner", access.partner},
                              {"certificate", access.certificate},
                              {"route", access.route},
                              {"vehicle", access.vehicle},
                              {"outcome", access.outcome},
                              {"grants", access.grants},
                              {"purposes", access.purposes},
                              {"signals", access.signals},
                              {"name", access.name},
                              {"count", access.count},
                              {"kid", access.kid}};
  if (access.since_us) json["since"] = cloud::iso_time(*access.since_us);
  if (access.until_us) json["until"] = cloud::iso_time(*access.until_us);
  return json;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

void print_row(const Access& access) {
  std::printf("%s  %-16s %-8s %-20s %-10s %6lld  %s  %s  %s\n", cloud::iso_time(access.at_ms * 1000).c_str(),
              or_dash(access.partner).c_str(), access.route.c_str(), or_dash(access.vehicle).c_str(),
              access.outcome.c_str(), static_cast<long long>(access.count), or_dash(access.grants).c_str(),
              or_dash(access.signals).c_str(), or_dash(access.purposes).c_str());
}

int print_log(const LogOptions& options) {
  Accesses accesses(share::load_config(options.config).accesses, cloud::Database::Mode::kReadOnly);
  const int64_t since_us = cloud::parse_time_us(options.since);
  const char* before = "[\n";
  bool any = false;
  accesses.each({options.partner, options.vehicle, since_us / 1000}, [&](const Access& access) {
    any = true;
    if (!options.json) return print_row(access);
    std::cout << before << json_of(access).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    before = ",\n";
  });
  if (options.json) std::cout << (any ? "\n]\n" : "[]\n");
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{"Gives partners the data that they were granted, encrypted to their keys", "wayseal-share"};
  app.require_subcommand(1);
  std::string config;
  CLI::App* const serve_command =
      app.add_subcommand("serve", "Serve partners on a unix socket, behind the gateway");
  serve_command->add_option("--config", config, "share.json, made by `wayseal-oem partner add`")
      ->required()
      ->check(CLI::ExistingFile);
  LogOptions log;
  CLI::App* const log_command = app.add_subcommand("log", "Print who has read what, and who was refused");
  log_command->add_option("--config", log.config, "Configuration of the server")
      ->required()
      ->check(CLI::ExistingFile);
  log_command->add_option("--vehicle", log.vehicle, "Only this vehicle: what its owner may ask for");
  log_command->add_option("--partner", log.partner, "Only this partner");
  log_command->add_option("--since", log.since, "all, 2026-11-22T16:00:00Z, seconds since 1970, -10m, ...");
  log_command->add_flag("--json", log.json, "Print JSON");
  CLI11_PARSE(app, argc, argv);
  return *serve_command ? serve(config) : print_log(log);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-share: " << error.what() << '\n';
    return 1;
  }
}
