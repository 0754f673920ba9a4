// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/tcp_transport.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>

#include "sanitizers/under_tsan.hpp"

namespace wayseal::test {
namespace {

/// A listening socket on the loopback.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(fd_, 4) == 0);
    port = std::to_string(ntohs(address.sin_port));
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string port;

 private:
  int fd_;
};

/// Progress until it says anything but "not yet".
Status settle(TcpTransport& transport) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  Status status = Status::kWouldBlock;
  while (status == Status::kWouldBlock && std::chrono::steady_clock::now() < end) {
    status = transport.progress();
    (void)::poll(nullptr, 0, 1);
  }
  return status;
}

TcpOptions options(const char* host, const std::string& port) {
  TcpOptions out;
  out.host = host;
  out.port = port.c_str();
  return out;
}

// The thread in which glibc looks names up is unknown to ThreadSanitizer, whose allocator it crashes in.
void skip_lookups_under_tsan() {
  if (kUnderTsan) SKIP("ThreadSanitizer does not know glibc's threads for names");
}

}  // namespace

TEST_CASE("TCP: a numeric address and a name both connect, without waiting in connect") {
  const Listener listener;
  for (const char* const host : {"127.0.0.1", "localhost"}) {
    CAPTURE(host);
    if (host[0] == 'l') skip_lookups_under_tsan();
    TcpTransport transport(options(host, listener.port));
    REQUIRE(transport.connect() == Status::kOk);
    CHECK(settle(transport) == Status::kOk);
    CHECK(transport.fd() >= 0);
  }
}

TEST_CASE("TCP: a name that nobody knows is told by progress, and the transport is closed") {
  skip_lookups_under_tsan();
  const std::string port = "1";
  TcpTransport transport(options("no-such-host.invalid", port));
  REQUIRE(transport.connect() == Status::kOk);
  CHECK(settle(transport) == Status::kNotFound);
  CHECK(transport.diagnostic() != 0);
  CHECK(transport.progress() == Status::kBadState);
}

TEST_CASE("TCP: a lookup under way can be given up and begun again") {
  skip_lookups_under_tsan();
  const Listener listener;
  TcpTransport transport(options("localhost", listener.port));
  for (int i = 0; i < 20; ++i) {
    REQUIRE(transport.connect() == Status::kOk);
    transport.close();
    CHECK(transport.progress() == Status::kBadState);
  }
  REQUIRE(transport.connect() == Status::kOk);
  CHECK(settle(transport) == Status::kOk);
}

TEST_CASE("TCP: a port where nobody listens is told as disconnected") {
  std::string port;
  {
    const Listener gone;
    port = gone.port;
  }
  TcpTransport transport(options("127.0.0.1", port));
  const Status status = transport.connect();
  CHECK((status == Status::kDisconnected || settle(transport) == Status::kDisconnected));
}

}  // namespace wayseal::test
