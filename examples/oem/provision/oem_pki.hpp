// SPDX-License-Identifier: Apache-2.0
/// \file
/// The OEM's certificate authorities as a reference: eight P-256 authorities with their keys in one folder. A
/// real OEM
/// keeps these keys in HSMs, the roots offline.
///
///     data-root    -> vehicle, prekey, time    roles of PROTOCOL.md, section 1
///     tls-root     -> tls                      client certificates of vehicles, trusted by the gateway
///     gateway-ca                               the gateway's own certificate, trusted by vehicles
///     bootstrap-ca                             what vehicles enrol with when all else has expired (cloud/est)
///
/// `vehicle`, `tls` and `gateway-ca` can be replaced: the next ones are called `tls-2`, `tls-3` and so on, and stand beside the
/// old ones. One of each is current: it issues.
#ifndef WAYSEAL_OEM_PROVISION_OEM_PKI_HPP
#define WAYSEAL_OEM_PROVISION_OEM_PKI_HPP

#include <string>

#include "provision/register.hpp"
#include "provision/x509.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal::oem {

/// Dotted OID of a role.
std::string role_oid(Role role);

/// What certificates say, wherever they are issued.
CertificateProfile role_profile(Role role, const std::string& name, int days);
CertificateProfile tls_client_profile(const std::string& name, int days);
/// For the enrolment listener alone: an authority and a purpose of its own.
CertificateProfile bootstrap_profile(const std::string& name, int days);

/// A new certificate as the register has it. `vehicle` is its common name.
Identity describe(X509* certificate, const CertificateProfile& profile, const std::string& authority,
                  const std::string& label, const std::string& requested_by);

class OemPki {
 public:
  /// Makes all authorities in `folder`, which is made with mode 0700.
  static OemPki create(const Path& folder);
  /// Opens what `create` has made. Certificates of vehicles go into the register est/register.db beside `folder`, if it is
  /// there, and else into the folder's own list, like all others.
  explicit OemPki(Path folder);

  struct Issued {
    Certificate leaf;
    Certificate intermediate;
  };
  /// A role certificate for a public key; notes its serial number under `name`.
  Issued issue_role(Role role, const std::string& name, EVP_PKEY* key, int days);
  /// A TLS client certificate for a vehicle.
  Issued issue_tls_client(const std::string& name, EVP_PKEY* key, int days);
  /// A certificate for a vehicle's bootstrap key.
  Issued issue_bootstrap(const std::string& name, EVP_PKEY* key, int days);
  /// A TLS server certificate for DNS names and IP addresses.
  Certificate issue_server(const std::vector<std::string>& names, EVP_PKEY* key, int days);

  Certificate certificate(const std::string& authority) const;
  Key key(const std::string& authority) const;
  bool has(const std::string& authority) const;

  /// The authority out of `tls`, `tls-2`, ... that issues; the same for the other names.
  std::string current(const std::string& base) const;
  /// All of them that may still be used, oldest first.
  std::vector<std::string> generations(const std::string& base) const;
  /// Makes the next `tls`, `vehicle` or `gateway-ca`, unless there is one already that is not current. Throws while an older one
  /// than the current is still good.
  /// \return its name.
  std::string make_next(const std::string& base);
  /// Lets the newest of `bases` issue, all at the same moment. \return whether that changed anything.
  bool switch_to_newest(const std::vector<std::string>& bases);
  /// Ends all of `base` but the current one; their certificates are refused from the next revocation lists on.
  /// \return how many ended.
  size_t retire_old(const std::string& base);

  /// The key of a gateway authority, certified by the data root, which every vehicle has: with this a vehicle can learn a new
  /// gateway authority from anybody.
  Certificate gateway_anchor(const std::string& authority);

  /// Marks all certificates that were issued for `name` as revoked. \return how many there were.
  size_t revoke(const std::string& name, Register::Keep keep = Register::Keep::kNothing);

  /// The register of this fleet. Throws when the fleet was provisioned before there was one.
  Register open_register() const;
  bool has_register() const;

  /// Revocation lists for those who verify chains under the data root, and for the gateway, each for `days`.
  std::string data_crls(int days) const;
  std::string gateway_crls(int days) const;
  std::string bootstrap_crls(int days) const;

  /// Roots and intermediates that client certificates of vehicles may be under, as PEM.
  std::string tls_authorities() const;

 private:
  Issued issue_under(const std::string& base, const CertificateProfile& profile, EVP_PKEY* key);
  std::vector<std::string> all(const std::string& base) const;
  std::string crls(const std::vector<std::string>& bases, int days) const;
  void note(const std::string& base, const std::string& authority, const CertificateProfile& profile,
            X509* certificate) const;
  Path folder_;
};

}  // namespace wayseal::oem

#endif
