// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 on a unix socket, for the gateway alone: what every server of this cloud has in common. A table of routes says what
// is let in before a body is read; what is refused gets a problem document (RFC 9457).
#ifndef WAYSEAL_CLOUD_HTTP_SERVER_HPP
#define WAYSEAL_CLOUD_HTTP_SERVER_HPP

#include <memory>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace cloud {

/// What may be asked for. Everything else is 404, and 405 with another method.
struct HttpRoute {
  int id = 0;          ///< The server's own name for it.
  std::string method;  ///< "GET" or "POST".
  std::string path;    ///< The whole target, exactly; no query.
  bool below = false;  ///< Every target that begins with `path`, query included: the handler reads it strictly.
  std::string content_type;  ///< Of the body, exactly. Empty: a body is refused with 413.
  size_t body_max = 0;       ///< Bytes; at most HttpServerConfig::body_max. A body has a declared length (411).
};

struct HttpRequest {
  int route = 0;
  std::string target;
  std::vector<std::string> identities;  ///< Values of HttpServerConfig::identity_headers, in that order.
  Blob body;
};

struct HttpAnswer {
  unsigned status = 500;
  Blob body;                 ///< Of a success; a refusal gets a problem document instead.
  std::string content_type;  ///< Empty: no such header.
  std::string code;  ///< Of the problem, `urn:wayseal:problem:CODE`. Empty: the usual one of the status.
  std::string transfer_encoding;  ///< Content-Transfer-Encoding (RFC 7030, 4.1.3). Empty: no such header.
};

class HttpHandler {
 public:
  /// Answers one request. Called by the server's one thread; whatever goes wrong is an answer.
  virtual HttpAnswer handle(const HttpRequest& request) noexcept = 0;
  /// Called at the start and then every minute.
  virtual void maintain() noexcept {}

 protected:
  ~HttpHandler() = default;
};

struct HttpServerConfig {
  std::string socket;             ///< Path, at most 107 bytes.
  std::vector<HttpRoute> routes;  ///< The first that matches counts.
  std::vector<std::string>
      identity_headers;          ///< Each has to be there exactly once (403), as the gateway sees to.
  size_t body_max = 0;           ///< The largest of all routes.
  size_t connections_max = 256;  ///< More are closed at once: the gateway answers 503.
};

class HttpServer {
 public:
  /// Makes the socket with mode 0600. Throws when another program listens there; a socket that nobody listens on is left
  /// from a crash and is replaced.
  HttpServer(HttpServerConfig config, HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Serves until SIGTERM or SIGINT. A request that is being handled then is answered first.
  /// GET /healthz is answered with 204 and reaches no handler.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Becomes what a server of this cloud is: new files private, no core dumps, no debugger.
void harden_process();

}  // namespace cloud

#endif
