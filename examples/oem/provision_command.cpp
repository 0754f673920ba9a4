// SPDX-License-Identifier: Apache-2.0
// wayseal-oem provision, sign, revoke, renew: first trust and identities of a reference fleet.
#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.hpp"
#include "provision/commands.hpp"
#include "provision/enrolment.hpp"
#include "provision/idp.hpp"
#include "provision/oem_pki.hpp"
#include "provision/rotation.hpp"
#include "provision/signing.hpp"
#include "provision/tokens.hpp"

namespace wayseal::oem {

std::optional<std::string> read_pin(const std::optional<int>& fd) {
  if (!fd) return std::nullopt;
  std::string pin;
  char c = 0;
  while (pin.size() < 128 && ::read(*fd, &c, 1) == 1 && c != '\n') pin += c;
  if (pin.size() < 4) throw std::runtime_error("the PIN from the given descriptor has fewer than 4 characters");
  return pin;
}

namespace {

// What this command has made, and so what --force may remove.
const char* const kMarker = "wayseal-fleet.json";
const char* const kFolders[] = {"ca", "gateway", "idp", "est", "backend", "share", "vehicles", "vehicle"};

struct Options {
  std::string out;
  std::string module;
  std::vector<std::string> server_names{"localhost", "127.0.0.1"};
  unsigned vehicles = 1;
  std::optional<int> vehicle_pin_fd;
  std::optional<int> backend_pin_fd;
  bool force = false;
  bool keep_bootstrap = false;
  std::string vehicle;
  std::string requests;
};

std::string find_module() {
  for (const char* const path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  throw std::runtime_error("SoftHSM2 is not installed; name another PKCS#11 module with --module");
}

/// Opaque: it says nothing about the vehicle.
std::string random_vehicle_id() {
  unsigned char bytes[8];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("no randomness");
  std::string id = "v-";
  for (const unsigned char byte : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", byte);
    id += text;
  }
  return id;
}

void clear_place(const Path& out, bool force) {
  if (!std::filesystem::exists(out) || std::filesystem::is_empty(out)) return;
  if (!std::filesystem::exists(out / kMarker)) {
    throw std::runtime_error(out.string() + " is not empty and was not made by this command");
  }
  if (!force) {
    throw std::runtime_error(out.string() +
                             " holds a fleet already; --force destroys its keys and makes a new one");
  }
  for (const char* const folder : kFolders) std::filesystem::remove_all(out / folder);
}

void make_gateway(const Path& out, OemPki& pki, const std::vector<std::string>& names) {
  const Path folder = out / "gateway";
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms{0700});
  const Key key = generate_key();
  const Certificate certificate = pki.issue_server(names, key.get(), kServerDays);
  write_file(folder / "server.pem", pem_of(certificate.get()) + pem_of(key.get()), kSecret);
}

void make_backend(const Path& out, OemPki& pki, const Options& options) {
  const TokenPlan plan{out / "backend", options.module, "backend", read_pin(options.backend_pin_fd)};
  make_backend_token(plan, pki);
  nlohmann::ordered_json config{{"listen", "backend.sock"},
                                {"database", "backend.db"},
                                {"module", options.module},
                                {"softhsm2_conf", "softhsm2.conf"},
                                {"token", "backend"}};
  if (!plan.pin) config["pin_file"] = "pin";
  config["crls"] = {"crl.pem"};
  write_file(plan.folder / "backend.json", config.dump(2) + "\n", kPublic);
}

std::vector<std::string> make_vehicles(const Path& out, OemPki& pki, const Options& options) {
  const auto pin = read_pin(options.vehicle_pin_fd);
  std::vector<std::string> ids;
  for (unsigned i = 0; i < options.vehicles; ++i) {
    const std::string id = random_vehicle_id();
    const TokenPlan plan{out / "vehicles" / id, options.module, "vehicle", pin};
    make_vehicle_token(plan, pki, id);
    write_file(plan.folder / "id", id + "\n", kPublic);
    add_idp_client(out, id);
    ids.push_back(id);
  }
  std::filesystem::create_directory_symlink(Path("vehicles") / ids.front(), out / "vehicle");
  return ids;
}

void provision(Options options) {
  const Path out = std::filesystem::absolute(options.out);
  clear_place(out, options.force);
  if (options.module.empty()) options.module = find_module();
  std::filesystem::create_directories(out);
  nlohmann::ordered_json fleet{{"module", options.module}, {"vehicles", nlohmann::json::array()}};
  write_file(out / kMarker, fleet.dump(2) + "\n", kPublic);  // first, so that a half-made fleet can be replaced

  make_enrolment(out);
  OemPki pki = OemPki::create(out / "ca");
  make_gateway(out, pki, options.server_names);
  publish_authorities(out, pki);
  make_idp(out);
  make_backend(out, pki, options);
  fleet["vehicles"] = make_vehicles(out, pki, options);
  publish_crls(out, pki, kCrlDays);
  write_file(out / kMarker, fleet.dump(2) + "\n", kPublic);
  std::cout << fleet.dump() << '\n';
}

bool is_vehicle_id(const std::string& id) {
  return !id.empty() && id.size() <= kVehicleIdMax &&
         id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string::npos;
}

void sign(const Options& options) {
  const std::string id = options.vehicle.empty() ? random_vehicle_id() : options.vehicle;
  if (!is_vehicle_id(id))
    throw std::runtime_error("a vehicle id has 1 to 32 characters out of A-Z a-z 0-9 . _ -");
  OemPki pki(std::filesystem::absolute(options.out) / "ca");
  std::ifstream file;
  if (options.requests != "-") {
    file.open(options.requests);
    if (!file) throw std::runtime_error("cannot read " + options.requests);
  }
  const DeviceKeys keys = read_requests(options.requests == "-" ? std::cin : file);
  const std::string objects = object_lines(pki, keys, id);
  add_idp_client(std::filesystem::absolute(options.out), id);
  std::cout << "wayseal-vehicle " << id << '\n' << objects << std::flush;
}

void revoke(const Options& options) {
  const Path out = std::filesystem::absolute(options.out);
  OemPki pki(out / "ca");
  const auto keep = options.keep_bootstrap ? Register::Keep::kBootstrap : Register::Keep::kNothing;
  if (!options.vehicle.empty() && pki.revoke(options.vehicle, keep) == 0) {
    throw std::runtime_error("no certificate was issued for that name");
  }
  if (!options.vehicle.empty() && !options.keep_bootstrap) remove_idp_client(out, options.vehicle);
  publish_crls(out, pki, kCrlDays);
}

void renew(const Options& options) {
  const Path out = std::filesystem::absolute(options.out);
  OemPki pki(out / "ca");
  const auto fleet = nlohmann::json::parse(read_file(out / kMarker));
  renew_time_certificate({out / "backend", fleet["module"], "backend", read_pin(options.backend_pin_fd)}, pki);
  publish_crls(out, pki, kCrlDays);
}

void add_sign(CLI::App& app, const std::shared_ptr<Options>& options) {
  CLI::App* command = app.add_subcommand(
      "sign",
      "Sign the requests of a device that made its own keys (hal/psa), and print the objects to install in it");
  command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  command
      ->add_option("--requests", options->requests,
                   "File with the device's lines `wayseal-request NAME HEX`, among others; -: standard input")
      ->required();
  command->add_option("--vehicle", options->vehicle, "Its id, at most 32 characters; without it, a random one");
  command->callback([options] { sign(*options); });
}

void add_revoke_and_renew(CLI::App& app, const std::shared_ptr<Options>& options) {
  CLI::App* revoke_command = app.add_subcommand(
      "revoke",
      "Revoke the certificates of a vehicle, take its access tokens away, and write new revocation lists");
  revoke_command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  revoke_command->add_option("--vehicle", options->vehicle,
                             "Vehicle id; without it, only the lists are renewed");
  revoke_command->add_flag(
      "--keep-bootstrap", options->keep_bootstrap,
      "Leave it its bootstrap certificate and its tokens, so that it enrols again with new keys");
  revoke_command->callback([options] { revoke(*options); });

  CLI::App* renew_command =
      app.add_subcommand("renew", "Give the backend a new time certificate, and write new revocation lists");
  renew_command->add_option("--out", options->out, "Folder made by provision")
      ->required()
      ->check(CLI::ExistingDirectory);
  renew_command->add_option("--backend-pin-fd", options->backend_pin_fd,
                            "Descriptor to read the backend's PIN from");
  renew_command->callback([options] { renew(*options); });
}

}  // namespace

void add_provision_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "provision", "Make certificate authorities, the gateway's certificate, and tokens with identities");
  command->add_option("--out", options->out, "Folder to make; it holds private keys")->required();
  command->add_option("--vehicles", options->vehicles, "Vehicles to make")->check(CLI::Range(1U, 10000U));
  command->add_option("--server-name", options->server_names, "Names and addresses of the gateway");
  command->add_option("--module", options->module, "PKCS#11 module; without it, SoftHSM2's")
      ->check(CLI::ExistingFile);
  command->add_option(
      "--vehicle-pin-fd", options->vehicle_pin_fd,
      "Descriptor to read the vehicles' PIN from; without it, one is generated into a 0600 file");
  command->add_option("--backend-pin-fd", options->backend_pin_fd, "The same for the backend's PIN");
  command->add_flag("--force", options->force, "Destroy a fleet that this command made there before");
  command->callback([options] { provision(*options); });
  add_sign(app, options);
  add_revoke_and_renew(app, options);
  add_identities_commands(app);
  add_rotate_command(app);
}

}  // namespace wayseal::oem
