// SPDX-License-Identifier: Apache-2.0
#include "provision/x509.hpp"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace wayseal::oem {
namespace {

constexpr long kClockSlackSeconds = 300;

using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Crl = std::unique_ptr<X509_CRL, Freer<X509_CRL_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL: ") + what + " failed");
}

std::string text_of(BIO* bio) {
  char* start = nullptr;
  const long size = BIO_get_mem_data(bio, &start);
  return {start, static_cast<size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "adding an extension");
}

void set_random_serial(X509* certificate) {
  uint8_t bytes[16];
  must(RAND_bytes(bytes, sizeof bytes) == 1, "RAND_bytes");
  bytes[0] = static_cast<uint8_t>((bytes[0] & 0x7F) | 0x40);  // positive, and always 16 bytes
  const Number number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
       "setting the serial number");
}

}  // namespace

Key generate_key() {
  Key key(EVP_EC_gen("P-256"));
  must(key != nullptr, "generating a key");
  return key;
}

Key key_of_point(const uint8_t* point) {
  const std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  char group[] = "P-256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<uint8_t*>(point), 65),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()) == 1 &&
           EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1,
       "reading a public point");
  return Key(key);
}

Certificate issue(const CertificateProfile& profile, EVP_PKEY* subject_key, X509* issuer,
                  EVP_PKEY* issuer_key) {
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  set_random_serial(raw);
  X509_gmtime_adj(X509_getm_notBefore(raw), -kClockSlackSeconds);
  // Not a second more than `days` in all: a time certificate has a bound.
  X509_time_adj_ex(X509_getm_notAfter(raw), profile.days, -kClockSlackSeconds, nullptr);
  X509_NAME* const name = X509_get_subject_name(raw);
  must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(profile.common_name.c_str()), -1, -1,
                                  0) == 1,
       "setting the subject");
  must(X509_set_pubkey(raw, subject_key) == 1, "setting the public key");
  X509* const signer = issuer == nullptr ? raw : issuer;
  must(X509_set_issuer_name(raw, X509_get_subject_name(signer)) == 1, "setting the issuer");
  add_extension(raw, signer, NID_basic_constraints, profile.basic_constraints);
  add_extension(raw, signer, NID_key_usage, profile.key_usage);
  add_extension(raw, signer, NID_ext_key_usage, profile.extended_key_usage);
  add_extension(raw, signer, NID_subject_alt_name, profile.alternative_name);
  add_extension(raw, signer, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) add_extension(raw, signer, NID_authority_key_identifier, "keyid");
  must(X509_sign(raw, issuer_key, EVP_sha256()) > 0, "signing a certificate");
  return certificate;
}

std::string serial_of(const X509* certificate) {
  const Number number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const std::unique_ptr<char, void (*)(char*)> text(BN_bn2hex(number.get()), [](char* p) { OPENSSL_free(p); });
  return text.get();
}

std::string hex_digest_of(const void* bytes, size_t size) {
  unsigned char digest[32];
  must(EVP_Digest(bytes, size, digest, nullptr, EVP_sha256(), nullptr) == 1, "SHA-256");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string key_digest_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  must(size > 0, "writing a public key");
  std::string digest = hex_digest_of(der, static_cast<size_t>(size));
  OPENSSL_free(der);
  return digest;
}

int64_t seconds_of(const ASN1_TIME* time) {
  std::tm utc{};
  must(ASN1_TIME_to_tm(time, &utc) == 1, "reading a time");
  return timegm(&utc);
}

std::vector<uint8_t> der_of(X509* certificate) {
  std::vector<uint8_t> der(static_cast<size_t>(i2d_X509(certificate, nullptr)));
  unsigned char* at = der.data();
  i2d_X509(certificate, &at);
  return der;
}

Certificate certificate_of(const void* der, size_t size) {
  const auto* const start = static_cast<const unsigned char*>(der);
  const unsigned char* at = start;
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(size)));
  const bool whole = certificate && at == start + size;
  ERR_clear_error();
  return whole ? std::move(certificate) : nullptr;
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(bio.get(), certificate) == 1, "writing a certificate");
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* private_key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), private_key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "writing a key");
  return text_of(bio.get());
}

std::string make_crl(X509* issuer, EVP_PKEY* issuer_key, const std::vector<std::string>& revoked, int days) {
  const Crl crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer));
  const std::unique_ptr<ASN1_TIME, Freer<ASN1_TIME_free>> time(ASN1_TIME_new());
  X509_gmtime_adj(time.get(), -kClockSlackSeconds);
  X509_CRL_set1_lastUpdate(crl.get(), time.get());
  for (const std::string& serial : revoked) {
    BIGNUM* parsed = nullptr;
    must(BN_hex2bn(&parsed, serial.c_str()) != 0, "reading a serial number");
    const Number number(parsed);
    const std::unique_ptr<ASN1_INTEGER, Freer<ASN1_INTEGER_free>> value(
        BN_to_ASN1_INTEGER(number.get(), nullptr));
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, value.get());
    X509_REVOKED_set_revocationDate(entry, time.get());
    must(X509_CRL_add0_revoked(crl.get(), entry) == 1, "adding a revoked certificate");
  }
  X509_time_adj_ex(time.get(), days, 0, nullptr);
  X509_CRL_set1_nextUpdate(crl.get(), time.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl.get(), 0);
  const Extension key_id(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid"));
  // Seconds since 1970 grow from list to list, which is all that a CRL number has to do.
  const std::unique_ptr<ASN1_INTEGER, Freer<ASN1_INTEGER_free>> number(ASN1_INTEGER_new());
  must(key_id && ASN1_INTEGER_set_int64(number.get(), std::time(nullptr)) == 1 &&
           X509_CRL_add_ext(crl.get(), key_id.get(), -1) == 1 &&
           X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), 0, 0) == 1,
       "adding an extension");
  X509_CRL_sort(crl.get());
  must(X509_CRL_sign(crl.get(), issuer_key, EVP_sha256()) > 0, "signing a revocation list");
  const Bio bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509_CRL(bio.get(), crl.get()) == 1, "writing a revocation list");
  return text_of(bio.get());
}

void write_file(const Path& path, const std::string& content, std::filesystem::perms mode) {
  const Path fresh = path.string() + ".new";
  std::filesystem::remove(fresh);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode));
  if (fd < 0) throw std::runtime_error("cannot write " + path.string());
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote = ::write(fd, content.data() + done, content.size() - done);
    if (wrote <= 0) break;
    done += static_cast<size_t>(wrote);
  }
  const bool ok = done == content.size() && ::fchmod(fd, static_cast<mode_t>(mode)) == 0 && ::fsync(fd) == 0;
  ::close(fd);
  if (!ok) throw std::runtime_error("cannot write " + path.string());
  std::filesystem::rename(fresh, path);
}

std::string read_file(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Key read_key(const Path& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key) throw std::runtime_error("cannot read the key " + path.string());
  return key;
}

Certificate read_certificate(const Path& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) throw std::runtime_error("cannot read the certificate " + path.string());
  return certificate;
}

}  // namespace wayseal::oem
