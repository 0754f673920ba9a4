// SPDX-License-Identifier: Apache-2.0
/// \file
/// Partners: companies that read shared data (examples/cloud/share). Everything about them is in files of the fleet: their
/// certificate authority (ca/partner.*), their clients at the identity provider (idp/partners/), and keys and grants
/// (share/partners.json), which the share process reads again whenever it has changed. All functions take the fleet's folder, give
/// what was done and what is left to do in words for a person, and throw std::runtime_error where they fail or refuse.
#ifndef WAYSEAL_OEM_PROVISION_PARTNERS_HPP
#define WAYSEAL_OEM_PROVISION_PARTNERS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "provision/x509.hpp"

namespace wayseal::oem {

/// A partner without key, certificate and grants. The first one makes the authority, the provider's realm and share/.
/// \param name 1 to 32 characters out of A-Z a-z 0-9 . _ -
std::string add_partner(const Path& fleet, const std::string& name);

/// What answers are sealed for from the next request on; takes the place of the key before.
/// \param jwk_file a public key on P-256 as a JWK; a private half is refused. Without a kid it gets its thumbprint (RFC 7638).
std::string set_partner_key(const Path& fleet, const std::string& name, const Path& jwk_file);

/// A client certificate for the key of a signing request (PKCS#10, PEM, P-256, subject CN = name and nothing else). Earlier ones stay
/// good: that is how a partner changes over.
/// \param to gets the certificate as PEM
std::string issue_partner_certificate(const Path& fleet, const std::string& name, const Path& request_file,
                                      const Path& to, int days);

struct PartnerGrant {
  std::string partner;
  std::vector<std::string> vehicles;
  std::vector<std::string> signals;  ///< `Message.Signal`.
  std::string purpose;
  int64_t not_before = 0;  ///< Seconds since 1970; may lie in the past, to give data that is there already.
  int64_t expires = 0;
};
/// Binds the grant to the vehicles' owners of today.
std::string grant_to_partner(const Path& fleet, const PartnerGrant& grant);

std::string withdraw_grant(const Path& fleet, const std::string& name, const std::string& grant_id);
std::string revoke_partner_certificate(const Path& fleet, const std::string& name, const std::string& serial);
/// Grants, key, provider's client and every certificate.
std::string withdraw_partner(const Path& fleet, const std::string& name);
/// The revocation list anew, for as long as every list.
std::string renew_partner_list(const Path& fleet);

/// The vehicle has another owner, or is taken out of service: every grant of before gives nothing of it any more, and no later one gives
/// data from before now. A fleet without partners is left as it is.
std::string end_sharing(const Path& fleet, const std::string& vehicle_id);

/// Partners with keys, certificates and grants; a table, or JSON.
enum class ListForm { kTable, kJson };
std::string list_partners(const Path& fleet, ListForm form);

/// `2026-11-22T16:00:00Z` or `2026-11-22` in seconds since 1970.
int64_t partner_time(const std::string& text);

}  // namespace wayseal::oem

#endif
