// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 on a unix socket, for the gateway alone (PROTOCOL.md, "Routes").
#ifndef WAYSEAL_CLOUD_HTTP_HPP
#define WAYSEAL_CLOUD_HTTP_HPP

#include <memory>

#include "service.hpp"

namespace cloud {

class HttpServer {
 public:
  /// Makes the socket with mode 0600. Throws when another program listens there; a socket that nobody listens
  /// on
  /// is left from a crash and is replaced.
  HttpServer(const Config& config, Service& service, Log& log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Serves until SIGTERM or SIGINT. A request that is being handled then is answered first.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cloud

#endif
