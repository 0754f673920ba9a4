// SPDX-License-Identifier: Apache-2.0
/// \file
/// The other side of an enrolment, by OpenSSL: authorities, an EST server behind a FakeChannel, a gateway.
#ifndef WAYSEAL_TESTS_UNIT_ENROL_EST_SERVER_HPP
#define WAYSEAL_TESTS_UNIT_ENROL_EST_SERVER_HPP

#include <functional>
#include <string>
#include <vector>

#include "fakes/fake_channel.hpp"
#include "fakes/test_pki.hpp"

namespace wayseal::test {

using fakes::Der;

std::string encode_base64(const Der& bytes, bool line_breaks = false);
Der decode_base64(const std::string& text);
/// Certs-only PKCS#7 in DER.
Der certs_only(const std::vector<Der>& certificates);

/// What OpenSSL reads in a signing request.
struct ReadRequest {
  bool good = false;  ///< It parses whole, and its signature is of its key.
  std::string subject;
  EcPoint point;
  int attributes = 0;
};
ReadRequest read_request(const Der& der);

/// Issues what is asked for. Each hook changes one thing of it.
class EstServer {
 public:
  EstServer();

  std::string serve(const fakes::HttpRequest& request);
  fakes::TestIdentity issue_e2e(const std::string& name, const EcPoint& key) const;
  fakes::TestIdentity issue_tls(const std::string& name, const EcPoint& key) const;
  const Der& data_root() const { return data_root_.der; }
  const Der& intermediate(bool e2e) const { return (e2e ? e2e_ca_ : tls_ca_).der; }

  int status = 200;
  std::string fields;       ///< More header fields of the answer.
  std::string other_name;   ///< Issues for this vehicle instead.
  bool other_key = false;   ///< Issues for a key of its own.
  bool other_root = false;  ///< Issues below another root.
  bool without_intermediate = false;
  bool intermediate_first = false;
  bool line_breaks = true;
  std::string instead;  ///< The body of the answer.
  std::vector<std::string> paths;
  std::vector<Der> requests;
  int issued = 0;

 private:
  fakes::TestIdentity data_root_;
  fakes::TestIdentity e2e_ca_;
  fakes::TestIdentity tls_ca_;
  fakes::TestIdentity foreign_ca_;
};

}  // namespace wayseal::test

#endif
