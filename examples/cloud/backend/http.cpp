// SPDX-License-Identifier: Apache-2.0
#include "http.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "wire.hpp"

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
constexpr const char* kContentType = "application/x-protobuf";
constexpr const char* kVehicleHeader = "x-vehicle-id";

std::optional<Route> route_of(std::string_view target) {
  if (target == "/v1/prekeys") return Route::kPrekeys;
  if (target == "/v1/records") return Route::kRecords;
  return std::nullopt;
}

size_t body_limit(Route route) { return route == Route::kPrekeys ? kPrekeysRequestMax : kUploadMax; }

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

class Connection;

struct Shared {
  const Config& config;
  Service& service;
  Log& log;
  std::set<Connection*> connections;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket::socket socket, Shared& shared)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), shared_(shared) {
    shared_.connections.insert(this);
  }
  ~Connection() { shared_.connections.erase(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kHeaderMax);
    parser_->body_limit(kUploadMax);
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
    if (request.method() == http::verb::get && request.target() == "/healthz") return answer({204, {}});
    const auto route = route_of(view(request.target()));
    if (!route) return answer_and_close(404);
    if (request.method() != http::verb::post) return answer_and_close(405);
    if (request[http::field::content_type] != kContentType) return answer_and_close(415);
    const auto length = parser_->content_length();
    if (parser_->chunked() || !length) return answer_and_close(411);
    if (*length > body_limit(*route)) return answer_and_close(413);
    route_ = *route;
    deadline(kReadBody);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code read_error, size_t) {
      self->got_body(read_error);
    });
  }

  void got_body(error_code error) {
    if (error) return answer_if_http(error);
    const auto& request = parser_->get();
    // Exactly one header names the vehicle; the gateway sees to that.
    if (request.count(kVehicleHeader) != 1) return answer_and_close(403);
    answer(shared_.service.handle(route_, view(request[kVehicleHeader]), request.body()));
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
    answer({status, {}});
  }

  void answer(Reply reply) {
    response_.emplace(static_cast<http::status>(reply.status), 11);
    if (reply.status == 200) response_->set(http::field::content_type, kContentType);
    if (reply.status == 503) response_->set(http::field::retry_after, "1");
    if (reply.status == 405) response_->set(http::field::allow, "POST");
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

  Socket::socket socket_;
  asio::steady_timer timer_;
  Shared& shared_;
  beast::flat_buffer buffer_{kUploadMax + kHeaderMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  Route route_ = Route::kRecords;
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
  State(const Config& config, Service& service, Log& log)
      : shared{config, service, log, {}}, acceptor(io), signals(io, SIGTERM, SIGINT), maintenance(io) {}

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
    shared.service.maintain();
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

HttpServer::HttpServer(const Config& config, Service& service, Log& log)
    : state_(std::make_unique<State>(config, service, log)) {
  free_socket_path(state_->io, config.listen);
  const mode_t before = ::umask(0177);
  try {
    state_->acceptor.open();
    state_->acceptor.bind(Socket::endpoint(config.listen));
    state_->acceptor.listen();
  } catch (...) {
    ::umask(before);
    throw;
  }
  ::umask(before);
}

HttpServer::~HttpServer() {
  std::error_code ignored;
  std::filesystem::remove(state_->shared.config.listen, ignored);
}

void HttpServer::run() {
  state_->signals.async_wait([this](error_code error, int) {
    if (!error) state_->stop();
  });
  state_->maintain();
  state_->accept();
  state_->io.run();
}

}  // namespace cloud
