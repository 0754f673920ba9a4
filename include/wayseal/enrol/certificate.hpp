// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a vehicle writes and reads when it asks for a certificate: PKCS#10, certs-only PKCS#7, base64, and the few fields of a
/// certificate that it looks at itself.
#ifndef WAYSEAL_ENROL_CERTIFICATE_HPP
#define WAYSEAL_ENROL_CERTIFICATE_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal {

/// Longest signing request in bytes, DER.
inline constexpr size_t kSigningRequestMax = 256;

/// Characters that `size` bytes take in base64 (RFC 4648, 4), with padding and without line breaks.
constexpr size_t base64_size(size_t size) { return (size + 2) / 3 * 4; }

/// Bytes of a request that are signed: CertificationRequestInfo (RFC 2986, 4.1) with the subject CN = `id`, a P-256 key and no
/// attributes. \return bytes written; kInvalidArgument: the id is none (PROTOCOL.md, "Identities and roles"); kBufferTooSmall.
Result<size_t> write_request_info(const VehicleId& id, const EcPoint& key, MutableBytes out);

/// The whole request: `info`, ecdsa-with-SHA256 (RFC 5758), the signature. \return bytes written; kBufferTooSmall.
/// \param out must not overlap `info`.
Result<size_t> write_signing_request(Bytes info, const EcSignature& signature, MutableBytes out);

/// \return base64_size(bytes.size()); kBufferTooSmall. \param out must not overlap `bytes`.
Result<size_t> write_base64(Bytes bytes, MutableBytes out);

/// Decodes in place; line breaks, spaces and tabs are skipped (RFC 8951, 3.1), everything else has to be canonical.
/// \return bytes that are at the beginning of `text` now; kMalformed.
Result<size_t> read_base64(MutableBytes text);

/// Certificates of a certs-only message (RFC 5652 SignedData without signers, RFC 7030 4.2.3), as views, in its order.
struct CertificateList {
  Bytes certificates[kChainMax];
  size_t count = 0;
};

/// Reads unauthenticated bytes: DER only. \return kOk; kMalformed, also for anything but certificates in it; kUnsupported: more
/// than kChainMax certificates, or one above kCertificateMax.
Status read_certs_only(Bytes message, CertificateList& out);

/// What is read of a certificate without verifying anything.
struct CertificateFields {
  EcPoint key;        ///< On P-256, uncompressed; not checked to be on the curve.
  VehicleId subject;  ///< The one common name. Only its length is checked.
  UtcTime not_before;
  UtcTime not_after;
};

/// \return kOk; kMalformed: no X.509 v3 certificate in DER, or not exactly one common name; kUnsupported: another kind of key or
///         a longer name.
Status read_certificate_fields(Bytes certificate, CertificateFields& out);

}  // namespace wayseal

#endif
