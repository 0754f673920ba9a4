// SPDX-License-Identifier: Apache-2.0
// Chains under the OEM's data root, and ECDSA, by OpenSSL (PROTOCOL.md, "Identities and roles").
#ifndef WAYSEAL_CLOUD_PKI_HPP
#define WAYSEAL_CLOUD_PKI_HPP

#include <openssl/x509.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace cloud {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

/// Last arc of the role's OID.
enum class Role : unsigned char { kVehicle = 1, kPrekey = 2, kTime = 3 };

enum class ChainState {
  kValid,
  kRevoked,       ///< Every signature, date and role holds, but a certificate of the chain is on a CRL.
  kNotAuthentic,  ///< Everything else, with no finer detail.
};

struct Leaf {
  ChainState state = ChainState::kNotAuthentic;
  std::string common_name;  ///< Set unless kNotAuthentic.
  Blob digest;              ///< SHA-256 of the DER.
  PublicKey key;
};

class Pki {
 public:
  enum class Revocation { kRequired, kOff };
  /// \param data_root DER. \param crl_files PEM; each certificate of a chain needs a CRL of its issuer when
  /// required.
  Pki(const Blob& data_root, std::vector<std::string> crl_files, Revocation revocation);

  /// Reads the CRL files again if one has changed. A file that cannot be read leaves the former CRLs in force.
  /// \return false in that case.
  bool refresh_crls();

  /// Checks a chain of exactly leaf and intermediate, as of now.
  Leaf verify(const std::vector<std::string_view>& chain, Role role) const;

 private:
  bool build_store();
  X509Ptr root_;
  std::vector<std::string> crl_files_;
  Revocation revocation_;
  std::map<std::string, int64_t> crl_times_;
  std::unique_ptr<X509_STORE, Freer<X509_STORE_free>> store_;
};

/// Verifies r then s (64 bytes) over a SHA-256 digest.
bool verify_signature(EVP_PKEY* key, std::string_view digest, std::string_view signature);

/// SHA-256 of what is signed (PROTOCOL.md, "Signed bodies").
Blob signed_digest(std::string_view label, std::string_view body);

/// Whether 65 bytes are an uncompressed point of P-256.
bool on_curve(std::string_view point);

}  // namespace cloud

#endif
