// SPDX-License-Identifier: Apache-2.0
// JSON Web Encryption (RFC 7516) by libjose. An answer is sealed here for the partner's key, in the process that has read it, so that
// no gateway and no log behind it can.
#ifndef WAYSEAL_SHARE_JWE_HPP
#define WAYSEAL_SHARE_JWE_HPP

#include <string>

namespace share {

/// The `kid` of a public key on P-256 as a JWK (RFC 7517): 1 to 64 characters out of A-Z a-z 0-9 . _ -. Empty when the text is anything
/// else: not such a key, without a kid, with a private half, or no point of the curve.
std::string kid_of_public_key(const std::string& jwk);

/// The compact form of a JWE with ECDH-ES+A256KW and A256GCM, a fresh ephemeral key each time. Blanks are added behind the text, so
/// that its size says little. Throws std::runtime_error when libjose refuses.
/// \param json what is sealed: one JSON value
/// \param jwk a key that `kid_of_public_key` has taken
std::string seal_for(const std::string& jwk, std::string json);

}  // namespace share

#endif
