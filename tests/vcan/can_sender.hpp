// SPDX-License-Identifier: Apache-2.0
/// \file
/// Puts frames on a vcan interface from a socket of its own.
#ifndef WAYSEAL_TESTS_VCAN_CAN_SENDER_HPP
#define WAYSEAL_TESTS_VCAN_CAN_SENDER_HPP

#include <string>

#include "wayseal/hal/can_bus.hpp"

namespace wayseal::test {

class CanSender {
 public:
  /// Fails the test when the interface cannot be opened.
  explicit CanSender(const std::string& interface_name);
  ~CanSender();
  CanSender(const CanSender&) = delete;
  CanSender& operator=(const CanSender&) = delete;

  /// Waits while the queue of the interface is full.
  void send(const CanFrame& frame);
  void send_remote(uint32_t id);
  /// An error frame as a driver makes it: class bits, and the controller's state byte.
  void send_error(uint32_t error_class, uint8_t controller_state);

 private:
  void send_raw(const void* frame, size_t size);
  int fd_;
};

/// Whether vcan0 is there.
bool has_vcan();

/// `ip link set NAME up|down`.
void set_link(const std::string& interface_name, const std::string& state);

}  // namespace wayseal::test

#endif
