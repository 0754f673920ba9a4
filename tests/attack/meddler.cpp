// SPDX-License-Identifier: Apache-2.0
#include "meddler.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "world.hpp"

namespace attack {
namespace {

constexpr int kLookMs = 20;

size_t declared(const std::string& head) {
  const size_t at = head.find("content-length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

/// A whole request, or nothing when the other side has closed.
std::string read_request(int fd) {
  std::string all;
  char buffer[65536];
  for (;;) {
    const size_t head = all.find("\r\n\r\n");
    if (head != std::string::npos && all.size() >= head + 4 + declared(all.substr(0, head))) return all;
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return {};
    all.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

Meddler::Meddler(const std::string& listen_at, std::string pass_to)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), pass_to_(std::move(pass_to)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, listen_at.c_str(), sizeof address.sun_path - 1);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(listen_at.c_str(), 0600) != 0 || ::listen(listener_, 16) != 0) {
    throw std::runtime_error("meddler: cannot listen at " + listen_at);
  }
  thread_ = std::thread([this] { run(); });
}

Meddler::~Meddler() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void Meddler::set(Meddle meddle) {
  const std::lock_guard<std::mutex> lock(mutex_);
  meddle_ = std::move(meddle);
  count_ = 0;
}

Meddler::Meddle Meddler::current() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return meddle_;
}

void Meddler::run() {
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kLookMs) <= 0) continue;
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    serve(fd);
    ::close(fd);
  }
}

void Meddler::serve(int fd) {
  const std::string request = read_request(fd);
  if (request.empty()) return;
  const std::string target = request.substr(5, request.find(' ', 5) - 5);
  const Forward forward = [&] { return cloud_test::http_raw(pass_to_, request).body; };
  const Meddle meddle = current();
  const auto answer = meddle ? meddle(target, forward) : std::optional<Answer>(Answer{200, forward()});
  if (meddle) ++count_;
  if (!answer) return;
  const std::string bytes =
      "HTTP/1.1 " + std::to_string(answer->status) +
      " X\r\nContent-Type: application/x-protobuf\r\nConnection: close\r\nContent-Length: " +
      std::to_string(answer->body.size()) + "\r\n\r\n" + answer->body;
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace attack
