// SPDX-License-Identifier: Apache-2.0
#include "fakes/test_pki.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace wayseal::fakes {
namespace {

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* value) const { Free(value); }
};
using X509Ptr = std::unique_ptr<X509, Freer<X509, X509_free>>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test PKI: ") + what);
}

TestKey own(EVP_PKEY* key) {
  require(key != nullptr, "key");
  return {key, EVP_PKEY_free};
}

Der der_of(X509* cert) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(cert, &out);
  require(size > 0, "i2d_X509");
  Der der(out, out + size);
  OPENSSL_free(out);
  return der;
}

X509Ptr parse(const Der& der) {
  const unsigned char* p = der.data();
  X509Ptr cert(d2i_X509(nullptr, &p, static_cast<long>(der.size())));
  require(cert != nullptr, "d2i_X509");
  return cert;
}

void add_extension(X509* cert, X509V3_CTX* context, int nid, const std::string& value) {
  if (value.empty()) return;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, context, nid, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_other_extension(X509* cert, X509V3_CTX* context, const std::string& text) {
  if (text.empty()) return;
  const size_t equals = text.find('=');
  X509_EXTENSION* extension =
      X509V3_EXT_conf(nullptr, context, text.substr(0, equals).c_str(), text.substr(equals + 1).c_str());
  require(extension != nullptr, text.c_str());
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_name(X509_NAME* name, const std::string& text) {
  if (text.empty()) return;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  require(
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, static_cast<int>(text.size()), -1, 0) == 1,
      "CN");
}

void set_serial(X509* cert) {
  static long next = 0x1000;
  ASN1_INTEGER_set(X509_get_serialNumber(cert), ++next);
}

// In days and seconds from 1970: time_t ends in 2038 on 32-bit machines.
void set_time(ASN1_TIME* out, int64_t utc_s) {
  const ASN1_TIME* set =
      ASN1_TIME_adj(out, 0, static_cast<int>(utc_s / 86400), static_cast<long>(utc_s % 86400));
  require(set != nullptr, "time");
}

TestIdentity make(X509* issuer, const TestKey& issuer_key, const CertSpec& spec, const TestKey& key) {
  X509Ptr cert(X509_new());
  X509_set_version(cert.get(), X509_VERSION_3);
  set_serial(cert.get());
  set_time(X509_getm_notBefore(cert.get()), spec.not_before_s);
  set_time(X509_getm_notAfter(cert.get()), spec.not_after_s);
  add_name(X509_get_subject_name(cert.get()), spec.common_name);
  add_name(X509_get_subject_name(cert.get()), spec.second_common_name);
  X509* signer = issuer != nullptr ? issuer : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  require(X509_set_pubkey(cert.get(), key.get()) == 1, "public key");
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, cert.get(), nullptr, nullptr, 0);
  add_extension(cert.get(), &context, NID_basic_constraints, spec.basic_constraints);
  add_extension(cert.get(), &context, NID_key_usage, spec.key_usage);
  add_extension(cert.get(), &context, NID_ext_key_usage, spec.extended_key_usage);
  add_extension(cert.get(), &context, NID_subject_alt_name, spec.alternative_name);
  add_other_extension(cert.get(), &context, spec.other_extension);
  const EVP_MD* digest = spec.digest != nullptr ? EVP_get_digestbyname(spec.digest) : nullptr;
  require(X509_sign(cert.get(), issuer_key.get(), digest) > 0, "signature");
  return {der_of(cert.get()), key};
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string result(text, static_cast<size_t>(size));
  BIO_free(bio);
  return result;
}

TestKey make_p256_with_explicit_curve() {
  char group[] = "P-256";
  char encoding[] = "explicit";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, 0),
      OSSL_PARAM_construct_end(),
  };
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_params(context, params);
  EVP_PKEY_generate(context, &key);
  EVP_PKEY_CTX_free(context);
  return own(key);
}

/// A key of its point, with its private number when that is given.
TestKey import_p256(const EcPoint& point, const BIGNUM* number) {
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  if (number != nullptr) OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, sizeof point.data);
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, number != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  return own(key);
}

}  // namespace

TestKey make_key(TestKeyKind kind) {
  switch (kind) {
    case TestKeyKind::kP384: return own(EVP_EC_gen("P-384"));
    case TestKeyKind::kRsa2048: return own(EVP_RSA_gen(2048));
    case TestKeyKind::kEd25519: return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case TestKeyKind::kP256Explicit: return make_p256_with_explicit_curve();
    case TestKeyKind::kP256: break;
  }
  return own(EVP_EC_gen("P-256"));
}

TestKey key_from(const Scalar& scalar) {
  BIGNUM* number = BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr);
  TestKey key = import_p256(public_point(scalar), number);
  BN_clear_free(number);
  return key;
}

TestKey key_from(const EcPoint& point) { return import_p256(point, nullptr); }

std::string TestIdentity::pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, parse(der).get());
  return text_of(bio);
}

std::string TestIdentity::key_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

TestIdentity make_root(const CertSpec& spec, const TestKey& key) { return make(nullptr, key, spec, key); }

TestIdentity issue(const TestIdentity& issuer, const CertSpec& spec, const TestKey& key) {
  const X509Ptr cert = parse(issuer.der);
  return make(cert.get(), issuer.key, spec, key);
}

Der make_crl(const TestIdentity& issuer, const std::vector<Der>& revoked) {
  X509_CRL* crl = X509_CRL_new();
  const X509Ptr issuer_cert = parse(issuer.der);
  X509_CRL_set_version(crl, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer_cert.get()));
  ASN1_TIME* time = ASN1_TIME_set(nullptr, 1600000000);
  X509_CRL_set1_lastUpdate(crl, time);
  ASN1_TIME_set(time, 1700000000);
  X509_CRL_set1_nextUpdate(crl, time);
  for (const Der& der : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(parse(der).get()));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(crl, entry);
  }
  require(X509_CRL_sign(crl, issuer.key.get(), EVP_sha256()) > 0, "CRL signature");
  unsigned char* out = nullptr;
  const int size = i2d_X509_CRL(crl, &out);
  Der der(out, out + size);
  OPENSSL_free(out);
  ASN1_TIME_free(time);
  X509_CRL_free(crl);
  return der;
}

CertSpec root_spec(const std::string& name) {
  CertSpec spec;
  spec.common_name = name;
  spec.basic_constraints = "critical,CA:TRUE";
  spec.key_usage = "critical,keyCertSign,cRLSign";
  return spec;
}

CertSpec server_spec(const std::string& host) {
  CertSpec spec;
  spec.common_name = host;
  spec.basic_constraints = "critical,CA:FALSE";
  spec.key_usage = "critical,digitalSignature";
  spec.extended_key_usage = "serverAuth";
  spec.alternative_name = "DNS:" + host;
  return spec;
}

std::string role_oid_text(Role role) {
  return "2.25.277344006050642732147656462799522911781." + std::to_string(static_cast<int>(role) + 1);
}

CertSpec role_leaf_spec(Role role, const std::string& name) {
  CertSpec spec;
  spec.common_name = name;
  spec.basic_constraints = "critical,CA:FALSE";
  spec.key_usage = "critical,digitalSignature";
  spec.extended_key_usage = "critical," + role_oid_text(role);
  return spec;
}

CertSpec role_intermediate_spec(Role role) {
  CertSpec spec;
  spec.common_name = "intermediate " + std::to_string(static_cast<int>(role) + 1);
  spec.basic_constraints = "critical,CA:TRUE,pathlen:0";
  spec.key_usage = "critical,keyCertSign";
  spec.extended_key_usage = "critical," + role_oid_text(role);
  return spec;
}

}  // namespace wayseal::fakes
