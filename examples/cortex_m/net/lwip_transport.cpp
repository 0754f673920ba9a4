// SPDX-License-Identifier: Apache-2.0
#include "net/lwip_transport.hpp"

#include <lwip/ip4_addr.h>
#include <lwip/pbuf.h>
#include <lwip/sys.h>

#include <algorithm>

namespace board {

using wayseal::Bytes;
using wayseal::MutableBytes;
using wayseal::Result;
using wayseal::Status;

namespace {
constexpr size_t kSendMax = 0xFFFF;  // lwIP counts in 16 bits
}

Status LwipTransport::do_connect() {
  error_ = ERR_OK;
  peer_closed_ = false;
  ip_addr_t address;
  if (options_.address == nullptr || ip4addr_aton(options_.address, &address) == 0) return Status::kNotFound;
  connection_ = tcp_new();
  if (connection_ == nullptr) {
    error_ = ERR_MEM;
    return Status::kDisconnected;
  }
  configure();
  error_ = tcp_connect(connection_, &address, options_.port, on_connected);
  if (error_ != ERR_OK) {
    abort(static_cast<err_t>(error_));
    return Status::kDisconnected;
  }
  since_ms_ = sys_now();
  state_ = State::kConnecting;
  return Status::kOk;
}

void LwipTransport::configure() {
  tcp_arg(connection_, this);
  tcp_recv(connection_, on_received);
  tcp_sent(connection_, on_acknowledged);
  tcp_err(connection_, on_error);
  tcp_nagle_disable(connection_);  // TLS makes whole records, and HTTP waits for answers
  ip_set_option(connection_, SOF_KEEPALIVE);
  connection_->keep_idle = options_.keepalive_idle_ms;
  connection_->keep_intvl = options_.keepalive_idle_ms / 3;
  connection_->keep_cnt = 3;
}

Status LwipTransport::do_progress() {
  if (state_ == State::kClosed) return Status::kBadState;
  if (connection_ == nullptr) {
    do_close();
    return Status::kDisconnected;
  }
  if (state_ == State::kConnected) return Status::kOk;
  if (sys_now() - since_ms_ < options_.connect_timeout_ms) return Status::kWouldBlock;
  abort(ERR_TIMEOUT);
  state_ = State::kClosed;
  return Status::kTimeout;
}

// Sent data must be acknowledged in time; lwIP's own patience is some minutes.
bool LwipTransport::alive() {
  if (connection_ == nullptr) return false;
  const bool waiting = connection_->unacked != nullptr || connection_->unsent != nullptr;
  if (!waiting) since_ms_ = sys_now();
  if (sys_now() - since_ms_ < options_.user_timeout_ms) return true;
  abort(ERR_TIMEOUT);
  return false;
}

Result<size_t> LwipTransport::do_send(Bytes data) {
  if (state_ != State::kConnected) return Status::kBadState;
  if (!alive()) return Status::kDisconnected;
  const size_t size = std::min({data.size(), static_cast<size_t>(tcp_sndbuf(connection_)), kSendMax});
  if (size == 0) return Status::kWouldBlock;
  const err_t error = tcp_write(connection_, data.data(), static_cast<u16_t>(size), TCP_WRITE_FLAG_COPY);
  if (error == ERR_MEM) return Status::kWouldBlock;
  if (error != ERR_OK) {
    abort(error);
    return Status::kDisconnected;
  }
  (void)tcp_output(connection_);  // what does not leave now leaves with lwIP's timer
  return size;
}

// What arrived before the connection ended is still given out.
Result<size_t> LwipTransport::do_receive(MutableBytes out) {
  if (state_ != State::kConnected) return Status::kBadState;
  if (received_ == nullptr) {
    if (peer_closed_ || !alive()) return Status::kDisconnected;
    return Status::kWouldBlock;
  }
  const size_t size = std::min(out.size(), received_->len - taken_);
  std::copy_n(static_cast<const uint8_t*>(received_->payload) + taken_, size, out.data());
  taken_ += size;
  if (taken_ == received_->len) {
    pbuf* rest = received_->next;
    if (rest != nullptr) pbuf_ref(rest);
    pbuf_free(received_);
    received_ = rest;
    taken_ = 0;
  }
  if (connection_ != nullptr) tcp_recved(connection_, static_cast<u16_t>(size));
  return size;
}

void LwipTransport::do_close() {
  drop_received();
  state_ = State::kClosed;
  if (connection_ == nullptr) return;
  tcp_pcb* connection = connection_;
  connection_ = nullptr;
  tcp_arg(connection, nullptr);
  tcp_recv(connection, nullptr);
  tcp_sent(connection, nullptr);
  tcp_err(connection, nullptr);
  if (tcp_close(connection) != ERR_OK) tcp_abort(connection);
}

void LwipTransport::drop_received() {
  if (received_ != nullptr) pbuf_free(received_);
  received_ = nullptr;
  taken_ = 0;
}

void LwipTransport::abort(err_t error) {
  tcp_pcb* connection = connection_;
  connection_ = nullptr;
  error_ = error;
  tcp_err(connection, nullptr);
  tcp_abort(connection);
}

err_t LwipTransport::on_connected(void* self, tcp_pcb*, err_t) {
  LwipTransport& transport = *static_cast<LwipTransport*>(self);
  transport.state_ = State::kConnected;
  transport.since_ms_ = sys_now();
  return ERR_OK;
}

err_t LwipTransport::on_received(void* self, tcp_pcb*, pbuf* data, err_t) {
  LwipTransport& transport = *static_cast<LwipTransport*>(self);
  if (data == nullptr) {
    transport.peer_closed_ = true;
  } else if (transport.received_ == nullptr) {
    transport.received_ = data;
  } else {
    pbuf_cat(transport.received_, data);
  }
  return ERR_OK;
}

err_t LwipTransport::on_acknowledged(void* self, tcp_pcb*, u16_t) {
  static_cast<LwipTransport*>(self)->since_ms_ = sys_now();
  return ERR_OK;
}

void LwipTransport::on_error(void* self, err_t error) {
  LwipTransport& transport = *static_cast<LwipTransport*>(self);
  transport.connection_ = nullptr;  // lwIP has freed it
  transport.error_ = error;
}

}  // namespace board
