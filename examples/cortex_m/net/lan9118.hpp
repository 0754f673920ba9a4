// SPDX-License-Identifier: Apache-2.0
/// \file
/// Driver of the SMSC LAN9118 Ethernet controller, polled.
#ifndef NET_LAN9118_HPP
#define NET_LAN9118_HPP

#include <lwip/netif.h>

#include <cstdint>

namespace board {

/// One controller. Its buffers (5 KiB to send, 10 KiB received) hold what comes between two polls.
///
/// Threads: one, never from an interrupt. Blocking: `start` waits for the controller's reset, some microseconds.
class Lan9118 {
 public:
  explicit Lan9118(uintptr_t base) : base_(base) {}

  /// Resets it and sets address and modes. \return false when no such controller answers.
  bool start(const uint8_t mac[6]);

  /// Whether the cable is in, as the PHY says now.
  bool link_up() const;

  /// Sends a frame, the first ETH_PAD_SIZE bytes of which are padding.
  /// \return ERR_OK; ERR_MEM: the controller is full, try later.
  err_t send(const pbuf* frame);

  /// Takes one received frame, with ETH_PAD_SIZE bytes of padding in front.
  /// \return the frame, which the caller frees; null when there is none, or when it was bad or there was no room for it
  ///         (`waiting` tells).
  pbuf* receive();
  bool waiting() const;

  /// Frames thrown away: damaged, or no pbuf was free.
  uint32_t dropped() const { return dropped_; }

 private:
  volatile uint32_t& at(uint32_t offset) const;
  uint32_t read(uint32_t offset) const;
  void write_mac(uint32_t index, uint32_t value) const;
  uint32_t read_mac(uint32_t index) const;
  void write_phy(uint32_t index, uint32_t value) const;
  uint32_t read_phy(uint32_t index) const;
  void wait_mac() const;
  void skip(uint32_t words) const;

  uintptr_t base_;
  uint32_t dropped_ = 0;
};

}  // namespace board

#endif
