// SPDX-License-Identifier: Apache-2.0
/// \file
/// CanBus port on Linux SocketCAN: real controllers and vcan.
#ifndef WAYSEAL_HAL_SOCKETCAN_SOCKETCAN_BUS_HPP
#define WAYSEAL_HAL_SOCKETCAN_SOCKETCAN_BUS_HPP

#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/clock.hpp"

namespace wayseal {

/// Reads up to kBusesMax interfaces, one raw socket each, 64 frames a system call (recvmmsg).
///
/// * Classic CAN and CAN FD. Remote frames are counted as unreadable; error frames set `state` and are counted.
/// * Times are the kernel's reception times in ns (SO_TIMESTAMPNS), moved to the Clock's monotonic base with the
///   offset measured at each system call, so a step of the system clock shifts at most the frames of one call.
/// * What the kernel drops for want of room is counted exactly (SO_RXQ_OVFL).
/// * An interface that goes down or vanishes is reported by `state`, and opened again by itself (looked for every
///   kReopenMs).
///
/// Threads: the bus side's only. Blocking: `receive` never; `wait` as asked. About 7 KiB; no heap.
class SocketCanBus final : public CanBus {
 public:
  static constexpr size_t kBusesMax = 8;
  static constexpr size_t kNameMax = 15;      ///< IFNAMSIZ - 1
  static constexpr size_t kFiltersMax = 512;  ///< CAN_RAW_FILTER_MAX of the kernel
  static constexpr int kReceiveBufferBytes = 8 * 1024 * 1024;
  static constexpr int64_t kReopenMs = 100;

  /// \param clock outlives this.
  explicit SocketCanBus(const Clock& clock) : clock_(clock) {}
  ~SocketCanBus();
  SocketCanBus(const SocketCanBus&) = delete;
  SocketCanBus& operator=(const SocketCanBus&) = delete;

  /// Adds the interface `name` as the next bus. It need not exist yet.
  /// \return its index; kFull; kInvalidArgument for an empty or too long name; kUnsupported when the kernel has no
  ///         CAN at all; kDenied when it may not be opened.
  Result<uint8_t> add_interface(Span<const char> name);

  /// Waits until a frame may be there, or `timeout_ms` have passed.
  void wait(int timeout_ms);

  /// errno of the last system call that failed; 0 when none has.
  int diagnostic() const { return last_errno_; }

 private:
  struct Interface {
    char name[kNameMax + 1] = {};
    int fd = -1;
    BusState state = BusState::kDown;
    bool was_up = false;
    uint32_t kernel_drops = 0;  ///< SO_RXQ_OVFL of the present socket
    int64_t last_time_ns = 0;
    MonotonicTime next_try;
    BusCounters counters;
  };
  class Batch;

  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override { return bus_count_ == 0 ? uint8_t{1} : bus_count_; }
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override { return TimeBase::kMonotonic; }

  Status open(uint8_t bus);
  Status configure(uint8_t bus, int fd);
  Status apply_filters(uint8_t bus, int fd);
  void close_down(Interface& interface);
  size_t receive_from(uint8_t bus, Span<CanFrame> frames);
  void note_error_frame(Interface& interface, uint32_t error_class, const uint8_t* data);
  void note_drops(Interface& interface, uint32_t kernel_drops);
  Status fail(int error);

  const Clock& clock_;
  Interface interfaces_[kBusesMax];
  uint8_t bus_count_ = 0;
  uint8_t first_bus_ = 0;  ///< where the next `receive` begins, so that a busy bus cannot starve the others
  int last_errno_ = 0;
  size_t filter_count_ = 0;
  CanFilter filters_[kFiltersMax];
};

}  // namespace wayseal

#endif
