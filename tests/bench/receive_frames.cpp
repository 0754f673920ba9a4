// SPDX-License-Identifier: Apache-2.0
// What a frame costs in the SocketCAN port, and how many system calls it takes, on the kernel's vcan0:
//     with-vcan bench_receive_frames
// The linker sends every system call of the port through counters here. The floor is one recvmmsg of as many frames,
// and a copy of identifier, length and data: no reception times, no drops counted, no error frames.
#include <linux/can.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "bench/measure.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/socketcan/socketcan_bus.hpp"

namespace {
size_t calls = 0;
}

// Names that the linker makes of --wrap.
extern "C" {
int __real_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout);
int __wrap_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout);
int __real_poll(pollfd* fds, nfds_t count, int timeout_ms);
int __wrap_poll(pollfd* fds, nfds_t count, int timeout_ms);
int __wrap_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  ++calls;
  return __real_recvmmsg(fd, messages, count, flags, timeout);
}
int __wrap_poll(pollfd* fds, nfds_t count, int timeout_ms) {
  ++calls;
  return __real_poll(fds, count, timeout_ms);
}
}

namespace wayseal::bench {
namespace {

constexpr size_t kFrames = 1024;  // what a vcan's socket buffer holds at once
constexpr size_t kRounds = 4;

CanFrame frame_number(size_t i) {
  CanFrame frame;
  frame.id = static_cast<uint32_t>(i & kCanStandardIdMax);
  frame.length = 8;
  store_le64(frame.data, i);
  return frame;
}

int open_plain(int flags) {
  const int fd = socket(PF_CAN, SOCK_RAW | flags, CAN_RAW);
  sockaddr_can address{};
  address.can_family = AF_CAN;
  address.can_ifindex = static_cast<int>(if_nametoindex("vcan0"));
  const int size = SocketCanBus::kReceiveBufferBytes;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  must(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  return fd;
}

void send(int fd, const CanFrame& frame) {
  can_frame raw{};
  raw.can_id = frame.id;
  raw.can_dlc = frame.length;
  std::memcpy(raw.data, frame.data, frame.length);
  while (write(fd, &raw, sizeof raw) != static_cast<ssize_t>(sizeof raw)) {  // the interface's queue is full
    pollfd room{fd, POLLOUT, 0};
    static_cast<void>(__real_poll(&room, 1, 1));
  }
}

/// The floor. \return frames.
size_t receive_plain(int fd, std::vector<CanFrame>& out) {
  constexpr size_t kAtOnce = 64;
  static canfd_frame raw[kAtOnce];
  static iovec parts[kAtOnce];
  static mmsghdr messages[kAtOnce];
  for (size_t i = 0; i < kAtOnce; ++i) {
    parts[i] = {&raw[i], sizeof raw[i]};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  size_t count = 0;
  for (int got = 0; (got = __real_recvmmsg(fd, messages, kAtOnce, MSG_DONTWAIT, nullptr)) > 0;) {
    for (int i = 0; i < got; ++i) {
      CanFrame& frame = out[count++];
      frame.id = raw[i].can_id & CAN_EFF_MASK;
      frame.length = raw[i].len;
      std::memcpy(frame.data, raw[i].data, 8);
    }
  }
  return count;
}

size_t receive_ours(SocketCanBus& bus, std::vector<CanFrame>& out) {
  constexpr size_t kAtOnce = 64;
  size_t count = 0;
  for (;;) {
    const Result<size_t> got = bus.receive({out.data() + count, kAtOnce});
    if (!got.ok() || got.value() == 0) return count;
    count += got.value();
  }
}

int run() {
  if (if_nametoindex("vcan0") == 0) {
    std::fprintf(stderr, "no vcan0 here\n");
    return kSkipped;
  }
  PosixClock clock;
  SocketCanBus bus(clock);
  must(bus.add_interface({"vcan0", 5}).ok(), "vcan0");
  const int plain = open_plain(SOCK_NONBLOCK);
  const int sender = open_plain(0);
  std::vector<CanFrame> frames(kFrames + 64);
  size_t ours = 0;
  size_t floor = 0;
  double ours_us = 0;
  double floor_us = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kFrames; ++i) send(sender, frame_number(i));
    const std::string number = std::to_string(round);
    counted("ours" + number, [&] { ours_us += cpu_us_of([&] { ours += receive_ours(bus, frames); }); });
    must(load_le64(frames[kFrames - 1].data) == kFrames - 1, "frames in order");
    counted("floor" + number, [&] { floor_us += cpu_us_of([&] { floor += receive_plain(plain, frames); }); });
    must(load_le64(frames[kFrames - 1].data) == kFrames - 1, "frames in order");
  }
  must(ours == kRounds * kFrames && floor == ours, "every frame received");
  figure("frames", ours);
  figure("calls", calls);
  figure("ours_us", ours_us);
  figure("floor_us", floor_us);
  ::close(plain);
  ::close(sender);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
