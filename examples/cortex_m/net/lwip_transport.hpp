// SPDX-License-Identifier: Apache-2.0
/// \file
/// Transport port: TCP by lwIP's raw interface, without an operating system.
#ifndef NET_LWIP_TRANSPORT_HPP
#define NET_LWIP_TRANSPORT_HPP

#include <lwip/tcp.h>

#include "wayseal/hal/transport.hpp"

namespace board {

/// Where to connect, and when to give up a silent peer. Times in milliseconds.
struct LwipOptions {
  const char* address = nullptr;  ///< IPv4, numeric ("10.0.2.2"). Borrowed for the transport's life.
  uint16_t port = 0;
  uint32_t connect_timeout_ms = 10 * 1000;
  uint32_t user_timeout_ms =
      60 * 1000;  ///< Sent data that nobody acknowledges for so long ends the connection.
  uint32_t keepalive_idle_ms = 30 * 1000;  ///< An idle connection is probed after so long.
};

/// A client's TCP connection. What is received stays in lwIP's buffers until it is read, and bounds what the peer may send.
/// `diagnostic` is lwIP's err_t (negative). An address that is no address is kNotFound.
///
/// The loop that calls it must call Network::poll as well. Threads: one. Blocking: never. About 60 bytes.
class LwipTransport final : public wayseal::Transport {
 public:
  explicit LwipTransport(const LwipOptions& options) : options_(options) {}
  ~LwipTransport() { do_close(); }
  LwipTransport(const LwipTransport&) = delete;
  LwipTransport& operator=(const LwipTransport&) = delete;

 private:
  enum class State : uint8_t { kClosed, kConnecting, kConnected };

  wayseal::Status do_connect() override;
  wayseal::Status do_progress() override;
  wayseal::Result<size_t> do_send(wayseal::Bytes data) override;
  wayseal::Result<size_t> do_receive(wayseal::MutableBytes out) override;
  void do_close() override;
  int32_t do_diagnostic() const override { return error_; }

  static err_t on_connected(void* self, tcp_pcb* connection, err_t error);
  static err_t on_received(void* self, tcp_pcb* connection, pbuf* data, err_t error);
  static err_t on_acknowledged(void* self, tcp_pcb* connection, u16_t length);
  static void on_error(void* self, err_t error);
  void configure();
  bool alive();
  void abort(err_t error);
  void drop_received();

  LwipOptions options_;
  tcp_pcb* connection_ = nullptr;  // lwIP's; null once lwIP has freed it
  pbuf* received_ = nullptr;       // owned
  size_t taken_ = 0;               // bytes of received_'s first buffer that were given out
  uint32_t since_ms_ = 0;          // when connecting began, or when the peer last acknowledged
  int32_t error_ = 0;
  State state_ = State::kClosed;
  bool peer_closed_ = false;
};

}  // namespace board

#endif
