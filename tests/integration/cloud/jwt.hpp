// SPDX-License-Identifier: Apache-2.0
// Access tokens as an identity provider signs them, and as an attacker would.
#ifndef WAYSEAL_TESTS_CLOUD_JWT_HPP
#define WAYSEAL_TESTS_CLOUD_JWT_HPP

#include <nlohmann/json.hpp>
#include <string>

#include "provision/x509.hpp"

namespace cloud_test {

/// RFC 4648, 5, without padding.
std::string base64url(const std::string& bytes);

/// A token in its compact form (RFC 7515) signed with ES256.
std::string sign_es256(const nlohmann::json& header, const nlohmann::json& claims, EVP_PKEY* key);
/// The same with HMAC-SHA256 and any secret.
std::string sign_hs256(const nlohmann::json& header, const nlohmann::json& claims, const std::string& secret);

std::string public_pem_of(EVP_PKEY* key);

}  // namespace cloud_test

#endif
