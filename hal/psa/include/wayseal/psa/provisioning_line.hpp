// SPDX-License-Identifier: Apache-2.0
/// \file
/// Provisioning over a serial line: requests and objects as lines of text, for people and scripts to carry.
///
///     device to OEM:   wayseal-request NAME HEX      NAME: tls, e2e
///     OEM to device:   wayseal-object NAME HEX       NAME: tls, tls-intermediate, e2e, e2e-intermediate,
///                                                          data-root, gateway-ca
///
/// HEX is DER in lower-case hexadecimal; one blank between words, '\n' at the end; capital digits and '\r' are
/// accepted. `wayseal-oem sign` reads the one and writes the other.
#ifndef WAYSEAL_PSA_PROVISIONING_LINE_HPP
#define WAYSEAL_PSA_PROVISIONING_LINE_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/psa/psa_provisioning.hpp"

namespace wayseal {

/// The longest line of each kind, with its end.
inline constexpr size_t kRequestLineMax = 20 + 2 * kSigningRequestMax + 1;
inline constexpr size_t kObjectLineMax = 32 + 2 * kCertificateMax + 2;

/// Writes the line of a request, '\n' included, not terminated.
/// \param out kRequestLineMax characters are always enough.
/// \return the characters used; kBufferTooSmall.
Result<size_t> write_request_line(IdentityKey key, Bytes request, Span<char> out);

/// Reads one line, with or without its end.
/// \param out gets the object's bytes; kCertificateMax are always enough.
/// \return their number; kNotFound for a line of another kind, which is no error on a line that people type at;
///         kMalformed for an unknown name or wrong hexadecimal; kBufferTooSmall.
Result<size_t> read_object_line(Span<const char> line, VaultObject& object, MutableBytes out);

}  // namespace wayseal

#endif
