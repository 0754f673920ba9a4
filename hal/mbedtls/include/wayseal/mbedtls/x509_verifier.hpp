// SPDX-License-Identifier: Apache-2.0
/// \file
/// CertVerifier port: path validation under the data root by mbedTLS.
#ifndef WAYSEAL_MBEDTLS_X509_VERIFIER_HPP
#define WAYSEAL_MBEDTLS_X509_VERIFIER_HPP

#include <mbedtls/x509_crt.h>

#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal {

/// Accepts exactly leaf, intermediate and the root it was given (RFC 5280, section 6), and is stricter than the
/// RFC where the project's own certificates never need the leniency:
///
/// * keys are P-256 in the one usual coding (named curve, uncompressed point), signatures ECDSA with SHA-256;
/// * leaf and intermediate carry a critical extended key usage whose DER is, byte for byte, a sequence of the
///   role's OID;
/// * both carry a key usage: digitalSignature without keyCertSign in the leaf, keyCertSign in the intermediate;
/// * the leaf is no CA, whatever its basic constraints say by being absent;
/// * the subject has one common name of 1 to 32 characters out of [A-Za-z0-9._-];
/// * nothing follows the certificate in its bytes.
///
/// The root's own dates are not judged: its provisioning is what it is trusted by.
///
/// Unauthenticated bytes are read by mbedtls_x509_crt_parse_der_nocopy before the signature is checked. It
/// allocates (names, usages) from mbedTLS's allocator, bounded by kCertificateMax a certificate, and everything
/// is freed before `verify` returns. The object takes 0.8 KiB; the two parsed
/// certificates 1.5 KiB of stack, and mbedTLS its own.
///
/// Threads: one thread. Blocking: no; two or three ECDSA verifications of some milliseconds each on an MCU.
class X509Verifier final : public CertVerifier {
 public:
  X509Verifier();
  ~X509Verifier();
  X509Verifier(const X509Verifier&) = delete;
  X509Verifier& operator=(const X509Verifier&) = delete;

  /// Takes the data root. Until then every chain is kNotAuthentic.
  /// \param root_der borrowed until the next call or the verifier's end.
  /// \return kOk; kMalformed; kUnsupported when it is no CA certificate with a P-256 key; kFull when mbedTLS
  ///         got no memory; kBadState when PSA cannot start.
  Status set_root(Bytes root_der);

 private:
  Status do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) override;
  Status do_verify_gateway_authority(Bytes certificate, CertificateDates dates) override;
  Status check_path(mbedtls_x509_crt& leaf, mbedtls_x509_crt& intermediate, CertificateDates dates);

  mbedtls_x509_crt root_ = {};
  bool has_root_ = false;
};

/// The role's extended key usage as DER, tag and length included (PROTOCOL.md, "Roles"). Static storage.
Bytes role_oid(Role role);

}  // namespace wayseal

#endif
