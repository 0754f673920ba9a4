// SPDX-License-Identifier: Apache-2.0
// A TLS connection to the gateway whose bytes a test writes itself.
#ifndef WAYSEAL_TESTS_CLOUD_CONNECTION_HPP
#define WAYSEAL_TESTS_CLOUD_CONNECTION_HPP

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "gateway.hpp"

namespace cloud_test {

/// Stays open between requests, as a vehicle's does. Reading gives up when nothing has come for 30 s.
class OpenConnection {
 public:
  /// \param client name of a file that Gateway::client has written; empty: no certificate.
  /// \param configure sets what is special about this client's TLS. Throws when no connection comes up.
  OpenConnection(const Gateway& gateway, const std::string& client,
                 const std::function<void(SSL_CTX*)>& configure = {});

  /// Sends bytes and gives the answer, head and body; empty when the other side has closed.
  std::string ask(const std::string& request);
  bool send(const std::string& bytes);
  /// All that comes until the other side closes.
  std::string read_to_the_end();

 private:
  void prepare(const Gateway& gateway, const std::string& client,
               const std::function<void(SSL_CTX*)>& configure) const;
  bool read_more(std::string& all);

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio_;
};

}  // namespace cloud_test

#endif
