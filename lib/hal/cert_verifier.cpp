// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal {

Status CertVerifier::verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) {
  if (chain.count == 0 || chain.count > kChainMax) return Status::kInvalidArgument;
  for (size_t i = 0; i < chain.count; ++i) {
    if (chain.certificates[i].empty()) return Status::kInvalidArgument;
    // Bounds what a port's X.509 parser ever sees of unauthenticated bytes.
    if (chain.certificates[i].size() > kCertificateMax) return Status::kMalformed;
  }
  alive();
  CertInfo found;
  WAYSEAL_TRY(do_verify(chain, role, dates, found));
  info = found;
  return Status::kOk;
}

Status CertVerifier::verify_gateway_authority(Bytes certificate, CertificateDates dates) {
  if (certificate.empty()) return Status::kInvalidArgument;
  if (certificate.size() > kCertificateMax) return Status::kMalformed;
  alive();
  return do_verify_gateway_authority(certificate, dates);
}

}  // namespace wayseal
