// SPDX-License-Identifier: Apache-2.0
// What vehicles send: base64 (RFC 4648, section 4) of one PKCS#10 request (RFC 2986), read strictly.
#ifndef WAYSEAL_EST_REQUEST_HPP
#define WAYSEAL_EST_REQUEST_HPP

#include <optional>
#include <string>
#include <string_view>

#include "provision/x509.hpp"

namespace est {

/// At most this much of a request, as base64.
inline constexpr size_t kRequestMax = 4096;

/// Decodes canonical base64: alphabet, padding and unused bits as the standard says, and between groups of four at most one CR LF or
/// LF at a time, also at the end. Nothing otherwise.
std::optional<std::string> decode_base64(std::string_view text);
/// Lines of 76 characters, each with CR LF (RFC 2045, 6.8).
std::string encode_base64(std::string_view bytes);

/// A request that its own key has signed, for this name and for nothing else.
struct CheckedRequest {
  wayseal::oem::Key key;  ///< Null when it was refused.
  const char* why = "";   ///< Then: the reason, for the log.
};
/// Wants one whole PKCS#10 in DER: version 1, a P-256 key as named curve with an uncompressed point, ECDSA with SHA-256 by that
/// key, subject with the one attribute CN = `name`, no attributes.
CheckedRequest check_request(std::string_view base64, const std::string& name);

}  // namespace est

#endif
