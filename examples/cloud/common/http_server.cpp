// SPDX-License-Identifier: Apache-2.0
#include "http_server.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace cloud {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol;
using beast::error_code;

constexpr std::chrono::seconds kIdle{75};  // longer than the gateway keeps an idle connection
constexpr std::chrono::seconds kReadBody{20};
constexpr std::chrono::minutes kMaintenance{1};
constexpr uint32_t kHeaderMax = 8192;
std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

const char* usual_code(unsigned status) {
  switch (status) {
    case 400: return "bad-request";
    case 401: return "token-required";
    case 403: return "forbidden";
    case 404: return "not-found";
    case 405: return "method-not-allowed";
    case 409: return "conflict";
    case 411: return "length-required";
    case 413: return "too-large";
    case 415: return "unsupported-media-type";
    case 429: return "rate-limited";
    default: return "unavailable";
  }
}

Blob problem(unsigned status, const std::string& given) {
  const std::string code = given.empty() ? usual_code(status) : given;
  std::string title = code;
  std::replace(title.begin(), title.end(), '-', ' ');
  return nlohmann::ordered_json{{"type", "urn:wayseal:problem:" + code}, {"title", title}, {"status", status}}
      .dump();
}

bool matches(const HttpRoute& route, std::string_view target) {
  return route.below ? target.substr(0, route.path.size()) == route.path : target == route.path;
}

class Connection;

struct Shared {
  const HttpServerConfig config;
  HttpHandler& handler;
  std::set<Connection*> connections;

  /// The route of a target and method; otherwise nothing, and `status` says why.
  const HttpRoute* find(std::string_view target, std::string_view method, unsigned& status) const {
    status = 404;
    for (const HttpRoute& route : config.routes) {
      if (!matches(route, target)) continue;
      if (route.method == method) return &route;
      status = 405;
    }
    return nullptr;
  }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket::socket socket, Shared& shared)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        shared_(shared),
        buffer_(shared.config.body_max + kHeaderMax) {
    shared_.connections.insert(this);
  }
  ~Connection() { shared_.connections.erase(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kHeaderMax);
    parser_->body_limit(shared_.config.body_max);
    deadline(kIdle);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) { self->got_header(error); });
  }

  void close() {
    error_code ignored;
    timer_.cancel(ignored);
    socket_.close(ignored);
  }

 private:
  void deadline(std::chrono::seconds after) {
    timer_.expires_after(after);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!error && self) self->close();
    });
  }

  void got_header(error_code error) {
    if (error == http::error::body_limit) return answer_and_close(413);
    if (error) return error == http::error::end_of_stream ? close() : answer_if_http(error);
    const auto& request = parser_->get();
    if (request.method() == http::verb::get && request.target() == "/healthz")
      return answer(HttpAnswer{204, {}, {}, {}, {}});
    unsigned status = 0;
    route_ = shared_.find(view(request.target()), view(request.method_string()), status);
    if (route_ == nullptr) return answer_and_close(status);
    if (const unsigned refused = refuses_body()) return answer_and_close(refused);
    deadline(kReadBody);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code read_error, size_t) {
      self->got_body(read_error);
    });
  }

  /// 0, or the status for what is declared about the body.
  unsigned refuses_body() const {
    const auto& request = parser_->get();
    const auto length = parser_->content_length();
    if (route_->content_type.empty()) return parser_->chunked() || length.value_or(0) > 0 ? 413 : 0;
    if (view(request[http::field::content_type]) != route_->content_type) return 415;
    if (parser_->chunked() || !length) return 411;
    return *length > route_->body_max ? 413 : 0;
  }

  void got_body(error_code error) {
    if (error) return answer_if_http(error);
    auto& request = parser_->get();
    HttpRequest asked{route_->id, std::string(view(request.target())), {}, {}};
    // Exactly one header of a kind says who it is; the gateway sees to that.
    for (const std::string& name : shared_.config.identity_headers) {
      if (request.count(name) != 1) return answer_and_close(403);
      asked.identities.emplace_back(view(request[name]));
    }
    asked.body = std::move(request.body());
    answer(shared_.handler.handle(asked));
  }

  void answer_if_http(error_code error) {
    const bool peer_spoke_nonsense =
        error.category() == http::make_error_code(http::error::bad_method).category();
    if (peer_spoke_nonsense && error != http::error::partial_message) return answer_and_close(400);
    close();
  }

  /// For requests whose body has not been read: what follows on the connection would be that body.
  void answer_and_close(unsigned status) {
    closing_ = true;
    HttpAnswer refusal;
    refusal.status = status;
    answer(std::move(refusal));
  }

  void answer(HttpAnswer reply) {
    if (reply.status >= 400) {
      reply.body = problem(reply.status, reply.code);
      reply.content_type = "application/problem+json";
    }
    response_.emplace(static_cast<http::status>(reply.status), 11);
    if (!reply.content_type.empty()) response_->set(http::field::content_type, reply.content_type);
    if (!reply.transfer_encoding.empty())
      response_->set(http::field::content_transfer_encoding, reply.transfer_encoding);
    if (reply.status == 503) response_->set(http::field::retry_after, "1");
    if (reply.status == 405) response_->set(http::field::allow, allowed());
    response_->set(http::field::cache_control, "no-store");
    response_->body() = std::move(reply.body);
    response_->keep_alive(!closing_ && parser_->get().keep_alive());
    response_->prepare_payload();
    deadline(kReadBody);
    http::async_write(socket_, *response_, [self = shared_from_this()](error_code error, size_t) {
      if (error || !self->response_->keep_alive()) return self->close();
      self->read_header();
    });
  }

  std::string allowed() const {
    std::string methods;
    for (const HttpRoute& route : shared_.config.routes) {
      if (matches(route, view(parser_->get().target())))
        methods += (methods.empty() ? "" : ", ") + route.method;
    }
    return methods;
  }

  Socket::socket socket_;
  asio::steady_timer timer_;
  Shared& shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  const HttpRoute* route_ = nullptr;
  bool closing_ = false;
};

void free_socket_path(asio::io_context& io, const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return;
  if (!std::filesystem::is_socket(path, ignored)) throw std::runtime_error(path + " exists and is no socket");
  Socket::socket probe(io);
  error_code error;
  probe.connect(Socket::endpoint(path), error);
  if (!error) throw std::runtime_error("another program listens on " + path);
  std::filesystem::remove(path, ignored);
}

}  // namespace

struct HttpServer::State {
  State(HttpServerConfig config, HttpHandler& handler)
      : shared{std::move(config), handler, {}}, acceptor(io), signals(io, SIGTERM, SIGINT), maintenance(io) {}

  void accept() {
    acceptor.async_accept([this](error_code error, Socket::socket socket) {
      if (error == asio::error::operation_aborted) return;
      // Too many: the gateway sees a closed connection and answers 503.
      if (!error && shared.connections.size() < shared.config.connections_max) {
        std::make_shared<Connection>(std::move(socket), shared)->read_header();
      }
      accept();
    });
  }

  void maintain() {
    shared.handler.maintain();
    maintenance.expires_after(kMaintenance);
    maintenance.async_wait([this](error_code error) {
      if (!error) maintain();
    });
  }

  void stop() {
    acceptor.close();
    maintenance.cancel();
    const std::set<Connection*> all = shared.connections;
    for (Connection* connection : all) connection->close();
  }

  Shared shared;  // before io, whose end ends connections
  asio::io_context io{1};
  Socket::acceptor acceptor;
  asio::signal_set signals;
  asio::steady_timer maintenance;
};

HttpServer::HttpServer(HttpServerConfig config, HttpHandler& handler)
    : state_(std::make_unique<State>(std::move(config), handler)) {
  const std::string& socket = state_->shared.config.socket;
  free_socket_path(state_->io, socket);
  const mode_t before = ::umask(0177);
  try {
    state_->acceptor.open();
    state_->acceptor.bind(Socket::endpoint(socket));
    state_->acceptor.listen();
  } catch (...) {
    ::umask(before);
    throw;
  }
  ::umask(before);
}

HttpServer::~HttpServer() {
  std::error_code ignored;
  std::filesystem::remove(state_->shared.config.socket, ignored);
}

void HttpServer::run() {
  state_->signals.async_wait([this](error_code error, int) {
    if (!error) state_->stop();
  });
  state_->maintain();
  state_->accept();
  state_->io.run();
}

void harden_process() {
  ::umask(0077);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace cloud
