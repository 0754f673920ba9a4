// SPDX-License-Identifier: Apache-2.0
#include "status_socket.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <system_error>

namespace tcu {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw std::system_error(error, std::generic_category(), "status socket " + path);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Whether somebody answers there.
bool alive(const sockaddr_un& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool answered = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return answered;
}

}  // namespace

StatusSocket::StatusSocket(const std::string& path, std::function<std::string()> describe)
    : path_(path), describe_(std::move(describe)) {
  if (path.empty()) return;
  const sockaddr_un address = address_of(path);
  if (alive(address)) fail(path, EADDRINUSE);
  unlink(path.c_str());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) fail(path, errno);
  const mode_t before = umask(0177);
  const int bound = bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(before);
  if (bound != 0 || listen(listener_, 8) != 0) {
    close(listener_);
    fail(path, bound != 0 ? error : errno);
  }
}

StatusSocket::~StatusSocket() {
  if (listener_ < 0) return;
  close(listener_);
  unlink(path_.c_str());
}

void StatusSocket::step() {
  if (listener_ < 0) return;
  for (;;) {
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) return;
    const std::string text = describe_() + "\n";
    (void)!send(peer, text.data(), text.size(), MSG_NOSIGNAL);  // who does not read gets less; nobody waits
    close(peer);
  }
}

}  // namespace tcu
