// SPDX-License-Identifier: Apache-2.0
#include "provision/oem_pki.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wayseal::oem {
namespace {

constexpr int kRootDays = 7300;
constexpr int kIntermediateDays = 3650;
const char* const kIndex = "issued.json";
const char* const kRootConstraints = "critical,CA:TRUE";
const char* const kIntermediateConstraints = "critical,CA:TRUE,pathlen:0";
const char* const kAuthorityUsage = "critical,keyCertSign,cRLSign";
const char* const kSigns = "critical,digitalSignature";

const char* authority_of(Role role) {
  switch (role) {
    case Role::kVehicle: return "vehicle";
    case Role::kPrekey: return "prekey";
    case Role::kTime: return "time";
  }
  throw std::invalid_argument("no such role");
}

void save(const Path& folder, const std::string& name, X509* certificate, EVP_PKEY* key) {
  write_file(folder / (name + ".key"), pem_of(key), kSecret);
  write_file(folder / (name + ".pem"), pem_of(certificate), kPublic);
}

Certificate make_root(const Path& folder, const std::string& name, const std::string& common_name, Key& key) {
  key = generate_key();
  Certificate root =
      issue({common_name, kRootDays, kRootConstraints, kAuthorityUsage, "", ""}, key.get(), nullptr, key.get());
  save(folder, name, root.get(), key.get());
  return root;
}

void make_intermediate(const Path& folder, const std::string& name, const CertificateProfile& profile,
                       X509* root, EVP_PKEY* root_key) {
  const Key key = generate_key();
  const Certificate certificate = issue(profile, key.get(), root, root_key);
  save(folder, name, certificate.get(), key.get());
}

}  // namespace

std::string role_oid(Role role) {
  const char* const last = role == Role::kVehicle ? "1" : role == Role::kPrekey ? "2" : "3";
  return std::string("2.25.277344006050642732147656462799522911781.") + last;
}

OemPki OemPki::create(const Path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms{0700});
  Key key;
  const Certificate data_root = make_root(folder, "data-root", "OEM data root", key);
  for (const Role role : {Role::kVehicle, Role::kPrekey, Role::kTime}) {
    const std::string name = authority_of(role);
    make_intermediate(folder, name,
                      {"OEM data " + name, kIntermediateDays, kIntermediateConstraints, kAuthorityUsage,
                       "critical," + role_oid(role), ""},
                      data_root.get(), key.get());
  }
  const Certificate tls_root = make_root(folder, "tls-root", "OEM vehicle TLS root", key);
  make_intermediate(
      folder, "tls",
      {"OEM vehicle TLS", kIntermediateDays, kIntermediateConstraints, kAuthorityUsage, "clientAuth", ""},
      tls_root.get(), key.get());
  make_root(folder, "gateway-ca", "OEM gateway CA", key);
  write_file(folder / kIndex, "[]\n", kSecret);
  return OemPki(folder);
}

OemPki::OemPki(Path folder) : folder_(std::move(folder)) {
  if (!std::filesystem::exists(folder_ / kIndex)) {
    throw std::runtime_error(folder_.string() + " holds no authorities made by `wayseal-oem provision`");
  }
}

Certificate OemPki::certificate(const std::string& authority) const {
  return read_certificate(folder_ / (authority + ".pem"));
}

void OemPki::note(const std::string& authority, const std::string& name, const X509* certificate) const {
  auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  index.push_back(
      {{"authority", authority}, {"name", name}, {"serial", serial_of(certificate)}, {"revoked", false}});
  write_file(folder_ / kIndex, index.dump(1) + "\n", kSecret);
}

OemPki::Issued OemPki::issue_under(const std::string& authority, const CertificateProfile& profile,
                                   EVP_PKEY* key) {
  Issued issued;
  issued.intermediate = certificate(authority);
  const Key authority_key = read_key(folder_ / (authority + ".key"));
  issued.leaf = issue(profile, key, issued.intermediate.get(), authority_key.get());
  note(authority, profile.common_name, issued.leaf.get());
  return issued;
}

OemPki::Issued OemPki::issue_role(Role role, const std::string& name, EVP_PKEY* key, int days) {
  return issue_under(authority_of(role),
                     {name, days, "critical,CA:FALSE", kSigns, "critical," + role_oid(role), ""}, key);
}

OemPki::Issued OemPki::issue_tls_client(const std::string& name, EVP_PKEY* key, int days) {
  return issue_under("tls", {name, days, "critical,CA:FALSE", kSigns, "clientAuth", ""}, key);
}

Certificate OemPki::issue_server(const std::vector<std::string>& names, EVP_PKEY* key, int days) {
  std::string alternatives;
  for (const std::string& name : names) {
    const bool address =
        name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
    alternatives += (alternatives.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return issue_under("gateway-ca",
                     {names.front(), days, "critical,CA:FALSE", kSigns, "serverAuth", alternatives}, key)
      .leaf;
}

size_t OemPki::revoke(const std::string& name) {
  auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  size_t found = 0;
  for (auto& entry : index) {
    if (entry["name"] != name) continue;
    entry["revoked"] = true;
    ++found;
  }
  write_file(folder_ / kIndex, index.dump(1) + "\n", kSecret);
  return found;
}

std::string OemPki::crls(const std::vector<std::string>& authorities, int days) const {
  const auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  std::string all;
  for (const std::string& authority : authorities) {
    std::vector<std::string> revoked;
    for (const auto& entry : index) {
      if (entry["authority"] == authority && entry["revoked"] == true) revoked.push_back(entry["serial"]);
    }
    all +=
        make_crl(certificate(authority).get(), read_key(folder_ / (authority + ".key")).get(), revoked, days);
  }
  return all;
}

std::string OemPki::data_crls(int days) const { return crls({"data-root", "vehicle", "prekey", "time"}, days); }

std::string OemPki::gateway_crls(int days) const { return crls({"tls-root", "tls"}, days); }

}  // namespace wayseal::oem
