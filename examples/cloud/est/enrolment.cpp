// SPDX-License-Identifier: Apache-2.0
#include "enrolment.hpp"

#include <stdexcept>

#include "files.hpp"
#include "provision/oem_pki.hpp"
#include "request.hpp"

namespace est {
namespace {

namespace oem = wayseal::oem;
using oem::Identity;

constexpr int64_t kHourSeconds = 3600;
constexpr int64_t kDaySeconds = 86400;

/// Why a key that certificates exist for may not get another one.
const char* fault_of_key(const std::vector<Identity>& uses, const Identity& requester) {
  const char* why = "key_used";
  for (const Identity& use : uses) {
    if (use.vehicle != requester.vehicle) return "key_of_another_vehicle";
    if (use.key == requester.key) return "key_unchanged";
    if (!use.good()) why = "key_revoked";
  }
  return why;
}

}  // namespace

Enrolment::Enrolment(const Config& config) : config_(config), register_(config.register_file) {}

Requester Enrolment::who(const std::string& certificate, int64_t now_s) {
  const auto der = decode_base64(certificate);
  const auto parsed = der ? oem::certificate_of(der->data(), der->size()) : nullptr;
  if (!parsed) return {std::nullopt, "certificate"};
  const auto known = register_.by_serial(oem::serial_of(parsed.get()));
  // The same bytes, not the same number: what the register has was issued by us, whoever signs with what authority now.
  if (!known || known->certificate != *der) return {std::nullopt, "certificate_unknown"};
  if (!known->good()) return {std::nullopt, "certificate_revoked"};
  if (known->not_after_s < now_s) return {std::nullopt, "certificate_expired"};
  if (known->label != oem::kTlsLabel && known->label != oem::kBootstrapLabel)
    return {std::nullopt, "certificate_purpose"};
  if (register_.standing(known->vehicle).decommissioned) return {std::nullopt, "decommissioned"};
  register_.see(known->digest, now_s);
  return {known, ""};
}

Outcome Enrolment::cacerts(const std::string& label) {
  const auto all = read_cacerts(config_.cacerts, label);
  std::vector<X509*> certificates;
  certificates.reserve(all.size());
  for (const auto& certificate : all) certificates.push_back(certificate.get());
  return {200, "", "", certs_only(certificates)};
}

Outcome Enrolment::enrol(Operation operation, const Identity& requester, const std::string& label,
                         const std::string& request, int64_t now_s) {
  const bool bootstrap = requester.label == oem::kBootstrapLabel;
  if (bootstrap != (operation == Operation::kEnrol)) return {403, "", "operation", {}};
  const CheckedRequest checked = check_request(request, requester.vehicle);
  if (!checked.key) return {400, "", checked.why, {}};
  Outcome outcome;
  // One transaction, from the looks at the register to the new row: two requests for one key cannot both be the first.
  register_.atomically([&] { outcome = settle(requester, label, checked.key.get(), now_s); });
  return outcome;
}

Outcome Enrolment::settle(const Identity& requester, const std::string& label, EVP_PKEY* key, int64_t now_s) {
  // Again, inside the transaction: a revocation may have come in between.
  const auto still = register_.by_serial(requester.serial);
  if (!still || !still->good()) return {403, "", "certificate_revoked", {}};
  if (register_.standing(requester.vehicle).decommissioned) return {403, "", "decommissioned", {}};
  const std::string digest = oem::key_digest_of(key);
  const auto uses = register_.by_key(digest);
  if (const auto before = given_before(requester, label, uses, now_s))
    return {200, "", "again", answer_with(*before)};
  if (!uses.empty()) return {409, "key-refused", fault_of_key(uses, requester), {}};
  if (register_.requested_since(requester.vehicle, now_s - kDaySeconds) >= config_.issues_per_day) {
    return {429, "", "rate", {}};
  }
  return {200, "", "new", answer_with(issue(requester, label, key))};
}

std::optional<Identity> Enrolment::given_before(const Identity& requester, const std::string& label,
                                                const std::vector<Identity>& uses, int64_t now_s) {
  if (uses.size() != 1 || uses[0].vehicle != requester.vehicle) return std::nullopt;
  const bool asked_for =
      uses[0].requested_by != "oem" && uses[0].issued_s > now_s - config_.repeat_hours * kHourSeconds;
  // Once it was used, its vehicle has it; asking again then is no lost answer.
  if (!asked_for || uses[0].state != oem::IdentityState::kIssued) return std::nullopt;
  const auto newest = register_.newest(requester.vehicle, label);
  return newest && newest->serial == uses[0].serial ? newest : std::nullopt;
}

Identity Enrolment::issue(const Identity& requester, const std::string& label, EVP_PKEY* key) {
  const Issuer issuer = read_issuer(config_.issuers, label);
  const oem::CertificateProfile profile =
      label == oem::kTlsLabel ? oem::tls_client_profile(requester.vehicle, config_.days)
                              : oem::role_profile(wayseal::Role::kVehicle, requester.vehicle, config_.days);
  const auto certificate = oem::issue(profile, key, issuer.certificate.get(), issuer.key.get());
  Identity identity = oem::describe(certificate.get(), profile, issuer.name, label, requester.serial);
  register_.add(identity);
  return identity;
}

std::string Enrolment::answer_with(const Identity& identity) const {
  const auto leaf = oem::certificate_of(identity.certificate.data(), identity.certificate.size());
  // The intermediate may be an older one than that which issues now, when an answer is given again.
  for (const auto& authority : read_cacerts(config_.cacerts, identity.label)) {
    if (leaf && X509_verify(leaf.get(), X509_get0_pubkey(authority.get())) == 1) {
      return certs_only({leaf.get(), authority.get()});
    }
  }
  throw std::runtime_error("the authority of a certificate is not handed out any more");
}

}  // namespace est
