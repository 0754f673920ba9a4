// SPDX-License-Identifier: Apache-2.0
// wayseal-oem rotate: new keys and certificates for the OEM's own side.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "provision/commands.hpp"
#include "provision/enrolment.hpp"
#include "provision/rotation.hpp"
#include "provision/tokens.hpp"

namespace wayseal::oem {
namespace {

struct Options {
  std::string out;
  std::vector<std::string> server_names;
  std::string identity = "prekey";
  std::optional<int> backend_pin_fd;
  bool change_over = false;
  bool finish = false;
  bool force = false;

  Path fleet() const { return std::filesystem::absolute(out); }
  RotationStep step() const {
    if (change_over) return RotationStep::kSwitch;
    return finish ? RotationStep::kFinish : RotationStep::kPrepare;
  }
};
using Shared = std::shared_ptr<Options>;

CLI::App* add(CLI::App& app, const char* name, const char* what, const Shared& options) {
  CLI::App* const command = app.add_subcommand(name, what);
  command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  return command;
}

CLI::App* add_steps(CLI::App& app, const char* name, const char* what, const Shared& options) {
  CLI::App* const command = add(app, name, what, options);
  CLI::Option* const change_over =
      command->add_flag("--switch", options->change_over, "The second step: use the new one");
  command->add_flag("--finish", options->finish, "The last step: end the old one")->excludes(change_over);
  return command;
}

void rotate_backend(const Options& options) {
  OemPki pki(options.fleet() / "ca");
  const auto fleet = nlohmann::json::parse(read_file(options.fleet() / "wayseal-fleet.json"));
  const TokenPlan plan{options.fleet() / "backend", fleet.at("module"), "backend",
                       read_pin(options.backend_pin_fd)};
  rotate_backend_identity(plan, pki, options.identity == "prekey" ? Role::kPrekey : Role::kTime);
  std::cout << "The backend's token has a new key and certificate `" << options.identity
            << "`. What is left:\n  1. start the backend again: it reads its identities when it starts\n";
}

void add_gateway(CLI::App& app, const Shared& options) {
  CLI::App* const certificate =
      add(app, "gateway-certificate", "A new key and certificate for the gateway, from its current authority",
          options);
  certificate->add_option(
      "--server-name", options->server_names,
      "Names and addresses of the gateway; without it, those of the certificate that is there");
  certificate->callback([options] {
    OemPki pki(options->fleet() / "ca");
    std::cout << rotate_gateway_certificate(options->fleet(), pki, options->server_names);
  });
  CLI::App* const authority = add_steps(
      app, "gateway-ca",
      "Replace the authority of the gateway's certificate, in three steps; the first makes a new one", options);
  authority->callback([options] {
    OemPki pki(options->fleet() / "ca");
    std::cout << rotate_gateway_ca(options->fleet(), pki, options->step());
  });
}

void add_vehicle_ca(CLI::App& app, const Shared& options) {
  CLI::App* const command = add_steps(app, "vehicle-ca",
                                      "Replace the intermediates of vehicles' TLS and e2e certificates, in "
                                      "three steps; the first makes new ones",
                                      options);
  command->add_flag("--force", options->force,
                    "With --finish: even when certificates of the old ones are still good");
  command->callback([options] {
    OemPki pki(options->fleet() / "ca");
    std::cout << rotate_vehicle_ca(options->fleet(), pki, options->step(),
                                   options->force ? Force::kYes : Force::kNo);
  });
}

}  // namespace

void add_rotate_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* const rotate = app.add_subcommand(
      "rotate", "Replace keys and certificates of the OEM's own side; each step may be repeated");
  rotate->require_subcommand(1);
  add_gateway(*rotate, options);
  add_vehicle_ca(*rotate, options);
  CLI::App* const backend =
      add(*rotate, "backend", "A new key and certificate in the backend's token; prekeys stay", options);
  backend->add_option("--identity", options->identity, "prekey or time")
      ->check(CLI::IsMember({"prekey", "time"}));
  backend->add_option("--backend-pin-fd", options->backend_pin_fd, "Descriptor to read the backend's PIN from");
  backend->callback([options] { rotate_backend(*options); });
}

}  // namespace wayseal::oem
