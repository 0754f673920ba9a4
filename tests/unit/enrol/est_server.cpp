// SPDX-License-Identifier: Apache-2.0
#include "unit/enrol/est_server.hpp"

#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <memory>

namespace wayseal::test {
namespace {

using namespace fakes;

struct FreeX509 {
  void operator()(X509* p) const { X509_free(p); }
};
struct FreeRequest {
  void operator()(X509_REQ* p) const { X509_REQ_free(p); }
};
struct FreePkcs7 {
  void operator()(PKCS7* p) const { PKCS7_free(p); }
};

}  // namespace

std::string encode_base64(const Der& bytes, bool line_breaks) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  if (!line_breaks) return out;
  std::string lines;
  for (size_t i = 0; i < out.size(); i += 64) lines += out.substr(i, 64) + "\r\n";
  return lines;
}

Der decode_base64(const std::string& text) {
  Der out(text.size() / 4 * 3 + 3);
  const int size = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return {};
  out.resize(static_cast<size_t>(size));
  for (size_t i = text.size(); i > 0 && text[i - 1] == '='; --i) out.pop_back();
  return out;
}

Der certs_only(const std::vector<Der>& certificates) {
  const std::unique_ptr<PKCS7, FreePkcs7> message(PKCS7_new());
  PKCS7_set_type(message.get(), NID_pkcs7_signed);
  PKCS7_content_new(message.get(), NID_pkcs7_data);
  PKCS7_set_detached(message.get(), 1);
  for (const Der& der : certificates) {
    const unsigned char* at = der.data();
    const std::unique_ptr<X509, FreeX509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    PKCS7_add_certificate(message.get(), certificate.get());
  }
  Der out(static_cast<size_t>(i2d_PKCS7(message.get(), nullptr)));
  unsigned char* at = out.data();
  i2d_PKCS7(message.get(), &at);
  return out;
}

ReadRequest read_request(const Der& der) {
  ReadRequest out;
  const unsigned char* at = der.data();
  const std::unique_ptr<X509_REQ, FreeRequest> request(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || at != der.data() + der.size()) return out;
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  out.good =
      key != nullptr && X509_REQ_get_version(request.get()) == 0 && X509_REQ_verify(request.get(), key) == 1;
  char text[256];
  X509_NAME_oneline(X509_REQ_get_subject_name(request.get()), text, sizeof text);
  out.subject = text;
  size_t size = 0;
  EVP_PKEY_get_octet_string_param(key, "pub", out.point.data, EcPoint::kSize, &size);
  out.attributes = X509_REQ_get_attr_count(request.get());
  return out;
}

EstServer::EstServer()
    : data_root_(make_root(root_spec("data root"))),
      e2e_ca_(issue(data_root_, role_intermediate_spec(Role::kVehicle))),
      tls_ca_(make_root(root_spec("tls"))),
      foreign_ca_(issue(make_root(root_spec("data root")), role_intermediate_spec(Role::kVehicle))) {}

TestIdentity EstServer::issue_e2e(const std::string& name, const EcPoint& key) const {
  return issue(other_root ? foreign_ca_ : e2e_ca_, role_leaf_spec(Role::kVehicle, name), key_from(key));
}

TestIdentity EstServer::issue_tls(const std::string& name, const EcPoint& key) const {
  CertSpec spec;
  spec.common_name = name;
  spec.key_usage = "critical,digitalSignature";
  spec.extended_key_usage = "clientAuth";
  return issue(tls_ca_, spec, key_from(key));
}

std::string EstServer::serve(const HttpRequest& request) {
  paths.push_back(request.path);
  requests.push_back(decode_base64(request.body));
  if (status != 200) return http_answer(status, "", fields);
  if (!instead.empty()) return http_answer(200, instead);
  const bool e2e = request.path.find("/est/e2e/") != std::string::npos;
  const ReadRequest read = read_request(requests.back());
  if (!read.good || request.fields.at("content-type") != "application/pkcs10") return http_answer(400, "");
  const std::string name = other_name.empty() ? read.subject.substr(read.subject.find('=') + 1) : other_name;
  const EcPoint key = other_key ? public_point(random_scalar()) : read.point;
  std::vector<Der> chain = {(e2e ? issue_e2e(name, key) : issue_tls(name, key)).der};
  if (!without_intermediate) chain.push_back((e2e && other_root ? foreign_ca_ : e2e ? e2e_ca_ : tls_ca_).der);
  if (intermediate_first) std::swap(chain[0], chain[1]);
  ++issued;
  return http_answer(200, encode_base64(certs_only(chain), line_breaks),
                     "Content-Transfer-Encoding: base64\r\n");
}

}  // namespace wayseal::test
