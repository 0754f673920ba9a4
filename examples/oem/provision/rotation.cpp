// SPDX-License-Identifier: Apache-2.0
#include "provision/rotation.hpp"

#include <openssl/x509v3.h>

#include <ctime>
#include <stdexcept>

#include "provision/enrolment.hpp"

namespace wayseal::oem {
namespace {

const char* const kGatewayCa = "gateway-ca";

std::string address_of(const ASN1_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  if (ASN1_STRING_length(address) == 4) {
    std::string text;
    for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(bytes[i]);
    return text;
  }
  std::string text;
  char part[8];
  for (int i = 0; i + 1 < ASN1_STRING_length(address); i += 2) {
    std::snprintf(part, sizeof part, "%s%x", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
    text += part;
  }
  return text;
}

/// DNS names and addresses of a server certificate.
std::vector<std::string> names_in(const X509* certificate) {
  std::vector<std::string> names;
  auto* const found =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(found, i);
    if (name->type == GEN_IPADD) names.push_back(address_of(name->d.iPAddress));
    if (name->type != GEN_DNS) continue;
    const auto* const text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.emplace_back(text, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(found);
  if (names.empty()) throw std::runtime_error("the gateway's certificate names no server; give --server-name");
  return names;
}

void issue_gateway_certificate(const Path& fleet, OemPki& pki, const std::vector<std::string>& names) {
  const Key key = generate_key();
  const Certificate certificate = pki.issue_server(names, key.get(), kServerDays);
  write_file(fleet / "gateway" / "server.pem", pem_of(certificate.get()) + pem_of(key.get()), kSecret);
}

std::string reload_hint(const Path& fleet) {
  return "examples/cloud/gateway/check " + (fleet / "gateway").string() + ", and reload the gateways";
}

bool prepared(const OemPki& pki, const std::string& base) {
  return pki.generations(base).back() != pki.current(base);
}

/// Whether the gateway's certificate is from the authority that is current.
bool serves_current(const Path& fleet, const OemPki& pki) {
  const Certificate server = read_certificate(fleet / "gateway" / "server.pem");
  const Certificate authority = pki.certificate(pki.current(kGatewayCa));
  return X509_verify(server.get(), X509_get0_pubkey(authority.get())) == 1;
}

}  // namespace

std::string rotate_gateway_certificate(const Path& fleet, OemPki& pki, std::vector<std::string> names) {
  if (names.empty()) names = names_in(read_certificate(fleet / "gateway" / "server.pem").get());
  issue_gateway_certificate(fleet, pki, names);
  return "The gateway has a new key and certificate. What is left:\n  1. " + reload_hint(fleet) + "\n";
}

std::string rotate_gateway_ca(const Path& fleet, OemPki& pki, RotationStep step) {
  if (step == RotationStep::kPrepare) {
    const std::string name = pki.make_next(kGatewayCa);
    publish_authorities(fleet, pki);
    return "There is a new gateway authority, " + name +
           ". Vehicles learn it as /.well-known/est/gateway/cacerts, signed by the data root, and trust both. "
           "What is "
           "left, in this order:\n  1. wait until every vehicle has asked for it (the enrolment server's log: "
           "event "
           "`authorities`, label `gateway`)\n  2. wayseal-oem rotate gateway-ca --switch --out " +
           fleet.string() + "\n";
  }
  if (step == RotationStep::kSwitch) {
    if (!prepared(pki, kGatewayCa) && serves_current(fleet, pki) && pki.current(kGatewayCa) == kGatewayCa) {
      throw std::runtime_error("no gateway authority was prepared: run `wayseal-oem rotate gateway-ca` first");
    }
    pki.switch_to_newest({kGatewayCa});
    if (!serves_current(fleet, pki)) {
      issue_gateway_certificate(fleet, pki, names_in(read_certificate(fleet / "gateway" / "server.pem").get()));
    }
    return "The gateway has a certificate of " + pki.current(kGatewayCa) +
           ". What is left, in this order:\n  1. " + reload_hint(fleet) +
           "\n  2. when no gateway has the old certificate any more: wayseal-oem rotate gateway-ca --finish "
           "--out " +
           fleet.string() + "\n";
  }
  if (prepared(pki, kGatewayCa) || !serves_current(fleet, pki)) {
    throw std::runtime_error(
        "the gateway does not serve the new authority's certificate: --switch comes first");
  }
  const size_t ended = pki.retire_old(kGatewayCa);
  publish_authorities(fleet, pki);
  return std::to_string(ended) + " old gateway authorities are handed out no more. Nothing is left to do.\n";
}

std::string rotate_vehicle_ca(const Path& fleet, OemPki& pki, RotationStep step, Force force) {
  const std::vector<std::string> bases{"tls", "vehicle"};
  if (step == RotationStep::kPrepare) {
    for (const std::string& base : bases) pki.make_next(base);
    publish_crls(fleet, pki, kCrlDays);
    publish_authorities(fleet, pki);
    return "There are new intermediates beside the old ones. What is left, in this order:\n  1. " +
           reload_hint(fleet) +
           "; the backend reads its lists by itself within a minute\n  2. wayseal-oem rotate "
           "vehicle-ca --switch --out " +
           fleet.string() + "\n";
  }
  if (step == RotationStep::kSwitch) {
    if (!prepared(pki, "tls") && pki.current("tls") == "tls") {
      throw std::runtime_error("no intermediates were prepared: run `wayseal-oem rotate vehicle-ca` first");
    }
    pki.switch_to_newest(bases);
    publish_authorities(fleet, pki);
    return "Vehicles enrol under the new intermediates from now on. What is left, in this order:\n  1. "
           "vehicles "
           "renew as their certificates age; `wayseal-oem identities supersede` ends old ones\n  2. when none "
           "is in "
           "use: wayseal-oem rotate vehicle-ca --finish --out " +
           fleet.string() + "\n";
  }
  if (prepared(pki, "tls") || prepared(pki, "vehicle")) {
    throw std::runtime_error("vehicles do not enrol under the new intermediates yet: --switch comes first");
  }
  int64_t living = 0;
  for (const std::string& base : bases) {
    for (const std::string& name : pki.generations(base)) {
      if (name != pki.current(base)) living += pki.open_register().living(name, std::time(nullptr));
    }
  }
  if (living > 0 && force == Force::kNo) {
    throw std::runtime_error(std::to_string(living) +
                             " certificates of the old intermediates are still good; --force ends them all");
  }
  const size_t ended = pki.retire_old("tls") + pki.retire_old("vehicle");
  publish_crls(fleet, pki, kCrlDays);
  publish_authorities(fleet, pki);
  return std::to_string(ended) + " old intermediates are revoked. What is left:\n  1. " + reload_hint(fleet) +
         "\n";
}

}  // namespace wayseal::oem
