// SPDX-License-Identifier: Apache-2.0
#include "pki.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <stdexcept>

namespace cloud {
namespace {

// DER of 2.25.277344006050642732147656462799522911781.<role>.
const Blob kRoleArc{"\x06\x15\x69\x83\xa1\xa6\xc1\xce\xd7\xb5\x8a\x93\xb7\xac\xc6\x80\xae\xa6\xbd\xf9\xac\x25",
                    22};

using Group = std::unique_ptr<EC_GROUP, Freer<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freer<EC_POINT_free>>;
using Context = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;

X509Ptr parse_certificate(std::string_view der) {
  if (der.empty() || der.size() > 1024) return nullptr;
  const unsigned char* at = octets(der);
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = certificate && at == octets(der) + der.size();
  ERR_clear_error();
  return whole ? std::move(certificate) : nullptr;
}

bool is_p256(const X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
  char group[64] = {};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         OBJ_sn2nid(group) == NID_X9_62_prime256v1;
}

bool signed_with_sha256(const X509* certificate) {
  return X509_get_signature_nid(certificate) == NID_ecdsa_with_SHA256;
}

/// Exactly one critical extended key usage extension with exactly the role's OID.
bool has_role(const X509* certificate, Role role) {
  const int index = X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1);
  if (index < 0 || X509_get_ext_by_NID(certificate, NID_ext_key_usage, index) >= 0) return false;
  const X509_EXTENSION* extension = X509_get_ext(certificate, index);
  if (X509_EXTENSION_get_critical(extension) != 1) return false;
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension));
  const Blob wanted = Blob("\x30\x17", 2) + kRoleArc + static_cast<char>(role);
  return std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<size_t>(ASN1_STRING_length(value))) == wanted;
}

bool fits_leaf(X509* leaf) {
  const uint32_t flags = X509_get_extension_flags(leaf);
  return (flags & EXFLAG_CA) == 0 && (flags & EXFLAG_KUSAGE) != 0 &&
         X509_get_key_usage(leaf) == KU_DIGITAL_SIGNATURE;
}

bool fits_intermediate(X509* intermediate) {
  const uint32_t flags = X509_get_extension_flags(intermediate);
  return (flags & EXFLAG_CA) != 0 && (flags & EXFLAG_KUSAGE) != 0 &&
         (X509_get_key_usage(intermediate) & KU_KEY_CERT_SIGN) != 0 && X509_get_pathlen(intermediate) == 0;
}

std::string common_name(const X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

/// OpenSSL looks at CRLs before signatures. A certificate on a CRL is remembered and the verification goes on, so that
/// "revoked" is said only of a chain that is genuine and in date in all else: else whoever is on the way could swap
/// in a forged intermediate with a revoked serial number, and have an honest vehicle refused.
int note_revocation(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_CERT_REVOKED) return ok;
  *static_cast<bool*>(X509_STORE_CTX_get_app_data(context)) = true;
  return 1;
}

}  // namespace

Pki::Pki(const Blob& data_root, std::vector<std::string> crl_files, Revocation revocation)
    : root_(parse_certificate(data_root)), crl_files_(std::move(crl_files)), revocation_(revocation) {
  if (!root_) throw std::runtime_error("the data root is no certificate of at most 1024 bytes");
  if (!build_store()) throw std::runtime_error("a CRL file cannot be read");
}

bool Pki::refresh_crls() {
  bool changed = false;
  for (const std::string& path : crl_files_) {
    std::error_code ignored;
    const auto time = std::filesystem::last_write_time(path, ignored).time_since_epoch().count();
    changed |= crl_times_[path] != time;
  }
  return !changed || build_store();
}

bool Pki::build_store() {
  std::unique_ptr<X509_STORE, Freer<X509_STORE_free>> fresh(X509_STORE_new());
  X509_STORE_add_cert(fresh.get(), root_.get());
  for (const std::string& path : crl_files_) {
    std::error_code ignored;
    crl_times_[path] = std::filesystem::last_write_time(path, ignored).time_since_epoch().count();
    const std::unique_ptr<BIO, Freer<BIO_free>> file(BIO_new_file(path.c_str(), "r"));
    size_t read = 0;
    while (file) {
      const std::unique_ptr<X509_CRL, Freer<X509_CRL_free>> crl(
          PEM_read_bio_X509_CRL(file.get(), nullptr, nullptr, nullptr));
      if (!crl) break;
      X509_STORE_add_crl(fresh.get(), crl.get());
      ++read;
    }
    ERR_clear_error();
    if (read == 0) return false;
  }
  unsigned long flags = 0;
  if (revocation_ == Revocation::kRequired) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_STORE_set_flags(fresh.get(), flags);
  store_ = std::move(fresh);
  return true;
}

Leaf Pki::verify(const std::vector<std::string_view>& chain, Role role) const {
  Leaf result;
  if (chain.size() != 2) return result;
  const X509Ptr leaf = parse_certificate(chain[0]);
  const X509Ptr intermediate = parse_certificate(chain[1]);
  if (!leaf || !intermediate) return result;
  for (const X509* certificate : {leaf.get(), intermediate.get()}) {
    if (!is_p256(certificate) || !signed_with_sha256(certificate) || !has_role(certificate, role))
      return result;
  }
  if (!fits_leaf(leaf.get()) || !fits_intermediate(intermediate.get())) return result;

  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> untrusted(
      sk_X509_new_null(), [](STACK_OF(X509) * s) { sk_X509_free(s); });
  sk_X509_push(untrusted.get(), intermediate.get());
  const Context context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store_.get(), leaf.get(), untrusted.get());
  bool revoked = false;
  X509_STORE_CTX_set_app_data(context.get(), &revoked);
  X509_STORE_CTX_set_verify_cb(context.get(), note_revocation);
  const bool genuine = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (!genuine) return result;
  // The path must be the one that was sent, below the root and nothing else.
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context.get());
  if (path == nullptr || sk_X509_num(path) != 3 || X509_cmp(sk_X509_value(path, 1), intermediate.get()) != 0) {
    return result;
  }
  result.common_name = common_name(leaf.get());
  if (result.common_name.empty()) return result;
  result.state = revoked ? ChainState::kRevoked : ChainState::kValid;
  result.digest = sha256(chain[0]);
  result.key.reset(X509_get_pubkey(leaf.get()));
  return result;
}

bool verify_signature(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  if (signature.size() != 64 || digest.size() != 32) return false;
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>> parts(ECDSA_SIG_new());
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(octets(signature), 32, nullptr),
                 BN_bin2bn(octets(signature) + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  const std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new(key, nullptr));
  const bool ok =
      size > 0 && EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
      EVP_PKEY_verify(context.get(), der, static_cast<size_t>(size), octets(digest), digest.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return ok;
}

Blob signed_digest(std::string_view label, std::string_view body) {
  return sha256(with_length(label) + Blob(body));
}

bool on_curve(std::string_view point) {
  if (point.size() != 65 || point[0] != 4) return false;
  static const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Point parsed(EC_POINT_new(group.get()));
  // EC_POINT_oct2point checks that the point lies on the curve.
  const bool ok = EC_POINT_oct2point(group.get(), parsed.get(), octets(point), point.size(), nullptr) == 1;
  ERR_clear_error();
  return ok;
}

}  // namespace cloud
