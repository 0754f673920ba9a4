// SPDX-License-Identifier: Apache-2.0
/// \file
/// Certificates and revocation lists made while a test runs, good ones and every kind of bad one. By OpenSSL,
/// so that they are independent of mbedTLS. Failures of OpenSSL itself throw.
#ifndef WAYSEAL_TESTS_FAKES_TEST_PKI_HPP
#define WAYSEAL_TESTS_FAKES_TEST_PKI_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/soft_crypto.hpp"
#include "wayseal/core/types.hpp"

typedef struct evp_pkey_st EVP_PKEY;

namespace wayseal::fakes {

using Der = std::vector<uint8_t>;
inline Bytes bytes_of(const Der& der) { return {der.data(), der.size()}; }

enum class TestKeyKind : uint8_t { kP256, kP384, kRsa2048, kEd25519, kP256Explicit };

using TestKey = std::shared_ptr<EVP_PKEY>;
TestKey make_key(TestKeyKind kind = TestKeyKind::kP256);
/// A P-256 key pair from its scalar.
TestKey key_from(const Scalar& scalar);
/// The public half only: for certificates of keys that stay in a token.
TestKey key_from(const EcPoint& point);

/// What a certificate shall say. Extensions are in OpenSSL's configuration syntax; an empty one is left out.
struct CertSpec {
  std::string common_name = "test";
  std::string second_common_name;     ///< A second CN, when not empty.
  std::string basic_constraints;      ///< "critical,CA:TRUE"
  std::string key_usage;              ///< "critical,digitalSignature"
  std::string extended_key_usage;     ///< "critical,serverAuth", or dotted OIDs
  std::string alternative_name;       ///< "DNS:gateway.test"
  std::string other_extension;        ///< "1.2.3.4=critical,DER:0500"
  int64_t not_before_s = 1600000000;  ///< UTC seconds since 1970.
  int64_t not_after_s = 4000000000;
  const char* digest = "SHA256";  ///< nullptr for keys that sign without one.
};

/// A certificate and its key.
struct TestIdentity {
  Der der;
  TestKey key;

  Bytes bytes() const { return bytes_of(der); }
  std::string pem() const;
  std::string key_pem() const;
};

/// A self-signed certificate for `key`.
TestIdentity make_root(const CertSpec& spec, const TestKey& key = make_key());
/// A certificate for `key`, signed by `issuer`.
TestIdentity issue(const TestIdentity& issuer, const CertSpec& spec, const TestKey& key = make_key());
/// A list of the certificates that `issuer` has revoked.
Der make_crl(const TestIdentity& issuer, const std::vector<Der>& revoked);

CertSpec root_spec(const std::string& name);
/// A TLS server's certificate for a host name.
CertSpec server_spec(const std::string& host);
/// Leaf and intermediate of a role (PROTOCOL.md, "Roles").
CertSpec role_leaf_spec(Role role, const std::string& name);
CertSpec role_intermediate_spec(Role role);
/// The role's OID in dotted form.
std::string role_oid_text(Role role);

}  // namespace wayseal::fakes

#endif
