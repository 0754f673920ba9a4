// SPDX-License-Identifier: Apache-2.0
#include "provision/oem_pki.hpp"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wayseal::oem {
namespace {

constexpr int kRootDays = 7300;
constexpr int kIntermediateDays = 3650;
const char* const kIndex = "issued.json";
const char* const kCurrent = "current.json";
const char* const kTls = "tls";
const char* const kVehicle = "vehicle";
const char* const kGatewayCa = "gateway-ca";
const char* const kBootstrapCa = "bootstrap-ca";
const char* const kRootConstraints = "critical,CA:TRUE";
const char* const kIntermediateConstraints = "critical,CA:TRUE,pathlen:0";
const char* const kAuthorityUsage = "critical,keyCertSign,cRLSign";
const char* const kArc = "2.25.277344006050642732147656462799522911781.";
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

CertificateProfile role_authority(Role role, const std::string& number) {
  return {"OEM data " + std::string(authority_of(role)) + number,
          kIntermediateDays,
          kIntermediateConstraints,
          kAuthorityUsage,
          "critical," + role_oid(role),
          ""};
}

CertificateProfile tls_authority(const std::string& number) {
  return {"OEM vehicle TLS" + number,
          kIntermediateDays,
          kIntermediateConstraints,
          kAuthorityUsage,
          "clientAuth",
          ""};
}

const char* root_of(const std::string& base) { return base == kTls ? "tls-root" : "data-root"; }

/// Label of what an authority issues to vehicles; null when it is not for vehicles.
const char* label_of(const std::string& base) {
  if (base == kTls) return kTlsLabel;
  if (base == kVehicle) return kE2eLabel;
  return base == kBootstrapCa ? kBootstrapLabel : nullptr;
}

Path register_of(const Path& ca) { return ca.parent_path() / "est" / "register.db"; }

}  // namespace

std::string role_oid(Role role) {
  const char* const last = role == Role::kVehicle ? "1" : role == Role::kPrekey ? "2" : "3";
  return kArc + std::string(last);
}

CertificateProfile role_profile(Role role, const std::string& name, int days) {
  return {name, days, "critical,CA:FALSE", kSigns, "critical," + role_oid(role), ""};
}

CertificateProfile tls_client_profile(const std::string& name, int days) {
  return {name, days, "critical,CA:FALSE", kSigns, "clientAuth", ""};
}

CertificateProfile bootstrap_profile(const std::string& name, int days) {
  return {name, days, "critical,CA:FALSE", kSigns, "clientAuth," + std::string(kArc) + "4", ""};
}

Identity describe(X509* certificate, const CertificateProfile& profile, const std::string& authority,
                  const std::string& label, const std::string& requested_by) {
  const std::vector<uint8_t> der = der_of(certificate);
  Identity identity;
  identity.serial = serial_of(certificate);
  identity.authority = authority;
  identity.vehicle = profile.common_name;
  identity.label = label;
  identity.key = key_digest_of(X509_get0_pubkey(certificate));
  identity.digest = hex_digest_of(der.data(), der.size());
  identity.not_before_s = seconds_of(X509_get0_notBefore(certificate));
  identity.not_after_s = seconds_of(X509_get0_notAfter(certificate));
  identity.requested_by = requested_by;
  identity.issued_s = std::time(nullptr);
  identity.certificate.assign(der.begin(), der.end());
  return identity;
}

OemPki OemPki::create(const Path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms{0700});
  Key key;
  const Certificate data_root = make_root(folder, "data-root", "OEM data root", key);
  for (const Role role : {Role::kVehicle, Role::kPrekey, Role::kTime}) {
    make_intermediate(folder, authority_of(role), role_authority(role, ""), data_root.get(), key.get());
  }
  const Certificate tls_root = make_root(folder, "tls-root", "OEM vehicle TLS root", key);
  make_intermediate(folder, kTls, tls_authority(""), tls_root.get(), key.get());
  make_root(folder, kGatewayCa, "OEM gateway CA", key);
  make_root(folder, kBootstrapCa, "OEM bootstrap CA", key);
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

Key OemPki::key(const std::string& authority) const { return read_key(folder_ / (authority + ".key")); }

bool OemPki::has(const std::string& authority) const {
  return std::filesystem::exists(folder_ / (authority + ".pem"));
}

bool OemPki::has_register() const { return std::filesystem::exists(register_of(folder_)); }

Register OemPki::open_register() const {
  if (!has_register()) {
    throw std::runtime_error(
        "this fleet was provisioned before vehicles could enrol: it has no register of identities");
  }
  return Register(register_of(folder_));
}

std::string OemPki::current(const std::string& base) const {
  if (!std::filesystem::exists(folder_ / kCurrent)) return base;
  return nlohmann::json::parse(read_file(folder_ / kCurrent)).value(base, base);
}

std::vector<std::string> OemPki::all(const std::string& base) const {
  std::vector<std::string> names;
  for (std::string name = base; has(name); name = base + "-" + std::to_string(names.size() + 1)) {
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> OemPki::generations(const std::string& base) const {
  const auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  std::vector<std::string> names = all(base);
  const auto retired = [&](const std::string& name) {
    return std::any_of(index.begin(), index.end(), [&](const nlohmann::json& entry) {
      return entry["authority"] == root_of(base) && entry["name"] == name && entry["revoked"].get<bool>();
    });
  };
  names.erase(std::remove_if(names.begin(), names.end(), retired), names.end());
  return names;
}

std::string OemPki::make_next(const std::string& base) {
  const std::vector<std::string> there = all(base);
  if (there.back() != current(base)) return there.back();
  // Vehicles keep two gateway authorities, and nobody should have to think about three of anything.
  if (generations(base).size() > 1) {
    throw std::runtime_error("the last rotation of " + base + " is not finished: --finish comes first");
  }
  const std::string number = std::to_string(there.size() + 1);
  std::string name = base + "-" + number;
  Key root_key;
  if (base == kGatewayCa) {
    make_root(folder_, name, "OEM gateway CA " + number, root_key);
    return name;
  }
  root_key = key(root_of(base));
  const CertificateProfile profile =
      base == kTls ? tls_authority(" " + number) : role_authority(Role::kVehicle, " " + number);
  make_intermediate(folder_, name, profile, certificate(root_of(base)).get(), root_key.get());
  return name;
}

bool OemPki::switch_to_newest(const std::vector<std::string>& bases) {
  auto chosen = nlohmann::ordered_json::object();
  if (std::filesystem::exists(folder_ / kCurrent)) {
    chosen = nlohmann::ordered_json::parse(read_file(folder_ / kCurrent));
  }
  const auto before = chosen;
  for (const std::string& base : bases) chosen[base] = all(base).back();
  if (chosen == before) return false;
  write_file(folder_ / kCurrent, chosen.dump(1) + "\n", kSecret);
  return true;
}

size_t OemPki::retire_old(const std::string& base) {
  auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  size_t ended = 0;
  for (const std::string& name : generations(base)) {
    if (name == current(base)) continue;
    index.push_back({{"authority", root_of(base)},
                     {"name", name},
                     {"serial", serial_of(certificate(name).get())},
                     {"revoked", true}});
    ++ended;
  }
  if (ended > 0) write_file(folder_ / kIndex, index.dump(1) + "\n", kSecret);
  return ended;
}

Certificate OemPki::gateway_anchor(const std::string& authority) {
  const Path file = folder_ / (authority + ".anchor.pem");
  if (!std::filesystem::exists(file)) {
    const Certificate self_signed = certificate(authority);
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(self_signed.get()), NID_commonName, name, sizeof name);
    const Certificate anchor =
        issue({name, kIntermediateDays, kIntermediateConstraints, kAuthorityUsage, "critical,serverAuth", ""},
              key(authority).get(), certificate("data-root").get(), key("data-root").get());
    write_file(file, pem_of(anchor.get()), kPublic);
  }
  return read_certificate(file);
}

void OemPki::note(const std::string& base, const std::string& authority, const CertificateProfile& profile,
                  X509* certificate) const {
  const char* const label = label_of(base);
  if (label != nullptr && has_register()) {
    open_register().add(describe(certificate, profile, authority, label, "oem"));
    return;
  }
  auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  index.push_back({{"authority", authority},
                   {"name", profile.common_name},
                   {"serial", serial_of(certificate)},
                   {"revoked", false}});
  write_file(folder_ / kIndex, index.dump(1) + "\n", kSecret);
}

OemPki::Issued OemPki::issue_under(const std::string& base, const CertificateProfile& profile,
                                   EVP_PKEY* subject_key) {
  const std::string authority = current(base);
  Issued issued;
  issued.intermediate = certificate(authority);
  issued.leaf = issue(profile, subject_key, issued.intermediate.get(), key(authority).get());
  note(base, authority, profile, issued.leaf.get());
  return issued;
}

OemPki::Issued OemPki::issue_role(Role role, const std::string& name, EVP_PKEY* key, int days) {
  return issue_under(authority_of(role), role_profile(role, name, days), key);
}

OemPki::Issued OemPki::issue_tls_client(const std::string& name, EVP_PKEY* key, int days) {
  return issue_under(kTls, tls_client_profile(name, days), key);
}

OemPki::Issued OemPki::issue_bootstrap(const std::string& name, EVP_PKEY* key, int days) {
  return issue_under(kBootstrapCa, bootstrap_profile(name, days), key);
}

Certificate OemPki::issue_server(const std::vector<std::string>& names, EVP_PKEY* key, int days) {
  std::string alternatives;
  for (const std::string& name : names) {
    const bool address =
        name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
    alternatives += (alternatives.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return issue_under(kGatewayCa, {names.front(), days, "critical,CA:FALSE", kSigns, "serverAuth", alternatives},
                     key)
      .leaf;
}

size_t OemPki::revoke(const std::string& name, Register::Keep keep) {
  auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  size_t found = 0;
  for (auto& entry : index) {
    if (entry["name"] != name) continue;
    entry["revoked"] = true;
    ++found;
  }
  write_file(folder_ / kIndex, index.dump(1) + "\n", kSecret);
  if (has_register()) found += static_cast<size_t>(open_register().revoke(name, keep));
  return found;
}

std::string OemPki::crls(const std::vector<std::string>& bases, int days) const {
  const auto index = nlohmann::json::parse(read_file(folder_ / kIndex));
  std::string lists;
  for (const std::string& base : bases) {
    for (const std::string& authority : all(base)) {
      std::vector<std::string> revoked;
      for (const auto& entry : index) {
        if (entry["authority"] == authority && entry["revoked"] == true) revoked.push_back(entry["serial"]);
      }
      if (has_register()) {
        for (std::string& serial : open_register().revoked_serials(authority))
          revoked.push_back(std::move(serial));
      }
      lists += make_crl(certificate(authority).get(), key(authority).get(), revoked, days);
    }
  }
  return lists;
}

std::string OemPki::data_crls(int days) const { return crls({"data-root", kVehicle, "prekey", "time"}, days); }

std::string OemPki::gateway_crls(int days) const { return crls({"tls-root", kTls}, days); }

std::string OemPki::bootstrap_crls(int days) const { return crls({kBootstrapCa}, days); }

std::string OemPki::tls_authorities() const {
  std::string pem = pem_of(certificate("tls-root").get());
  for (const std::string& name : generations(kTls)) pem += pem_of(certificate(name).get());
  return pem;
}

}  // namespace wayseal::oem
