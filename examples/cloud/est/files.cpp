// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "request.hpp"

namespace est {

namespace oem = wayseal::oem;
using oem::Freer;

Issuer read_issuer(const std::string& folder, const std::string& label) {
  const auto list = nlohmann::json::parse(oem::read_file(folder + "/issuers.json"), nullptr, false);
  if (!list.is_object()) throw std::runtime_error("issuers.json is not JSON");
  Issuer issuer;
  issuer.name = list.value(label, "");
  if (issuer.name.empty()) throw std::runtime_error("no authority issues " + label);
  const std::string file = folder + "/" + issuer.name + ".pem";
  issuer.certificate = oem::read_certificate(file);
  issuer.key = oem::read_key(file);
  if (X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    throw std::runtime_error("key and certificate differ in " + issuer.name);
  }
  return issuer;
}

std::vector<oem::Certificate> read_cacerts(const std::string& folder, const std::string& label) {
  const std::string pem = oem::read_file(folder + "/" + label + ".pem");
  const std::unique_ptr<BIO, Freer<BIO_free>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<oem::Certificate> found;
  while (X509* const certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(certificate);
  }
  ERR_clear_error();
  if (found.empty()) throw std::runtime_error("no authorities for " + label);
  return found;
}

std::string certs_only(const std::vector<X509*>& certificates) {
  const std::unique_ptr<PKCS7, Freer<PKCS7_free>> bag(PKCS7_new());
  bool ok = bag && PKCS7_set_type(bag.get(), NID_pkcs7_signed) == 1;
  if (ok) bag->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
  for (X509* const certificate : certificates) ok = ok && PKCS7_add_certificate(bag.get(), certificate) == 1;
  unsigned char* der = nullptr;
  const int size = ok ? i2d_PKCS7(bag.get(), &der) : -1;
  if (size <= 0) throw std::runtime_error("OpenSSL: writing a PKCS#7 failed");
  std::string text = encode_base64({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return text;
}

}  // namespace est
