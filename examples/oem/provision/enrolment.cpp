// SPDX-License-Identifier: Apache-2.0
#include "provision/enrolment.hpp"

#include <nlohmann/json.hpp>

namespace wayseal::oem {
namespace {

constexpr int kEnrolledDays = 730;
constexpr int kIssuesPerDay = 10;
constexpr int kRepeatHours = 24;

Path est_of(const Path& fleet) { return fleet / "est"; }

void make_private_folder(const Path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms{0700});
}

std::string pem_of_all(const OemPki& pki, const std::string& root, const std::string& base) {
  std::string pem = pem_of(pki.certificate(root).get());
  for (const std::string& name : pki.generations(base)) pem += pem_of(pki.certificate(name).get());
  return pem;
}

/// Certificate and key of one authority in one file, which is there before the list names it.
void publish_issuers(const Path& fleet, const OemPki& pki) {
  const Path folder = est_of(fleet) / "issuers";
  make_private_folder(folder);
  nlohmann::ordered_json list;
  for (const auto& [label, base] : {std::pair{kTlsLabel, "tls"}, std::pair{kE2eLabel, "vehicle"}}) {
    const std::string name = pki.current(base);
    write_file(folder / (name + ".pem"), pem_of(pki.certificate(name).get()) + pem_of(pki.key(name).get()),
               kSecret);
    list[label] = name;
  }
  write_file(folder / "issuers.json", list.dump() + "\n", kPublic);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem();
    const bool in_use = name == "issuers" || name == list[kTlsLabel] || name == list[kE2eLabel];
    if (!in_use) std::filesystem::remove(entry.path());
  }
}

void publish_cacerts(const Path& fleet, OemPki& pki) {
  const Path folder = est_of(fleet) / "cacerts";
  make_private_folder(folder);
  write_file(folder / "tls.pem", pem_of_all(pki, "tls-root", "tls"), kPublic);
  write_file(folder / "e2e.pem", pem_of_all(pki, "data-root", "vehicle"), kPublic);
  std::string anchors;
  for (const std::string& name : pki.generations("gateway-ca"))
    anchors += pem_of(pki.gateway_anchor(name).get());
  write_file(folder / "gateway.pem", anchors, kPublic);
}

}  // namespace

bool has_enrolment(const Path& fleet) { return std::filesystem::exists(est_of(fleet) / "est.json"); }

void make_enrolment(const Path& fleet) {
  make_private_folder(est_of(fleet));
  Register::create(est_of(fleet) / "register.db");
  const nlohmann::ordered_json config{{"socket", "est.sock"},         {"register", "register.db"},
                                      {"issuers", "issuers"},         {"cacerts", "cacerts"},
                                      {"days", kEnrolledDays},        {"issues_per_day", kIssuesPerDay},
                                      {"repeat_hours", kRepeatHours}, {"log", "-"}};
  write_file(est_of(fleet) / "est.json", config.dump(2) + "\n", kPublic);
}

void publish_authorities(const Path& fleet, OemPki& pki) {
  const Path gateway = fleet / "gateway";
  std::string gateway_authorities;
  for (const std::string& name : pki.generations("gateway-ca")) {
    gateway_authorities += pem_of(pki.certificate(name).get());
  }
  write_file(gateway / "gateway-ca.pem", gateway_authorities, kPublic);
  write_file(gateway / "vehicle-ca.pem", pki.tls_authorities(), kPublic);
  if (!has_enrolment(fleet)) return;
  const std::string bootstrap = pem_of(pki.certificate("bootstrap-ca").get());
  write_file(gateway / "bootstrap-ca.pem", bootstrap, kPublic);
  write_file(gateway / "enrolment-ca.pem", pki.tls_authorities() + bootstrap, kPublic);
  publish_cacerts(fleet, pki);
  publish_issuers(fleet, pki);
}

void publish_crls(const Path& fleet, const OemPki& pki, int days) {
  write_file(fleet / "backend" / "crl.pem", pki.data_crls(days), kPublic);
  const std::string vehicles = pki.gateway_crls(days);
  write_file(fleet / "gateway" / "vehicle-crl.pem", vehicles, kPublic);
  if (!has_enrolment(fleet)) return;
  const std::string bootstrap = pki.bootstrap_crls(days);
  write_file(fleet / "gateway" / "bootstrap-crl.pem", bootstrap, kPublic);
  write_file(fleet / "gateway" / "enrolment-crl.pem", vehicles + bootstrap, kPublic);
}

}  // namespace wayseal::oem
