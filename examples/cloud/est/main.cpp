// SPDX-License-Identifier: Apache-2.0
// wayseal-est: gives vehicles certificates for keys that they have made themselves (RFC 7030).
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "files.hpp"
#include "handler.hpp"

namespace {

/// Says at the start what would else be found out by the first vehicle.
void check_files(const est::Config& config) {
  for (const char* const label : {wayseal::oem::kTlsLabel, wayseal::oem::kE2eLabel}) {
    (void)est::read_issuer(config.issuers, label);
    (void)est::read_cacerts(config.cacerts, label);
  }
}

int serve(const std::string& file, bool only_check) {
  cloud::harden_process();  // it holds the keys of authorities
  const est::Config config = est::load_config(file);
  check_files(config);
  est::Enrolment enrolment(config);
  if (only_check) return 0;
  cloud::Log log(config.log);
  log.set_token_key(enrolment.log_key());
  est::Handler handler(enrolment, log);
  cloud::HttpServer server(est::server_config(config), handler);
  log.line("start", {});
  std::cout << "wayseal-est: ready\n" << std::flush;
  server.run();
  log.line("stop", {});
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Enrolment server: gives vehicles certificates for keys that they have made themselves (RFC 7030)",
      "wayseal-est"};
  std::string config;
  bool only_check = false;
  app.add_option("--config", config, "Configuration file (JSON), est/est.json of a fleet")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_flag("--check", only_check, "Only say whether all is good");
  CLI11_PARSE(app, argc, argv);
  return serve(config, only_check);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-est: " << error.what() << '\n';
    return 1;
  }
}
