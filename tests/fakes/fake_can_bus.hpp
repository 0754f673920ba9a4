// SPDX-License-Identifier: Apache-2.0
/// \file
/// A CanBus that the test feeds, with the faults of a real one.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_CAN_BUS_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_CAN_BUS_HPP

#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "wayseal/hal/can_bus.hpp"

namespace wayseal::fakes {

/// Threads: the test may send and break things from another thread than the one that receives.
class FakeCanBus final : public CanBus {
 public:
  explicit FakeCanBus(uint8_t buses = 1, TimeBase time_base = TimeBase::kMonotonic);
  ~FakeCanBus() = default;

  /// Puts a frame on its bus. Like a kernel's queue it holds `queue_max` frames: what exceeds it is a counted
  /// drop. What no filter lets pass is not delivered; nothing arrives while the bus is down or off.
  void send(const CanFrame& frame);
  void send(uint32_t id, const std::vector<uint8_t>& data, int64_t time_ns, uint8_t bus = 0);

  void set_queue_max(size_t frames);
  /// `receive` gives at most so many frames.
  void set_receive_max(size_t frames);
  /// The driver takes at most so many filters, and delivers everything when there are more.
  void set_filter_max(size_t filters);
  void set_state(uint8_t bus, BusState state);
  void add_error_frames(uint8_t bus, uint64_t count);
  /// The recording is over: kEnded on every bus once the queue is empty.
  void end();

  /// Called at the start of each call of the CanBus contract; set before the threads start.
  void on_call(std::function<void()> hook) { hook_ = std::move(hook); }

  size_t waiting() const;
  std::vector<CanFilter> filters() const;

 private:
  struct Bus {
    BusState state = BusState::kActive;
    BusCounters counters;
    int64_t last_time_ns = INT64_MIN;
  };

  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override {
    called();
    return static_cast<uint8_t>(buses_.size());
  }
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override { return time_base_; }

  void called() const {
    if (hook_) hook_();
  }
  bool passes(const CanFrame& frame) const;
  void count(const CanFrame& frame);
  bool all_down() const;

  std::function<void()> hook_;
  mutable std::mutex mutex_;
  const TimeBase time_base_;
  std::vector<Bus> buses_;
  std::deque<CanFrame> queue_;
  std::vector<CanFilter> filters_;
  size_t queue_max_ = SIZE_MAX;
  size_t receive_max_ = SIZE_MAX;
  size_t filter_max_ = SIZE_MAX;
  bool ended_ = false;
};

}  // namespace wayseal::fakes

#endif
