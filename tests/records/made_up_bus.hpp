// SPDX-License-Identifier: Apache-2.0
/// \file
/// Frames from a seeded generator: the messages of records.dbc and some that are not, with whatever decoding might trip over.
#ifndef WAYSEAL_TESTS_RECORDS_MADE_UP_BUS_HPP
#define WAYSEAL_TESTS_RECORDS_MADE_UP_BUS_HPP

#include "wayseal/hal/can_bus.hpp"

namespace wayseal::records {

/// A CanBus that gives as many frames as were offered, the same ones in every run. Short frames, times that step back, data of
/// zeros, of ones, at random, and data that hardly changes.
class MadeUpBus final : public CanBus {
 public:
  /// `count` more frames wait, received during the milliseconds before `now`.
  void offer(uint32_t count, MonotonicTime now) {
    waiting_ += count;
    now_ = now;
  }

 private:
  uint32_t random(uint32_t below);
  void make(CanFrame& frame);
  void fill(CanFrame& frame);

  Status do_set_filters(Span<const CanFilter>) override { return Status::kUnsupported; }
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override { return 1; }
  BusState do_state(uint8_t) const override { return BusState::kActive; }
  BusCounters do_counters(uint8_t) const override { return counters_; }
  TimeBase do_time_base() const override { return TimeBase::kMonotonic; }

  uint64_t state_ = 0x5EED'0F'3EC0'4D51;
  MonotonicTime now_;
  uint32_t waiting_ = 0;
  BusCounters counters_;
  uint8_t slow_[kCanDataMax] = {};  // data that hardly changes
};

}  // namespace wayseal::records

#endif
