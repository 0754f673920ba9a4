// SPDX-License-Identifier: Apache-2.0
#include "wayseal/mbedtls/x509_verifier.hpp"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <psa/crypto.h>

#include <cstring>

#include "x509_dates.hpp"

namespace wayseal {
namespace {

constexpr mbedtls_x509_crt_profile kProfile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
    0,
};

constexpr size_t kOidSize = 23;
// 2.25.277344006050642732147656462799522911781.N: vehicle 1, prekey 2, time 3.
constexpr uint8_t kRoleOids[3][kOidSize] = {
    {0x06, 0x15, 0x69, 0x83, 0xa1, 0xa6, 0xc1, 0xce, 0xd7, 0xb5, 0x8a, 0x93,
     0xb7, 0xac, 0xc6, 0x80, 0xae, 0xa6, 0xbd, 0xf9, 0xac, 0x25, 0x01},
    {0x06, 0x15, 0x69, 0x83, 0xa1, 0xa6, 0xc1, 0xce, 0xd7, 0xb5, 0x8a, 0x93,
     0xb7, 0xac, 0xc6, 0x80, 0xae, 0xa6, 0xbd, 0xf9, 0xac, 0x25, 0x02},
    {0x06, 0x15, 0x69, 0x83, 0xa1, 0xa6, 0xc1, 0xce, 0xd7, 0xb5, 0x8a, 0x93,
     0xb7, 0xac, 0xc6, 0x80, 0xae, 0xa6, 0xbd, 0xf9, 0xac, 0x25, 0x03},
};

// id-kp-serverAuth (RFC 5280, 4.2.1.12).
constexpr uint8_t kServerAuthOid[] = {0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

// Subject public key info of a P-256 key up to its point (RFC 5480): id-ecPublicKey, secp256r1, bit string.
constexpr uint8_t kP256Info[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/// A parsed certificate that is freed at the end of its scope.
struct Certificate {
  Certificate() { mbedtls_x509_crt_init(&crt); }
  ~Certificate() { mbedtls_x509_crt_free(&crt); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  mbedtls_x509_crt crt = {};
};

// The low-level part of an error is its last seven bits; the high-level part the rest.
bool is_foreign_algorithm(int error) {
  const int high = -(-error & 0xFF80);
  return high == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || high == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE ||
         high == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE || high == MBEDTLS_ERR_PK_INVALID_ALG ||
         high == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG;
}

Status parse(Certificate& out, Bytes der) {
  const int error = mbedtls_x509_crt_parse_der_nocopy(&out.crt, der.data(), der.size());
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  if (error != 0) return is_foreign_algorithm(error) ? Status::kNotAuthentic : Status::kMalformed;
  return out.crt.raw.len == der.size() ? Status::kOk : Status::kMalformed;
}

/// Whether the certificate's key is a P-256 point in the usual coding.
bool has_p256_key(const mbedtls_x509_crt& crt) {
  constexpr uint8_t kUncompressed = 0x04;
  return crt.pk_raw.len == sizeof kP256Info + EcPoint::kSize &&
         std::memcmp(crt.pk_raw.p, kP256Info, sizeof kP256Info) == 0 &&
         crt.pk_raw.p[sizeof kP256Info] == kUncompressed;
}

/// Whether the DER of one Extension (RFC 5280, 4.1) is that of a critical extended key usage of `oid` alone.
bool is_sole_critical_usage(Bytes extension, Bytes oid) {
  const auto size = static_cast<uint8_t>(oid.size());
  const uint8_t head[] = {0x06, 0x03, 0x55, 0x1d, 0x25, 0x01, 0x01, 0xff, 0x04, static_cast<uint8_t>(size + 2),
                          0x30, size};
  return extension.size() == sizeof head + oid.size() && equal(extension.first(sizeof head), head) &&
         equal(extension.from(sizeof head), oid);
}

/// Whether one of the certificate's extensions is that. mbedTLS has refused a repeated extension when parsing.
bool has_sole_critical_usage(const mbedtls_x509_crt& crt, Bytes oid) {
  uint8_t* p = crt.v3_ext.p;
  if (p == nullptr) return false;
  const uint8_t* end = p + crt.v3_ext.len;
  size_t size = 0;
  constexpr int kSequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
  if (mbedtls_asn1_get_tag(&p, end, &size, kSequence) != 0) return false;
  while (p < end) {
    if (mbedtls_asn1_get_tag(&p, end, &size, kSequence) != 0) return false;
    if (is_sole_critical_usage({p, size}, oid)) return true;
    p += size;
  }
  return false;
}

bool has_key_usage(const mbedtls_x509_crt& crt, unsigned usage) {
  return mbedtls_x509_crt_has_ext_type(&crt, MBEDTLS_X509_EXT_KEY_USAGE) != 0 &&
         mbedtls_x509_crt_check_key_usage(&crt, usage) == 0;
}

bool is_end_entity(const mbedtls_x509_crt& crt) {
  return mbedtls_x509_crt_get_ca_istrue(&crt) != 1 && has_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) &&
         !has_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN);
}

bool is_authority(const mbedtls_x509_crt& crt) {
  return mbedtls_x509_crt_get_ca_istrue(&crt) == 1 && has_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN);
}

bool is_id_character(uint8_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

Status common_name(const mbedtls_x509_crt& crt, VehicleId& id) {
  const mbedtls_x509_buf* found = nullptr;
  for (const mbedtls_x509_name* name = &crt.subject; name != nullptr; name = name->next) {
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0) continue;
    if (found != nullptr) return Status::kNotAuthentic;
    found = &name->val;
  }
  if (found == nullptr || found->len == 0 || found->len > kVehicleIdMax) return Status::kNotAuthentic;
  for (size_t i = 0; i < found->len; ++i) {
    if (!is_id_character(found->p[i])) return Status::kNotAuthentic;
  }
  std::memcpy(id.text, found->p, found->len);
  id.size = static_cast<uint8_t>(found->len);
  return Status::kOk;
}

/// What the walk over the chain that mbedTLS built has found: leaf at 0, then its issuers.
struct Path {
  const mbedtls_x509_crt* expected[3];
  const mbedtls_x509_crt* root = nullptr;  // whose own dates are not judged
  CertificateDates dates;
  int length = 0;
  bool as_expected = true;
  bool outdated = false;
};

int on_verify(void* context, mbedtls_x509_crt* crt, int depth, uint32_t*) {
  Path& path = *static_cast<Path*>(context);
  ++path.length;
  if (depth < 0 || depth > 2 || path.expected[depth] != crt) path.as_expected = false;
  if (crt != path.root && judge_dates(*crt, path.dates) != 0) path.outdated = true;
  return 0;
}

}  // namespace

Bytes role_oid(Role role) { return kRoleOids[static_cast<size_t>(role)]; }

X509Verifier::X509Verifier() { mbedtls_x509_crt_init(&root_); }

X509Verifier::~X509Verifier() { mbedtls_x509_crt_free(&root_); }

Status X509Verifier::set_root(Bytes root_der) {
  mbedtls_x509_crt_free(&root_);
  mbedtls_x509_crt_init(&root_);
  has_root_ = false;
  if (psa_crypto_init() != PSA_SUCCESS) return Status::kBadState;
  const int error = mbedtls_x509_crt_parse_der_nocopy(&root_, root_der.data(), root_der.size());
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  if (error != 0) return is_foreign_algorithm(error) ? Status::kUnsupported : Status::kMalformed;
  if (root_.raw.len != root_der.size()) return Status::kMalformed;
  if (!is_authority(root_) || !has_p256_key(root_)) return Status::kUnsupported;
  has_root_ = true;
  return Status::kOk;
}

Status X509Verifier::check_path(mbedtls_x509_crt& leaf, mbedtls_x509_crt& intermediate,
                                CertificateDates dates) {
  Path path{{&leaf, &intermediate, &root_}, &root_, dates};
  uint32_t flags = 0;
  leaf.next = &intermediate;
  const int error = mbedtls_x509_crt_verify_with_profile(&leaf, &root_, nullptr, &kProfile, nullptr, &flags,
                                                         on_verify, &path);
  leaf.next = nullptr;
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  if (error != 0 || flags != 0 || path.length != 3 || !path.as_expected) return Status::kNotAuthentic;
  return path.outdated ? Status::kStale : Status::kOk;
}

Status X509Verifier::do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) {
  if (chain.count != 2 || !has_root_) return Status::kNotAuthentic;
  Certificate leaf;
  Certificate intermediate;
  WAYSEAL_TRY(parse(leaf, chain.certificates[0]));
  WAYSEAL_TRY(parse(intermediate, chain.certificates[1]));
  if (!has_p256_key(leaf.crt) || !has_p256_key(intermediate.crt)) return Status::kNotAuthentic;
  if (!is_end_entity(leaf.crt) || !is_authority(intermediate.crt)) return Status::kNotAuthentic;
  const Bytes oid = role_oid(role);
  if (!has_sole_critical_usage(leaf.crt, oid) || !has_sole_critical_usage(intermediate.crt, oid)) {
    return Status::kNotAuthentic;
  }
  WAYSEAL_TRY(common_name(leaf.crt, info.subject));
  WAYSEAL_TRY(check_path(leaf.crt, intermediate.crt, dates));
  std::memcpy(info.public_key.data, leaf.crt.pk_raw.p + sizeof kP256Info, sizeof info.public_key.data);
  info.not_before = utc_from(leaf.crt.valid_from);
  info.not_after = utc_from(leaf.crt.valid_to);
  return Status::kOk;
}

Status X509Verifier::do_verify_gateway_authority(Bytes certificate, CertificateDates dates) {
  constexpr int kPathLengthOfNone = 1;  // mbedTLS counts one more; 0 is no limit
  if (!has_root_) return Status::kNotAuthentic;
  Certificate authority;
  WAYSEAL_TRY(parse(authority, certificate));
  mbedtls_x509_crt& crt = authority.crt;
  const bool fits = has_p256_key(crt) && is_authority(crt) &&
                    crt.MBEDTLS_PRIVATE(max_pathlen) == kPathLengthOfNone &&
                    has_sole_critical_usage(crt, kServerAuthOid);
  if (!fits) return Status::kNotAuthentic;
  Path path{{&crt, &root_, nullptr}, &root_, dates};
  uint32_t flags = 0;
  const int error =
      mbedtls_x509_crt_verify_with_profile(&crt, &root_, nullptr, &kProfile, nullptr, &flags, on_verify, &path);
  if (error == MBEDTLS_ERR_X509_ALLOC_FAILED) return Status::kFull;
  if (error != 0 || flags != 0 || path.length != 2 || !path.as_expected) return Status::kNotAuthentic;
  return path.outdated ? Status::kStale : Status::kOk;
}

}  // namespace wayseal
