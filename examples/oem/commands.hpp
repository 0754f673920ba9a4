// SPDX-License-Identifier: Apache-2.0
/// \file
/// The subcommands of wayseal-oem. Each lives in a file of its own and adds itself to the command line.
#ifndef WAYSEAL_OEM_COMMANDS_HPP
#define WAYSEAL_OEM_COMMANDS_HPP

#include <CLI/CLI.hpp>

namespace wayseal::oem {

void add_dbc_command(CLI::App& app);
void add_drive_command(CLI::App& app);
void add_idp_command(CLI::App& app);
void add_partner_command(CLI::App& app);
void add_provision_command(CLI::App& app);

}  // namespace wayseal::oem

#endif
