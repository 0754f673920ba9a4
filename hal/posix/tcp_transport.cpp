// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/tcp_transport.hpp"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "name_lookup.hpp"

namespace wayseal {
namespace {

int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

void set_option(int fd, int level, int name, int value) {
  // Best effort: an option that the kernel lacks makes a dead peer known later, nothing else.
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

int resolver_errno(int code) {
  return code == EAI_SYSTEM ? errno : code;  // EAI codes are negative on Linux, so the two do not mix.
}

}  // namespace

// A numeric address needs nobody; a name is looked up while `progress` is called.
Status TcpTransport::do_connect() {
  error_ = 0;
  if (options_.host == nullptr || options_.port == nullptr) return Status::kNotFound;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
  if (::getaddrinfo(options_.host, options_.port, &hints, &addresses_) == 0) {
    next_ = addresses_;
    const Status status = try_next();
    return status == Status::kWouldBlock ? Status::kOk : status;
  }
  addresses_ = nullptr;
  lookup_ = NameLookup::start(options_.host, options_.port);
  return lookup_ != nullptr ? Status::kOk : Status::kNotFound;
}

Status TcpTransport::look_up() {
  const NameLookup::State state = lookup_->state();
  if (state == NameLookup::State::kPending) return Status::kWouldBlock;
  if (state == NameLookup::State::kFound) addresses_ = lookup_->take();
  if (state == NameLookup::State::kFailed) error_ = resolver_errno(lookup_->error());
  forget_lookup();
  if (addresses_ == nullptr) return Status::kNotFound;
  next_ = addresses_;
  return try_next();
}

bool TcpTransport::start_socket() {
  fd_ = ::socket(next_->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, next_->ai_protocol);
  if (fd_ < 0) {
    error_ = errno;
    return false;
  }
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPIDLE, options_.keepalive_idle_s);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, options_.user_timeout_ms);
  if (::connect(fd_, next_->ai_addr, next_->ai_addrlen) == 0 || errno == EINPROGRESS || errno == EINTR)
    return true;
  error_ = errno;
  close_socket();
  return false;
}

// Starts with the first address from next_ on that lets a connection begin.
Status TcpTransport::try_next() {
  close_socket();
  while (next_ != nullptr) {
    const bool started = start_socket();
    next_ = next_->ai_next;
    if (!started) continue;
    started_ms_ = monotonic_ms();
    return Status::kWouldBlock;
  }
  forget_addresses();
  return error_ == ETIMEDOUT ? Status::kTimeout : Status::kDisconnected;
}

Status TcpTransport::do_progress() {
  if (lookup_ != nullptr) return look_up();
  if (fd_ < 0) return Status::kBadState;
  if (!connecting()) return Status::kOk;
  pollfd waiting{fd_, POLLOUT, 0};
  const int ready = ::poll(&waiting, 1, 0);
  if (ready == 0 || (ready < 0 && errno == EINTR)) {
    if (monotonic_ms() - started_ms_ < options_.connect_timeout_ms) return Status::kWouldBlock;
    error_ = ETIMEDOUT;
    return try_next();
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (ready < 0 || ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    error_ = error;
    return try_next();
  }
  forget_addresses();
  return Status::kOk;
}

Result<size_t> TcpTransport::do_send(Bytes data) {
  if (fd_ < 0 || connecting()) return Status::kBadState;
  ssize_t count;
  do {
    count = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return static_cast<size_t>(count);
  if (count == 0 || errno == EAGAIN || errno == ENOBUFS) return Status::kWouldBlock;
  error_ = errno;
  return Status::kDisconnected;
}

Result<size_t> TcpTransport::do_receive(MutableBytes out) {
  if (fd_ < 0 || connecting()) return Status::kBadState;
  ssize_t count;
  do {
    count = ::recv(fd_, out.data(), out.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return static_cast<size_t>(count);
  if (count < 0 && errno == EAGAIN) return Status::kWouldBlock;
  if (count < 0) error_ = errno;
  return Status::kDisconnected;
}

void TcpTransport::do_close() {
  close_socket();
  forget_addresses();
  forget_lookup();
}

void TcpTransport::forget_lookup() {
  NameLookup::abandon(lookup_);
  lookup_ = nullptr;
}

void TcpTransport::close_socket() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void TcpTransport::forget_addresses() {
  if (addresses_ != nullptr) ::freeaddrinfo(addresses_);
  addresses_ = nullptr;
  next_ = nullptr;
}

}  // namespace wayseal
