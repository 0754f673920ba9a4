// SPDX-License-Identifier: Apache-2.0
// wayseal-oem: what the owner of a fleet does before vehicles drive.
#include <exception>
#include <iostream>

#include "commands.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app("Makes what a vehicle is given: signal tables, first trust, and drives to try them with",
               "wayseal-oem");
  app.require_subcommand(1);
  wayseal::oem::add_dbc_command(app);
  wayseal::oem::add_drive_command(app);
#ifdef WAYSEAL_OEM_PROVISION
  wayseal::oem::add_provision_command(app);
  wayseal::oem::add_idp_command(app);
  wayseal::oem::add_partner_command(app);
#endif
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-oem: " << error.what() << '\n';
    return 1;
  }
}
