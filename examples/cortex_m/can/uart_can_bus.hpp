// SPDX-License-Identifier: Apache-2.0
/// \file
/// CanBus port on frames from a serial line.
#ifndef CAN_UART_CAN_BUS_HPP
#define CAN_UART_CAN_BUS_HPP

#include "can/piece_ring.hpp"
#include "wayseal/core/config.hpp"

namespace can {

struct UartCanConfig {
  uint8_t bus_count = 1;  ///< 1 to UartCanBus::kBusesMax; what lies outside is taken as the nearest.
  /// A line on which nothing readable came for so long is taken for cut: every bus is then kDown. At least twice the
  /// sender's interval of reports (1 s). 0: the line is believed to be there, since silence is all that a quiet bus has to say.
  uint32_t silence_ms = 0;
};

/// Frames of up to 8 buses, whose controllers are at the other end of a serial line.
///
/// * Frame times are the Clock's, when the last byte of a frame arrived (TimeBase::kMonotonic).
/// * `frames_dropped` is what the ring had no room for, what the UART lost, and what the sender reports as lost.
/// * `unreadable` is what no message could be read from (bus 0, since a damaged piece has no bus), impossible frames
///   and remote frames (on their bus). After any garbage the next delimiter is a new beginning.
/// * State and error frames are as the sender reports them. Until anything was heard a bus is kDown; a data frame shows that
///   a bus that was down or at its end is up.
/// * Filters are not supported: every frame has come over the line already.
///
/// Threads: the bus side's only; the ring's producer may be an interrupt. Blocking: never. No heap. About 100 bytes a bus.
class UartCanBus final : public wayseal::CanBus {
 public:
  static constexpr uint8_t kBusesMax =
      wayseal::kBusesMax < kWireBusesMax ? uint8_t{wayseal::kBusesMax} : kWireBusesMax;

  /// Borrows the ring, whose only consumer this is, and the clock.
  UartCanBus(PieceRing& ring, const wayseal::Clock& clock, const UartCanConfig& config = {});
  UartCanBus(const UartCanBus&) = delete;
  UartCanBus& operator=(const UartCanBus&) = delete;

 private:
  struct Bus {
    wayseal::BusState state = wayseal::BusState::kDown;
    uint32_t ring_drops = 0;  // as of the last look; these three wrap
    uint32_t sender_drops = 0;
    uint32_t sender_errors = 0;
    int64_t last_time_ns = 0;
    wayseal::BusCounters counters;
  };

  wayseal::Status do_set_filters(wayseal::Span<const wayseal::CanFilter> filters) override;
  wayseal::Result<size_t> do_receive(wayseal::Span<wayseal::CanFrame> frames) override;
  uint8_t do_bus_count() const override { return bus_count_; }
  wayseal::BusState do_state(uint8_t bus) const override;
  wayseal::BusCounters do_counters(uint8_t bus) const override;
  wayseal::TimeBase do_time_base() const override { return wayseal::TimeBase::kMonotonic; }

  bool take_piece(const Piece& piece, wayseal::CanFrame& frame);
  void take_frame(Bus& bus, int64_t time_ns, wayseal::CanFrame& frame);
  void take_report(Bus& bus, const BusReport& report);
  void set_state(Bus& bus, wayseal::BusState state);
  void count_losses();
  void notice_silence();
  bool all_down() const;

  PieceRing& ring_;
  const wayseal::Clock& clock_;
  const uint8_t bus_count_;
  const uint32_t silence_ms_;
  uint32_t ring_too_long_ = 0;
  wayseal::MonotonicTime last_heard_;
  Bus buses_[kBusesMax];
};

}  // namespace can

#endif
