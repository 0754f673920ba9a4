// SPDX-License-Identifier: Apache-2.0
/// \file
/// The little DER that tokens and certificates need.
#ifndef WAYSEAL_PKCS11_TOOLS_DER_HPP
#define WAYSEAL_PKCS11_TOOLS_DER_HPP

#include <vector>

#include "wayseal/core/types.hpp"

namespace wayseal::pkcs11_tools {

/// Where a certificate object's attributes lie in its DER, each with its tag and length (RFC 5280, 4.1).
struct CertificateFields {
  Bytes serial_number;
  Bytes issuer;
  Bytes subject;
};

/// Finds the fields. \throw std::invalid_argument when `der` is not one DER certificate.
CertificateFields parse_certificate(Bytes der);

/// Ecdsa-Sig-Value (RFC 3279, 2.2.3).
std::vector<uint8_t> encode_signature(const EcSignature& signature);
/// SubjectPublicKeyInfo of a P-256 point (RFC 5480).
std::vector<uint8_t> encode_spki(const EcPoint& point);

}  // namespace wayseal::pkcs11_tools

#endif
