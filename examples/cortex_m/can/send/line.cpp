// SPDX-License-Identifier: Apache-2.0
#include "can/send/line.hpp"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <system_error>

namespace can {
namespace {

constexpr int kRetryMs = 20;
constexpr int kDrainMs = 5;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int try_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the socket's path is too long");
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

int try_tcp(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error(host + ": " + ::gai_strerror(error));
  int fd = -1;
  for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
    fd = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0 || ::connect(fd, at->ai_addr, at->ai_addrlen) == 0) continue;
    ::close(fd);
    fd = -1;
  }
  ::freeaddrinfo(found);
  return fd;
}

int connect_with_patience(const std::function<int()>& attempt, int patience_ms, const std::string& name) {
  for (int waited_ms = 0;; waited_ms += kRetryMs) {
    const int fd = attempt();
    if (fd >= 0) return fd;
    if (waited_ms >= patience_ms) fail("cannot connect to " + name);
    ::poll(nullptr, 0, kRetryMs);
  }
}

}  // namespace

int connect_unix(const std::string& path, int patience_ms) {
  return connect_with_patience([&] { return try_unix(path); }, patience_ms, path);
}

int connect_tcp(const std::string& host, const std::string& port, int patience_ms) {
  return connect_with_patience([&] { return try_tcp(host, port); }, patience_ms, host + ":" + port);
}

Line::~Line() { ::close(fd_); }

void Line::write(wayseal::Bytes bytes) {
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (buffer_.size() >= kBufferMax) flush();
}

void Line::flush() {
  for (size_t at = 0; at < buffer_.size();) {
    const ssize_t sent = ::send(fd_, buffer_.data() + at, buffer_.size() - at, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("the line");
    at += static_cast<size_t>(sent);
  }
  bytes_written_ += buffer_.size();
  buffer_.clear();
}

bool Line::wait(int timeout_ms) {
  pollfd waiting{fd_, POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return true;
  char ignored[256];
  const ssize_t got = ::recv(fd_, ignored, sizeof ignored, MSG_DONTWAIT);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

void Line::drain() {
  flush();
  for (;;) {
    int unread = 0;
    if (::ioctl(fd_, SIOCOUTQ, &unread) != 0) fail("the line");
    if (unread == 0) return;
    if (!wait(kDrainMs)) throw std::runtime_error("the line: closed");
  }
}

}  // namespace can
