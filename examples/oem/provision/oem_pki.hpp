// SPDX-License-Identifier: Apache-2.0
/// \file
/// The OEM's certificate authorities as a reference: seven P-256 authorities with their keys in one folder. A
/// real OEM
/// keeps these keys in HSMs, the two roots offline.
///
///     data-root -> vehicle, prekey, time       roles of PROTOCOL.md, section 1
///     tls-root  -> tls                         client certificates of vehicles, trusted by the gateway
///     gateway-ca                               the gateway's own certificate, trusted by vehicles
#ifndef WAYSEAL_OEM_PROVISION_OEM_PKI_HPP
#define WAYSEAL_OEM_PROVISION_OEM_PKI_HPP

#include <string>

#include "provision/x509.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal::oem {

/// Dotted OID of a role.
std::string role_oid(Role role);

class OemPki {
 public:
  /// Makes all authorities in `folder`, which is made with mode 0700.
  static OemPki create(const Path& folder);
  /// Opens what `create` has made.
  explicit OemPki(Path folder);

  struct Issued {
    Certificate leaf;
    Certificate intermediate;
  };
  /// A role certificate for a public key; notes its serial number under `name`.
  Issued issue_role(Role role, const std::string& name, EVP_PKEY* key, int days);
  /// A TLS client certificate for a vehicle.
  Issued issue_tls_client(const std::string& name, EVP_PKEY* key, int days);
  /// A TLS server certificate for DNS names and IP addresses.
  Certificate issue_server(const std::vector<std::string>& names, EVP_PKEY* key, int days);

  Certificate certificate(const std::string& authority) const;

  /// Marks all certificates that were issued for `name` as revoked. \return how many there were.
  size_t revoke(const std::string& name);

  /// Revocation lists for those who verify chains under the data root, and for the gateway, each for `days`.
  std::string data_crls(int days) const;
  std::string gateway_crls(int days) const;

 private:
  Issued issue_under(const std::string& authority, const CertificateProfile& profile, EVP_PKEY* key);
  std::string crls(const std::vector<std::string>& authorities, int days) const;
  void note(const std::string& authority, const std::string& name, const X509* certificate) const;
  Path folder_;
};

}  // namespace wayseal::oem

#endif
