// SPDX-License-Identifier: Apache-2.0
// wayseal-oem identities, decommission, change-owner: what becomes of vehicles and their identities.
#include <fstream>
#include <iostream>
#include <memory>

#include "provision/commands.hpp"
#include "provision/identity_life.hpp"
#include "provision/partners.hpp"

namespace wayseal::oem {
namespace {

constexpr int kGraceDays = 7;

struct Options {
  std::string out;
  std::string vehicle;
  std::string label = kTlsLabel;
  std::string log = "-";
  int grace_days = kGraceDays;
  bool json = false;

  Path fleet() const { return std::filesystem::absolute(out); }
};
using Shared = std::shared_ptr<Options>;

CLI::App* add(CLI::App& app, const char* name, const char* what, const Shared& options) {
  CLI::App* const command = app.add_subcommand(name, what);
  command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  return command;
}

void note_seen(const Options& options) {
  std::ifstream file;
  if (options.log != "-") file.open(options.log);
  if (!file) throw std::runtime_error("cannot read " + options.log);
  std::cout << note_use(options.fleet(), options.log == "-" ? std::cin : file);
}

void add_list(CLI::App& app, const Shared& options) {
  CLI::App* const command = add(app, "list", "Every certificate issued for a vehicle, or for all", options);
  command->add_option("--vehicle", options->vehicle, "Vehicle id");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    std::cout << list_identities(options->fleet(), options->vehicle,
                                 options->json ? ListFormat::kJson : ListFormat::kTable);
  });
}

void add_supersede(CLI::App& app, const Shared& options) {
  CLI::App* const command =
      add(app, "supersede",
          "Revoke certificates that a newer one has replaced: of label tls when the newer one was seen in use "
          "that long "
          "ago; of label e2e when it was issued that long ago and the vehicle was seen since. Sessions that "
          "were signed "
          "with a revoked e2e certificate are refused, so wait until vehicles have delivered",
          options);
  command->add_option("--vehicle", options->vehicle, "Vehicle id; without it, all");
  command->add_option("--label", options->label, "tls or e2e")->check(CLI::IsMember({kTlsLabel, kE2eLabel}));
  command->add_option("--grace-days", options->grace_days, "Days that both stay good (7)")
      ->check(CLI::Range(0, 3650));
  command->callback([options] {
    std::cout << supersede_identities(options->fleet(), options->label, options->vehicle, options->grace_days);
  });
}

}  // namespace

void add_identities_commands(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* const identities = app.add_subcommand("identities", "The register of vehicles' certificates");
  identities->require_subcommand(1);
  add_list(*identities, options);
  CLI::App* const seen =
      add(*identities, "seen", "Read the log of a gateway, and note which certificates were used", options);
  seen->add_option("--log", options->log, "File of JSON lines; -: standard input");
  seen->callback([options] { note_seen(*options); });
  add_supersede(*identities, options);

  CLI::App* const end = add(app, "decommission", "Take a vehicle out of service for good", options);
  end->add_option("--vehicle", options->vehicle, "Vehicle id")->required();
  end->callback([options] {
    std::cout << decommission_vehicle(options->fleet(), options->vehicle)
              << end_sharing(options->fleet(), options->vehicle);
  });
  CLI::App* const owner =
      add(app, "change-owner", "Begin a new ownership of a vehicle: what the old owner allowed ends", options);
  owner->add_option("--vehicle", options->vehicle, "Vehicle id")->required();
  owner->callback([options] {
    // Sharing ends first: a call that breaks off between the two can be made again, and costs an ownership number.
    const std::string ended = end_sharing(options->fleet(), options->vehicle);
    std::cout << change_owner(options->fleet(), options->vehicle) << ended;
  });
}

}  // namespace wayseal::oem
