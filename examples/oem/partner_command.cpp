// SPDX-License-Identifier: Apache-2.0
// wayseal-oem partner: companies that read shared data, and what they may read.
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "provision/partners.hpp"

namespace wayseal::oem {
namespace {

constexpr int kCertificateDays = 90;
constexpr int kCertificateDaysMax = 825;

struct Options {
  std::string out;
  std::string name;
  std::string jwk;
  std::string request;
  std::string to;
  int days = kCertificateDays;
  PartnerGrant grant;
  std::string not_before;
  std::string expires;
  std::string grant_id;
  std::string serial;
  std::string vehicle;
  bool json = false;

  Path fleet() const { return std::filesystem::absolute(out); }
};
using Shared = std::shared_ptr<Options>;
using Action = std::function<std::string(const Options&)>;

CLI::App* add(CLI::App& to, const char* name, const char* about, const Shared& options, const Action& action) {
  CLI::App* const command = to.add_subcommand(name, about);
  command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->callback([options, action] { std::cout << action(*options) << std::flush; });
  return command;
}

CLI::Option* name_option(CLI::App* command, const Shared& options) {
  return command->add_option("--name", options->name,
                             "The partner, 1 to 32 characters out of A-Z a-z 0-9 . _ -");
}

std::string grant(const Options& options) {
  PartnerGrant grant = options.grant;
  grant.partner = options.name;
  grant.not_before =
      options.not_before.empty() ? static_cast<int64_t>(std::time(nullptr)) : partner_time(options.not_before);
  grant.expires = partner_time(options.expires);
  return grant_to_partner(options.fleet(), grant);
}

std::string revoke(const Options& options) {
  if (options.name.empty()) return renew_partner_list(options.fleet());
  if (!options.grant_id.empty()) return withdraw_grant(options.fleet(), options.name, options.grant_id);
  if (!options.serial.empty()) return revoke_partner_certificate(options.fleet(), options.name, options.serial);
  return withdraw_partner(options.fleet(), options.name);
}

void add_access_commands(CLI::App& partner, const Shared& options) {
  CLI::App* const add_command = add(partner, "add", "A new partner, without key, certificate and grants",
                                    options, [](const Options& o) { return add_partner(o.fleet(), o.name); });
  name_option(add_command, options)->required();

  CLI::App* const key =
      add(partner, "key", "The public key that answers are sealed for; takes the place of the one before",
          options, [](const Options& o) { return set_partner_key(o.fleet(), o.name, o.jwk); });
  name_option(key, options)->required();
  key->add_option("--jwk", options->jwk, "Public key on P-256 as a JWK, as `jose jwk pub` prints it")
      ->required()
      ->check(CLI::ExistingFile);

  CLI::App* const certificate = add(
      partner, "certificate", "Sign a partner's request for a client certificate; earlier ones stay good",
      options,
      [](const Options& o) { return issue_partner_certificate(o.fleet(), o.name, o.request, o.to, o.days); });
  name_option(certificate, options)->required();
  certificate
      ->add_option("--request", options->request,
                   "PKCS#10 request in PEM: P-256, subject CN=NAME and nothing else")
      ->required()
      ->check(CLI::ExistingFile);
  certificate->add_option("--to", options->to, "File for the certificate")->required();
  certificate->add_option("--days", options->days, "Its life; without it, 90")
      ->check(CLI::Range(1, kCertificateDaysMax));
}

void add_grant_commands(CLI::App& partner, const Shared& options) {
  CLI::App* const give =
      add(partner, "grant", "Let a partner read signals of vehicles for a purpose and a time", options, grant);
  name_option(give, options)->required();
  give->add_option("--vehicle", options->grant.vehicles, "Vehicle id; may be given several times")->required();
  give->add_option("--signal", options->grant.signals, "Message.Signal; may be given several times")
      ->required();
  give->add_option("--purpose", options->grant.purpose, "What for; stands in the list of accesses")->required();
  give->add_option("--not-before", options->not_before,
                   "2026-11-22T16:00:00Z or 2026-11-22: no data from before; without it, from now on");
  give->add_option("--expires", options->expires, "The same forms: no data from then on, and no reading")
      ->required();

  CLI::App* const take =
      add(partner, "revoke",
          "Withdraw a grant, a certificate, or with neither the whole partner; without --name, only "
          "renew the revocation list",
          options, revoke);
  name_option(take, options);
  CLI::Option* const by_grant =
      take->add_option("--grant", options->grant_id, "Id of a grant, as `list` shows it");
  CLI::Option* const by_serial =
      take->add_option("--certificate", options->serial, "Serial number of a certificate, as `list` shows it");
  by_grant->excludes(by_serial)->needs("--name");
  by_serial->needs("--name");

  CLI::App* const owner = add(partner, "owner",
                              "End all sharing of a vehicle's data so far, as change-owner and decommission "
                              "do: no grant of before gives anything",
                              options, [](const Options& o) { return end_sharing(o.fleet(), o.vehicle); });
  owner->add_option("--vehicle", options->vehicle, "Vehicle id")->required();

  CLI::App* const list = add(
      partner, "list", "Partners with keys, certificates and grants", options,
      [](const Options& o) { return list_partners(o.fleet(), o.json ? ListForm::kJson : ListForm::kTable); });
  list->add_flag("--json", options->json, "Print JSON");
}

}  // namespace

void add_partner_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* const partner =
      app.add_subcommand("partner", "Companies that read shared data, and what they may read");
  partner->require_subcommand(1);
  add_access_commands(*partner, options);
  add_grant_commands(*partner, options);
}

}  // namespace wayseal::oem
