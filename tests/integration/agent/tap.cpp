// SPDX-License-Identifier: Apache-2.0
#include "tap.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace agent_test {
namespace {

constexpr int kLookMs = 20;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

/// Moves what waits. False when the connection has ended.
bool move(int from, int to, std::string& heard) {
  char buffer[65536];
  const ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  heard.append(buffer, static_cast<size_t>(got));
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = ::send(to, buffer + sent, static_cast<size_t>(got - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return true;
}

}  // namespace

Tap::Tap(const std::string& listen_at, const std::string& pass_to)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), pass_to_(pass_to) {
  const sockaddr_un address = address_of(listen_at);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 16) != 0) {
    throw std::runtime_error("tap: cannot listen at " + listen_at);
  }
  thread_ = std::thread([this] { run(); });
}

Tap::~Tap() {
  finish();
  ::close(listener_);
}

std::string Tap::finish() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return heard_;
}

void Tap::run() {
  std::vector<pollfd> fds{{listener_, POLLIN, 0}};  // then pairs: gateway's side, backend's side
  while (!stop_) {
    if (::poll(fds.data(), fds.size(), kLookMs) <= 0) continue;
    for (size_t i = 1; i + 1 < fds.size(); i += 2) {
      const int ends[2] = {fds[i].fd, fds[i + 1].fd};
      bool alive = true;
      if (fds[i].revents != 0) alive = move(ends[0], ends[1], heard_);
      if (alive && fds[i + 1].revents != 0) alive = move(ends[1], ends[0], heard_);
      if (alive) continue;
      ::close(ends[0]);
      ::close(ends[1]);
      fds.erase(fds.begin() + static_cast<std::ptrdiff_t>(i), fds.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      break;  // the rest at the next look
    }
    if ((fds[0].revents & POLLIN) == 0) continue;
    const int gateway = ::accept(listener_, nullptr, nullptr);
    const int backend = connect_to(pass_to_);
    if (backend < 0) {
      ::close(gateway);
      continue;
    }
    fds.push_back({gateway, POLLIN, 0});
    fds.push_back({backend, POLLIN, 0});
  }
  for (size_t i = 1; i < fds.size(); ++i) ::close(fds[i].fd);
}

}  // namespace agent_test
