// SPDX-License-Identifier: Apache-2.0
/// \file
/// The OEM's side of a device that makes its own keys and has no PKCS#11 (hal/psa): its signing requests in, its
/// certificates and roots out, as lines of text (wayseal/psa/provisioning_line.hpp).
#ifndef WAYSEAL_OEM_PROVISION_SIGNING_HPP
#define WAYSEAL_OEM_PROVISION_SIGNING_HPP

#include <istream>
#include <string>

#include "provision/oem_pki.hpp"

namespace wayseal::oem {

/// The two keys of a device, each proved by a signature of its own.
struct DeviceKeys {
  Key tls;
  Key e2e;
};

/// Reads the lines `wayseal-request NAME HEX`; others are left alone, so that a console's log will do. Throws
/// std::runtime_error unless there is exactly one request for each key, whole, on P-256, signed by its key, naming it,
/// and the keys differ.
DeviceKeys read_requests(std::istream& lines);

/// The lines `wayseal-object NAME HEX` of a device: both certificates with their intermediates, and both roots. Each call
/// issues anew.
std::string object_lines(OemPki& pki, const DeviceKeys& keys, const std::string& vehicle_id);

}  // namespace wayseal::oem

#endif
