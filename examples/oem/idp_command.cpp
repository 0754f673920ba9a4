// SPDX-License-Identifier: Apache-2.0
// wayseal-oem idp: the keys that access tokens are signed with.
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "provision/idp.hpp"

namespace wayseal::oem {
namespace {

struct Options {
  std::string out;
  bool change_over = false;
};

void rotate(const Options& options) {
  const Path fleet = std::filesystem::absolute(options.out);
  std::cout << (options.change_over ? switch_idp_key(fleet) : prepare_idp_key(fleet)) << std::flush;
}

}  // namespace

void add_idp_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* const idp = app.add_subcommand("idp", "The identity provider of a fleet");
  idp->require_subcommand(1);
  CLI::App* const command = idp->add_subcommand(
      "rotate",
      "Replace the key that access tokens are signed with, in two steps, so that every token stays good");
  command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_flag("--switch", options->change_over,
                    "The second step, after the gateways have loaded the new key: sign with it");
  command->callback([options] { rotate(*options); });
}

}  // namespace wayseal::oem
