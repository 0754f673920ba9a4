// SPDX-License-Identifier: Apache-2.0
/// \file
/// Transport port: TCP over BSD sockets.
#ifndef WAYSEAL_POSIX_TCP_TRANSPORT_HPP
#define WAYSEAL_POSIX_TCP_TRANSPORT_HPP

#include "wayseal/hal/transport.hpp"

struct addrinfo;

namespace wayseal {

class NameLookup;

/// Where to connect, and when to give up a silent peer. Times in milliseconds.
struct TcpOptions {
  const char* host = nullptr;  ///< Name or numeric address (IPv4, IPv6). Borrowed for the transport's life.
  const char* port = nullptr;  ///< Decimal. Borrowed for the transport's life.
  int connect_timeout_ms = 10 * 1000;  ///< For each address that the name has; then the next one is tried.
  int user_timeout_ms = 60 * 1000;     ///< Sent data that nobody acknowledges for so long ends the connection
                                       ///< (TCP_USER_TIMEOUT). 1 s to 1 h.
  int keepalive_idle_s = 30;           ///< An idle connection is probed after so many seconds.
};

/// A client socket with TCP_NODELAY, since TLS makes whole records and HTTP waits for answers.
///
/// Blocking: never. A name is looked up by a thread of the C library (getaddrinfo_a, glibc) while `progress` is
/// called; a silent name service costs its own timeout of some seconds, and nobody waits for it. All addresses
/// of a name are tried in the resolver's order. The resolver uses the heap. About 90 bytes.
class TcpTransport final : public Transport {
 public:
  explicit TcpTransport(const TcpOptions& options) : options_(options) {}
  ~TcpTransport() { do_close(); }
  TcpTransport(const TcpTransport&) = delete;
  TcpTransport& operator=(const TcpTransport&) = delete;

  /// The socket, for waiting with poll(2); -1 when closed.
  int fd() const { return fd_; }
  /// Whether `poll` should wait for writing rather than reading.
  bool connecting() const { return addresses_ != nullptr; }

 private:
  Status do_connect() override;
  Status do_progress() override;
  Result<size_t> do_send(Bytes data) override;
  Result<size_t> do_receive(MutableBytes out) override;
  void do_close() override;
  int32_t do_diagnostic() const override { return error_; }
  Status look_up();
  Status try_next();
  bool start_socket();
  void close_socket();
  void forget_addresses();
  void forget_lookup();

  TcpOptions options_;
  addrinfo* addresses_ = nullptr;  // Owned; only while connecting.
  addrinfo* next_ = nullptr;
  NameLookup* lookup_ = nullptr;  // Owned; only until the name has been looked up.
  int64_t started_ms_ = 0;
  int fd_ = -1;
  int32_t error_ = 0;
};

}  // namespace wayseal

#endif
