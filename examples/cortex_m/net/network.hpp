// SPDX-License-Identifier: Apache-2.0
/// \file
/// The network interface: lwIP on the LAN9118, driven from the main loop.
#ifndef NET_NETWORK_HPP
#define NET_NETWORK_HPP

#include <lwip/netif.h>

#include "net/lan9118.hpp"

namespace board {

/// The device's own address. Network byte order is lwIP's business: numbers are written as in 10.0.2.15.
struct NetworkConfig {
  uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  uint8_t address[4] = {10, 0, 2, 15};  ///< What the emulator's user network expects.
  uint8_t mask[4] = {255, 255, 255, 0};
  uint8_t gateway[4] = {10, 0, 2, 2};
};

/// One of it in a program, for lwIP's state is global. Threads: one. Blocking: never after `start`.
class Network {
 public:
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Starts lwIP and the interface. Once.
  /// \return false when the Ethernet controller does not answer.
  bool start(const NetworkConfig& config);

  /// Takes at most kFramesAtOnce frames in, lets lwIP's timers run, and looks after the cable. To be called every few
  /// milliseconds.
  /// \return true when something was received.
  bool poll();
  static constexpr uint32_t kFramesAtOnce = 8;

  bool link_up() const { return netif_is_link_up(&interface_) != 0; }
  uint32_t frames_dropped() const { return controller_.dropped(); }

 private:
  static err_t set_up(netif* interface);
  static err_t on_send(netif* interface, pbuf* frame);
  void watch_link();

  Lan9118 controller_;
  netif interface_ = {};
  const NetworkConfig* config_ = nullptr;  // while starting
  uint32_t link_looked_ms_ = 0;
};

}  // namespace board

#endif
