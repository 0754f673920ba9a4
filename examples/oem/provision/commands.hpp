// SPDX-License-Identifier: Apache-2.0
/// \file
/// Subcommands about what was provisioned. `add_provision_command` adds them.
#ifndef WAYSEAL_OEM_PROVISION_COMMANDS_HPP
#define WAYSEAL_OEM_PROVISION_COMMANDS_HPP

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace wayseal::oem {

/// Of a token, from a descriptor; nothing without one. Throws when it has fewer than 4 characters.
std::optional<std::string> read_pin(const std::optional<int>& fd);

void add_identities_commands(CLI::App& app);
void add_rotate_command(CLI::App& app);

}  // namespace wayseal::oem

#endif
