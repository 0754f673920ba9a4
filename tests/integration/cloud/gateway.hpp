// SPDX-License-Identifier: Apache-2.0
// The gateway as it is shipped, HAProxy with examples/cloud/gateway/haproxy.cfg, and clients with certificates of its CA.
#ifndef WAYSEAL_TESTS_CLOUD_GATEWAY_HPP
#define WAYSEAL_TESTS_CLOUD_GATEWAY_HPP

#include "world.hpp"

namespace cloud_test {

namespace oem = wayseal::oem;

class Gateway {
 public:
  /// \param variables more environment, NAME=value; "@/" stands for the gateway's own folder.
  explicit Gateway(const World& world, std::vector<std::string> variables = {});

  void start();
  void restart() {
    haproxy_.stop(9);
    start();
  }
  Process& process() { return haproxy_; }
  void write_crl() {
    oem::write_file(pki_ + "/vehicle-crl.pem", Fleet::get().pki().gateway_crls(30), oem::kPublic);
  }

  /// Writes a client's certificate with its intermediate and key; `name` is the file's.
  /// \return SHA-256 of the certificate, as an access token names it (RFC 8705, 3.1).
  std::string client(const std::string& name, const std::string& common_name);
  /// Of the client certificate written last, in hexadecimal.
  const std::string& serial() const { return serial_; }

  /// Keys that it takes access tokens of: the slots 'a' and 'b'.
  EVP_PKEY* token_key(char slot) const { return token_keys_[slot - 'a'].get(); }

  struct Answer {
    int curl;  ///< curl's exit code.
    std::string status;
  };
  /// A request with the client certificate in file `name`; empty: none.
  Answer request(const std::string& name, const std::string& target, std::vector<std::string> more);
  Answer post(const std::string& name, const std::string& target, const std::string& body,
              std::vector<std::string> more = {});
  std::string body() const { return slurp(folder_ / "body"); }
  std::string log_path() const { return folder_ / "log"; }
  std::string log() const { return slurp(log_path()); }
  int port() const { return port_; }
  const std::string& pki() const { return pki_; }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  const World& world_;
  TemporaryFolder folder_;
  std::string pki_;
  int port_;
  std::vector<std::string> variables_;
  std::string serial_;
  oem::Key token_keys_[2] = {oem::generate_key(), oem::generate_key()};
  Process haproxy_;
};

bool accepted(const Gateway::Answer& answer);
bool refused_by_tls(const Gateway::Answer& answer);

/// Says in one word what came of a request, in the order in which they are made.
class OutcomeReader {
 public:
  explicit OutcomeReader(const Gateway& gateway) : gateway_(gateway) {}

  /// "200"; or the code of the problem document (RFC 9457), which has nothing else in it than type, title and status, and the
  /// reason in the gateway's log: "token-invalid exp".
  std::string outcome(const Gateway::Answer& answer);

 private:
  std::string last_why();

  const Gateway& gateway_;
  size_t refused_ = 0;
};

}  // namespace cloud_test

#endif
