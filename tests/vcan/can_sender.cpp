// SPDX-License-Identifier: Apache-2.0
#include "vcan/can_sender.hpp"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

namespace wayseal::test {

CanSender::CanSender(const std::string& interface_name)
    : fd_(socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW)) {
  REQUIRE(fd_ >= 0);
  const int on = 1;
  REQUIRE(setsockopt(fd_, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on) == 0);
  REQUIRE(setsockopt(fd_, SOL_CAN_RAW, CAN_RAW_FILTER, nullptr, 0) == 0);  // sends only
  sockaddr_can address{};
  address.can_family = AF_CAN;
  address.can_ifindex = static_cast<int>(if_nametoindex(interface_name.c_str()));
  REQUIRE(address.can_ifindex > 0);
  REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

CanSender::~CanSender() { close(fd_); }

void CanSender::send(const CanFrame& frame) {
  canfd_frame raw{};
  raw.can_id = frame.id | (frame.extended() ? CAN_EFF_FLAG : 0U);
  raw.len = frame.length;
  if ((frame.flags & CanFrame::kBitRateSwitch) != 0) raw.flags |= CANFD_BRS;
  std::memcpy(raw.data, frame.data, frame.length);
  send_raw(&raw, frame.fd() ? CANFD_MTU : CAN_MTU);
}

void CanSender::send_remote(uint32_t id) {
  can_frame raw{};
  raw.can_id = id | CAN_RTR_FLAG;
  send_raw(&raw, CAN_MTU);
}

void CanSender::send_error(uint32_t error_class, uint8_t controller_state) {
  can_frame raw{};
  raw.can_id = error_class | CAN_ERR_FLAG;
  raw.can_dlc = CAN_MAX_DLEN;
  raw.data[1] = controller_state;
  send_raw(&raw, CAN_MTU);
}

void CanSender::send_raw(const void* frame, size_t size) {
  while (write(fd_, frame, size) != static_cast<ssize_t>(size)) {
    REQUIRE((errno == ENOBUFS || errno == EAGAIN));
    pollfd room{fd_, POLLOUT, 0};
    (void)poll(&room, 1, 1);
  }
}

bool has_vcan() { return if_nametoindex("vcan0") != 0; }

void set_link(const std::string& interface_name, const std::string& state) {
  const std::string command = "/sbin/ip link set " + interface_name + " " + state;
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace wayseal::test
