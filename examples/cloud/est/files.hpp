// SPDX-License-Identifier: Apache-2.0
// The authorities as wayseal-oem has left them in files. They are read with each request, so that a rotation needs no restart.
#ifndef WAYSEAL_EST_FILES_HPP
#define WAYSEAL_EST_FILES_HPP

#include <string>
#include <vector>

#include "provision/x509.hpp"

namespace est {

/// An authority that issues.
struct Issuer {
  std::string name;
  wayseal::oem::Certificate certificate;
  wayseal::oem::Key key;
};

/// Both throw std::runtime_error when files are missing or do not fit together.
Issuer read_issuer(const std::string& folder, const std::string& label);
std::vector<wayseal::oem::Certificate> read_cacerts(const std::string& folder, const std::string& label);

/// A PKCS#7 (RFC 5652: SignedData without content or signers) with these certificates in this order, as base64.
std::string certs_only(const std::vector<X509*>& certificates);

}  // namespace est

#endif
