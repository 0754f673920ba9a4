// SPDX-License-Identifier: Apache-2.0
#include "wayseal/socketcan/socketcan_bus.hpp"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace wayseal {
namespace {

int64_t real_time_ns() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<int64_t>(t.tv_sec) * kNsPerSecond + t.tv_nsec;
}

template <typename T>
bool set_option(int fd, int level, int option, const T& value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// What the kernel says beside a frame.
struct Ancillary {
  int64_t real_time_ns = 0;
  uint32_t drops = 0;
  bool has_time = false;
  bool has_drops = false;
};

Ancillary read_ancillary(msghdr& message) {
  Ancillary out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SO_TIMESTAMPNS) {
      timespec t{};
      std::memcpy(&t, CMSG_DATA(c), sizeof t);
      out.real_time_ns = static_cast<int64_t>(t.tv_sec) * kNsPerSecond + t.tv_nsec;
      out.has_time = true;
    } else if (c->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&out.drops, CMSG_DATA(c), sizeof out.drops);
      out.has_drops = true;
    }
  }
  return out;
}

void convert(const canfd_frame& raw, size_t size, CanFrame& frame) {
  frame.flags = 0;
  if ((raw.can_id & CAN_EFF_FLAG) != 0) {
    frame.flags = CanFrame::kExtendedId;
    frame.id = raw.can_id & CAN_EFF_MASK;
  } else {
    frame.id = raw.can_id & CAN_SFF_MASK;
  }
  const bool fd = size == CANFD_MTU;
  if (fd) {
    frame.flags |= CanFrame::kFd;
    if ((raw.flags & CANFD_BRS) != 0) frame.flags |= CanFrame::kBitRateSwitch;
    if ((raw.flags & CANFD_ESI) != 0) frame.flags |= CanFrame::kErrorStateIndicator;
  }
  const uint8_t longest = fd ? uint8_t{CANFD_MAX_DLEN} : uint8_t{CAN_MAX_DLEN};
  frame.length = raw.len < longest ? raw.len : longest;
  std::memcpy(frame.data, raw.data, frame.length);
}

}  // namespace

/// One recvmmsg worth of buffers, on the stack of the call.
class SocketCanBus::Batch {
 public:
  static constexpr size_t kFrames = 64;

  Batch() {
    for (size_t i = 0; i < kFrames; ++i) {
      parts_[i] = {&frames_[i], sizeof frames_[i]};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  int receive(int fd, size_t wanted) {
    const size_t count = wanted < kFrames ? wanted : kFrames;
    for (size_t i = 0; i < count; ++i) {
      messages_[i].msg_hdr.msg_control = control_[i];
      messages_[i].msg_hdr.msg_controllen = sizeof control_[i];
    }
    return recvmmsg(fd, messages_, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
  }

  const canfd_frame& frame(size_t i) const { return frames_[i]; }
  size_t size(size_t i) const { return messages_[i].msg_len; }
  Ancillary ancillary(size_t i) { return read_ancillary(messages_[i].msg_hdr); }

 private:
  canfd_frame frames_[kFrames];
  iovec parts_[kFrames];
  mmsghdr messages_[kFrames];
  alignas(cmsghdr) char control_[kFrames][CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(uint32_t))];
};

SocketCanBus::~SocketCanBus() {
  for (Interface& interface : interfaces_) {
    if (interface.fd >= 0) ::close(interface.fd);
  }
}

Status SocketCanBus::fail(int error) {
  last_errno_ = error;
  switch (error) {
    case ENODEV:
    case ENETDOWN:
    case ENXIO: return Status::kDisconnected;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT: return Status::kUnsupported;
    default: return Status::kDenied;
  }
}

Result<uint8_t> SocketCanBus::add_interface(Span<const char> name) {
  if (name.empty() || name.size() > kNameMax) return Status::kInvalidArgument;
  if (bus_count_ == kBusesMax) return Status::kFull;
  const uint8_t bus = bus_count_;
  std::memcpy(interfaces_[bus].name, name.data(), name.size());
  interfaces_[bus].name[name.size()] = '\0';
  const Status opened = open(bus);
  if (opened != Status::kOk && opened != Status::kDisconnected) return opened;
  return bus_count_++;
}

Status SocketCanBus::open(uint8_t bus) {
  Interface& interface = interfaces_[bus];
  const int fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
  if (fd < 0) return fail(errno);
  const Status configured = configure(bus, fd);
  if (configured != Status::kOk) {
    ::close(fd);
    return configured;
  }
  interface.fd = fd;
  interface.kernel_drops = 0;
  interface.state = BusState::kActive;
  interface.was_up = true;
  return Status::kOk;
}

/// Whether the interface is up can only be asked, since binding to one that is down succeeds.
Status SocketCanBus::configure(uint8_t bus, int fd) {
  Interface& interface = interfaces_[bus];
  ifreq request{};
  std::memcpy(request.ifr_name, interface.name, sizeof interface.name);
  if (ioctl(fd, SIOCGIFINDEX, &request) != 0) return fail(errno);
  sockaddr_can address{};
  address.can_family = AF_CAN;
  address.can_ifindex = request.ifr_ifindex;
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return fail(errno);
  if ((request.ifr_flags & IFF_UP) == 0) return fail(ENETDOWN);

  const int on = 1;
  const can_err_mask_t every_error = CAN_ERR_MASK;
  if (!set_option(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, on) ||
      !set_option(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, every_error) ||
      !set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, on) || !set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, on)) {
    return fail(errno);
  }
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes)) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF,
               kReceiveBufferBytes);  // without CAP_NET_ADMIN the kernel's limit holds
  }
  WAYSEAL_TRY(apply_filters(bus, fd));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail(errno);
  return Status::kOk;
}

Status SocketCanBus::apply_filters(uint8_t bus, int fd) {
  can_filter kernel[kFiltersMax];
  size_t count = 0;
  for (size_t i = 0; i < filter_count_; ++i) {
    const CanFilter& filter = filters_[i];
    if (filter.bus != CanFilter::kEveryBus && filter.bus != bus) continue;
    kernel[count].can_id = filter.id | (filter.extended ? CAN_EFF_FLAG : 0U);
    kernel[count].can_mask = filter.mask | CAN_EFF_FLAG;
    ++count;
  }
  if (filter_count_ == 0) {
    kernel[0] = {0, 0};
    count = 1;
  }
  if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, kernel, static_cast<socklen_t>(count * sizeof kernel[0])) !=
      0) {
    return fail(errno);
  }
  return Status::kOk;
}

Status SocketCanBus::do_set_filters(Span<const CanFilter> filters) {
  const bool too_many = filters.size() > kFiltersMax;
  filter_count_ = too_many ? 0 : filters.size();
  for (size_t i = 0; i < filter_count_; ++i) filters_[i] = filters[i];
  Status worst = too_many ? Status::kUnsupported : Status::kOk;
  for (uint8_t bus = 0; bus < bus_count_; ++bus) {
    const Status applied =
        interfaces_[bus].fd >= 0 ? apply_filters(bus, interfaces_[bus].fd) : Status{Status::kDisconnected};
    if (worst == Status::kOk) worst = applied;
  }
  return worst;
}

Result<size_t> SocketCanBus::do_receive(Span<CanFrame> frames) {
  size_t count = 0;
  bool any_up = false;
  for (uint8_t i = 0; i < bus_count_ && count < frames.size(); ++i) {
    const uint8_t bus = static_cast<uint8_t>((first_bus_ + i) % bus_count_);
    Interface& interface = interfaces_[bus];
    if (interface.fd < 0) {
      const MonotonicTime now = clock_.now();
      if (now < interface.next_try) continue;
      interface.next_try = after_ms(now, kReopenMs);
      if (open(bus) != Status::kOk) continue;
    }
    count += receive_from(bus, frames.from(count));
    any_up = any_up || interface.fd >= 0;
  }
  first_bus_ = bus_count_ == 0 ? uint8_t{0} : static_cast<uint8_t>((first_bus_ + 1) % bus_count_);
  if (count == 0 && !any_up) return Status::kDisconnected;
  return count;
}

size_t SocketCanBus::receive_from(uint8_t bus, Span<CanFrame> frames) {
  Interface& interface = interfaces_[bus];
  Batch batch;
  const int received = batch.receive(interface.fd, frames.size());
  if (received < 0) {
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
      last_errno_ = errno;
      close_down(interface);
    }
    return 0;
  }
  const int64_t to_monotonic_ns = clock_.now().ns - real_time_ns();
  size_t count = 0;
  for (size_t i = 0; i < static_cast<size_t>(received); ++i) {
    const canfd_frame& raw = batch.frame(i);
    const Ancillary beside = batch.ancillary(i);
    if (beside.has_drops) note_drops(interface, beside.drops);
    if ((raw.can_id & CAN_ERR_FLAG) != 0) {
      note_error_frame(interface, raw.can_id & CAN_ERR_MASK, raw.data);
      continue;
    }
    const bool whole = batch.size(i) == CAN_MTU || batch.size(i) == CANFD_MTU;
    if (!whole || (raw.can_id & CAN_RTR_FLAG) != 0) {
      ++interface.counters.unreadable;
      continue;
    }
    CanFrame& frame = frames[count];
    convert(raw, batch.size(i), frame);
    frame.bus = bus;
    frame.time_ns = (beside.has_time ? beside.real_time_ns : real_time_ns()) + to_monotonic_ns;
    if (interface.counters.frames != 0 && frame.time_ns < interface.last_time_ns)
      ++interface.counters.time_steps_back;
    interface.last_time_ns = frame.time_ns;
    ++interface.counters.frames;
    ++count;
  }
  return count;
}

void SocketCanBus::close_down(Interface& interface) {
  ::close(interface.fd);
  interface.fd = -1;
  interface.state = BusState::kDown;
  interface.next_try = after_ms(clock_.now(), kReopenMs);
  if (interface.was_up) ++interface.counters.down_events;
  interface.was_up = false;
}

/// linux/can/error.h: the class is in the id, the controller's state in data[1].
void SocketCanBus::note_error_frame(Interface& interface, uint32_t error_class, const uint8_t* data) {
  ++interface.counters.error_frames;
  if ((error_class & CAN_ERR_BUSOFF) != 0) {
    if (interface.state != BusState::kBusOff) ++interface.counters.bus_off_events;
    interface.state = BusState::kBusOff;
    return;
  }
  if ((error_class & CAN_ERR_RESTARTED) != 0) interface.state = BusState::kActive;
  if ((error_class & CAN_ERR_CRTL) == 0) return;
  if ((data[1] & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE)) != 0)
    interface.state = BusState::kErrorPassive;
  if ((data[1] & CAN_ERR_CRTL_ACTIVE) != 0) interface.state = BusState::kActive;
}

/// The kernel counts a socket's drops since it was opened, modulo 2^32.
void SocketCanBus::note_drops(Interface& interface, uint32_t kernel_drops) {
  interface.counters.frames_dropped += static_cast<uint32_t>(kernel_drops - interface.kernel_drops);
  interface.kernel_drops = kernel_drops;
}

BusState SocketCanBus::do_state(uint8_t bus) const {
  return bus < bus_count_ ? interfaces_[bus].state : BusState::kDown;
}

BusCounters SocketCanBus::do_counters(uint8_t bus) const {
  return bus < bus_count_ ? interfaces_[bus].counters : BusCounters{};
}

void SocketCanBus::wait(int timeout_ms) {
  pollfd waiting[kBusesMax];
  nfds_t count = 0;
  for (uint8_t bus = 0; bus < bus_count_; ++bus) {
    if (interfaces_[bus].fd >= 0) waiting[count++] = {interfaces_[bus].fd, POLLIN, 0};
  }
  (void)poll(waiting, count, timeout_ms);
}

}  // namespace wayseal
