// SPDX-License-Identifier: Apache-2.0
/// \file
/// Certificates, revocation lists and the files that they live in, by OpenSSL. Every failure throws
/// std::runtime_error.
#ifndef WAYSEAL_OEM_PROVISION_X509_HPP
#define WAYSEAL_OEM_PROVISION_X509_HPP

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace wayseal::oem {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Path = std::filesystem::path;

/// What a certificate says. Extensions in OpenSSL's configuration syntax; an empty one is left out.
struct CertificateProfile {
  std::string common_name;
  int days = 0;
  std::string basic_constraints;
  std::string key_usage;
  std::string extended_key_usage;
  std::string alternative_name;
};

Key generate_key();
/// A P-256 public key from its uncompressed point of 65 bytes.
Key key_of_point(const uint8_t* point);

/// Signs with ECDSA and SHA-256. Valid from five minutes ago, for clocks that are not exact.
/// \param issuer null for a root, which is then its own issuer.
Certificate issue(const CertificateProfile& profile, EVP_PKEY* subject_key, X509* issuer, EVP_PKEY* issuer_key);

std::string serial_of(const X509* certificate);  ///< Hexadecimal.
/// SHA-256 of the SubjectPublicKeyInfo, in hexadecimal: what two certificates of one key have in common.
std::string key_digest_of(const EVP_PKEY* key);
/// SHA-256 in hexadecimal.
std::string hex_digest_of(const void* bytes, size_t size);
/// Seconds since 1970.
int64_t seconds_of(const ASN1_TIME* time);
std::vector<uint8_t> der_of(X509* certificate);
/// Null unless the bytes are one whole certificate.
Certificate certificate_of(const void* der, size_t size);
std::string pem_of(X509* certificate);
std::string pem_of(EVP_PKEY* private_key);

/// A revocation list for `days`, as PEM. \param revoked serial numbers in hexadecimal.
std::string make_crl(X509* issuer, EVP_PKEY* issuer_key, const std::vector<std::string>& revoked, int days);

/// Writes a file whole or not at all; an existing one is replaced.
void write_file(const Path& path, const std::string& content, std::filesystem::perms mode);
inline constexpr auto kSecret = std::filesystem::perms{0600};
inline constexpr auto kPublic = std::filesystem::perms{0644};

std::string read_file(const Path& path);
/// Reads the first key, and the first certificate, of a PEM file.
Key read_key(const Path& path);
Certificate read_certificate(const Path& path);

}  // namespace wayseal::oem

#endif
