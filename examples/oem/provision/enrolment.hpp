// SPDX-License-Identifier: Apache-2.0
/// \file
/// The files of the enrolment server (examples/cloud/est): its configuration, the register, the two authorities that it issues
/// with, what it hands out as authorities; and what the enrolment listener of the gateway trusts. All functions take the
/// fleet's folder, and throw std::runtime_error where they fail.
#ifndef WAYSEAL_OEM_PROVISION_ENROLMENT_HPP
#define WAYSEAL_OEM_PROVISION_ENROLMENT_HPP

#include "provision/oem_pki.hpp"

namespace wayseal::oem {

/// Makes est/ with est.json and an empty register.
void make_enrolment(const Path& fleet);

/// Whether the fleet has it. Fleets that were provisioned before do not.
bool has_enrolment(const Path& fleet);

/// Writes what depends on the authorities, as they are now: est/issuers, est/cacerts, and the gateway's vehicle-ca.pem,
/// gateway-ca.pem, bootstrap-ca.pem and enrolment-ca.pem. A running server needs no restart, the gateway has to be reloaded.
void publish_authorities(const Path& fleet, OemPki& pki);

/// Writes new revocation lists for `days`: backend/crl.pem, the gateway's vehicle-crl.pem, bootstrap-crl.pem and
/// enrolment-crl.pem.
void publish_crls(const Path& fleet, const OemPki& pki, int days);

}  // namespace wayseal::oem

#endif
