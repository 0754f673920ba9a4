// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: where CAN frames come from.
#ifndef WAYSEAL_HAL_CAN_BUS_HPP
#define WAYSEAL_HAL_CAN_BUS_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"

namespace wayseal {

inline constexpr size_t kCanDataMax = 64;  ///< Payload of a CAN FD frame (ISO 11898-1).
inline constexpr uint32_t kCanStandardIdMax = 0x7FF;
inline constexpr uint32_t kCanExtendedIdMax = 0x1FFFFFFF;

/// One received data frame. 80 bytes.
struct CanFrame {
  enum Flag : uint8_t { kExtendedId = 1, kFd = 2, kBitRateSwitch = 4, kErrorStateIndicator = 8 };

  int64_t time_ns = 0;  ///< When it was received, on the bus's time base (`CanBus::time_base`).
  uint32_t id = 0;      ///< 11 or 29 bits, without flag bits.
  uint8_t bus = 0;      ///< Index of the bus (0 for the first one configured).
  uint8_t flags = 0;    ///< Flag values, or-ed.
  uint8_t length = 0;   ///< Bytes of `data` that were received: 0 to 8, CAN FD to 64.
  uint8_t reserved = 0;
  uint8_t data[kCanDataMax] = {};

  bool extended() const { return (flags & kExtendedId) != 0; }
  bool fd() const { return (flags & kFd) != 0; }
};

/// Accepts frames with (id & mask) == (this->id & mask) and the same id width.
struct CanFilter {
  uint32_t id = 0;
  uint32_t mask = 0;
  bool extended = false;
  uint8_t bus = kEveryBus;
  static constexpr uint8_t kEveryBus = 0xFF;
};

enum class BusState : uint8_t {
  kDown,          ///< Interface absent or not up. Frames are missed, and nobody can count them.
  kActive,        ///< Receiving.
  kErrorPassive,  ///< Receiving, with error counters above 127 (ISO 11898-1).
  kBusOff,        ///< The controller took itself off the bus.
  kEnded,         ///< A recording has been played to its end; no more frames will come.
};

/// What has happened on one bus since it was opened. All values only grow.
struct BusCounters {
  uint64_t frames = 0;          ///< Data frames handed out.
  uint64_t frames_dropped = 0;  ///< Lost in the driver or kernel before this port saw them (SO_RXQ_OVFL).
  uint64_t error_frames = 0;    ///< Error frames seen (never handed out as data).
  uint64_t bus_off_events = 0;
  uint64_t down_events = 0;      ///< Times the interface went down or vanished.
  uint64_t unreadable = 0;       ///< Input that is not a data frame: bad log lines, remote frames.
  uint64_t time_steps_back = 0;  ///< Frames whose time lay before that of the frame before.
};

/// What `CanFrame::time_ns` counts from.
enum class TimeBase : uint8_t {
  kMonotonic,  ///< The Clock port's MonotonicTime.
  kRecorded,   ///< The recording's own clock, most often UTC; not this device's.
};

/// A source of CAN frames from one or more buses.
///
/// Threads: all calls from one thread, the bus side's. Blocking: no call blocks.
class CanBus {
 public:
  /// Asks the driver to deliver only what passes one of `filters`; none means every frame. Filters are an
  /// optimisation: a port may deliver more, never less.
  /// \return kOk; kUnsupported when there are more than the driver takes (everything is then delivered);
  ///         kDisconnected when the bus is gone (filters are applied when it comes back).
  Status set_filters(Span<const CanFilter> filters);

  /// Moves up to `frames.size()` received frames into `frames`, in order of reception for each bus.
  /// \return the count, 0 when none waits; kInvalidArgument for an empty span; kDisconnected when every bus is
  ///         down (call again: the port reopens by itself; `state` tells); a recording at its end gives 0 and
  ///         state kEnded.
  Result<size_t> receive(Span<CanFrame> frames);

  /// Number of buses, at least 1. Constant.
  uint8_t bus_count() const { return do_bus_count(); }
  /// State of one bus; kDown for an index out of range.
  BusState state(uint8_t bus) const { return do_state(bus); }
  /// Counters of one bus; zeros for an index out of range.
  BusCounters counters(uint8_t bus) const { return do_counters(bus); }
  TimeBase time_base() const { return do_time_base(); }

 protected:
  ~CanBus() = default;

 private:
  virtual Status do_set_filters(Span<const CanFilter> filters) = 0;
  virtual Result<size_t> do_receive(Span<CanFrame> frames) = 0;
  virtual uint8_t do_bus_count() const = 0;
  virtual BusState do_state(uint8_t bus) const = 0;
  virtual BusCounters do_counters(uint8_t bus) const = 0;
  virtual TimeBase do_time_base() const = 0;
};

}  // namespace wayseal

#endif
