// SPDX-License-Identifier: Apache-2.0
// A UartCanBus whose serial line is a socket of this process.
#ifndef WAYSEAL_TESTS_CONTRACT_CAN_BUS_UART_LINE_HPP
#define WAYSEAL_TESTS_CONTRACT_CAN_BUS_UART_LINE_HPP

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "can/uart_can_bus.hpp"
#include "fakes/fake_clock.hpp"

namespace wayseal::test {

/// The receiving end: what comes out of `socket()`'s other end goes through ring and bus.
class UartLine {
 public:
  explicit UartLine(const can::UartCanConfig& config = {}, size_t ring_bytes = 4096)
      : memory_(ring_bytes / sizeof(uint64_t)),
        ring({memory_.data(), memory_.size()}, clock),
        bus(ring, clock, config) {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0);
  }
  UartLine(const UartLine&) = delete;
  UartLine& operator=(const UartLine&) = delete;
  ~UartLine() {
    close_sender();
    ::close(ends_[0]);
  }

  /// The sender's end: closed with this object, unless it was taken.
  int sender() const { return ends_[1]; }
  int take_sender() {
    const int end = ends_[1];
    ends_[1] = -1;
    return end;
  }
  void close_sender() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

  /// When the socket is full, the interrupt takes what is in it.
  void send(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes = bytes.from(static_cast<size_t>(sent));
      if (sent <= 0) REQUIRE(interrupt());
    }
  }
  void send(const CanFrame& frame) {
    uint8_t wire[can::kWireMax];
    const size_t size = can::write_frame(frame, wire);
    REQUIRE(size != 0);
    send({wire, size});
  }
  void report(uint8_t number, const can::BusReport& report) {
    uint8_t wire[can::kWireMax];
    send({wire, can::write_report(number, report, wire)});
  }

  /// Plays the interrupt: takes at most `most` bytes from the line. \return false at its end.
  bool interrupt(size_t most = 1024) {
    std::vector<uint8_t> bytes(most);
    const ssize_t got = ::recv(ends_[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    for (ssize_t i = 0; i < got; ++i) ring.put(bytes[static_cast<size_t>(i)]);
    return true;
  }
  /// What waits on the line, and what the bus makes of it. In pieces that the ring holds.
  std::vector<CanFrame> receive_all(size_t most = 1024) {
    (void)interrupt(most);
    std::vector<CanFrame> all;
    CanFrame some[16];
    for (;;) {
      const Result<size_t> got = bus.receive(some);
      if (!got.ok() || got.value() == 0) return all;
      all.insert(all.end(), some, some + got.value());
    }
  }

 private:
  int ends_[2] = {-1, -1};
  std::vector<uint64_t> memory_;

 public:
  fakes::FakeClock clock;
  can::PieceRing ring;
  can::UartCanBus bus;
};

}  // namespace wayseal::test

#endif
