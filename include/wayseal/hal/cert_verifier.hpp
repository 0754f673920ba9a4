// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: X.509 path validation under the OEM's data root.
#ifndef WAYSEAL_HAL_CERT_VERIFIER_HPP
#define WAYSEAL_HAL_CERT_VERIFIER_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/core/time.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/keep_alive.hpp"

namespace wayseal {

/// DER certificates, leaf first, at most kChainMax of them, without the root. Borrowed.
struct CertChain {
  Bytes certificates[kChainMax];
  size_t count = 0;
};

/// What a verified leaf says.
struct CertInfo {
  EcPoint public_key;
  VehicleId subject;  ///< The subject's common name: for a vehicle its id, for the backend its name.
  UtcTime not_before;
  UtcTime not_after;
};

/// Validates chains (RFC 5280, section 6) that end in the data root the port was built with.
///
/// Threads: one thread, the cloud side's. Blocking: no. Parses unauthenticated bytes: the port names its
/// parser in SECURITY.md's list.
class CertVerifier : public KeepsAlive {
 public:
  /// Accepts a chain of exactly leaf and intermediate, P-256 keys and ECDSA with SHA-256, where both carry a critical
  /// extended key usage with exactly one element, that of `role`; the leaf is no CA and signs digitally.
  /// \param dates whether validity is judged, and against when.
  /// \param[out] info set only with kOk.
  /// \return kOk; kNotAuthentic for a bad signature, root, role, usage or key type; kStale outside the
  ///         validity; kMalformed; kInvalidArgument for an empty chain.
  Status verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info);

  /// Accepts the certificate of an authority of gateways: an issuer for TLS servers and nothing else, vouched for by the data
  /// root itself. P-256 and ECDSA with SHA-256, CA with a path length of 0, and a critical extended key usage of serverAuth
  /// alone, which no role has. \return as `verify`; kUnsupported: the port can't.
  Status verify_gateway_authority(Bytes certificate, CertificateDates dates);

 protected:
  ~CertVerifier() = default;

 private:
  virtual Status do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) = 0;
  virtual Status do_verify_gateway_authority(Bytes /*certificate*/, CertificateDates /*dates*/) {
    return Status::kUnsupported;
  }
};

}  // namespace wayseal

#endif
