// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_can_bus.hpp"

#include <algorithm>

namespace wayseal::fakes {

using Lock = std::lock_guard<std::mutex>;

FakeCanBus::FakeCanBus(uint8_t buses, TimeBase time_base) : time_base_(time_base), buses_(buses) {}

void FakeCanBus::send(const CanFrame& frame) {
  const Lock lock(mutex_);
  Bus& bus = buses_.at(frame.bus);
  if (bus.state == BusState::kDown || bus.state == BusState::kBusOff || !passes(frame)) return;
  if (queue_.size() >= queue_max_) {
    ++bus.counters.frames_dropped;
    return;
  }
  queue_.push_back(frame);
}

void FakeCanBus::send(uint32_t id, const std::vector<uint8_t>& data, int64_t time_ns, uint8_t bus) {
  CanFrame frame;
  frame.time_ns = time_ns;
  frame.id = id;
  frame.bus = bus;
  frame.flags = static_cast<uint8_t>((id > kCanStandardIdMax ? CanFrame::kExtendedId : 0) |
                                     (data.size() > 8 ? CanFrame::kFd : 0));
  frame.length = static_cast<uint8_t>(data.size());
  std::copy(data.begin(), data.end(), frame.data);
  send(frame);
}

void FakeCanBus::set_queue_max(size_t frames) {
  const Lock lock(mutex_);
  queue_max_ = frames;
}

void FakeCanBus::set_receive_max(size_t frames) {
  const Lock lock(mutex_);
  receive_max_ = frames;
}

void FakeCanBus::set_filter_max(size_t filters) {
  const Lock lock(mutex_);
  filter_max_ = filters;
}

void FakeCanBus::set_state(uint8_t bus, BusState state) {
  const Lock lock(mutex_);
  Bus& changed = buses_.at(bus);
  if (state == BusState::kBusOff && changed.state != state) ++changed.counters.bus_off_events;
  if (state == BusState::kDown && changed.state != state) ++changed.counters.down_events;
  changed.state = state;
}

void FakeCanBus::add_error_frames(uint8_t bus, uint64_t count) {
  const Lock lock(mutex_);
  buses_.at(bus).counters.error_frames += count;
}

void FakeCanBus::end() {
  const Lock lock(mutex_);
  ended_ = true;
}

size_t FakeCanBus::waiting() const {
  const Lock lock(mutex_);
  return queue_.size();
}

std::vector<CanFilter> FakeCanBus::filters() const {
  const Lock lock(mutex_);
  return filters_;
}

bool FakeCanBus::passes(const CanFrame& frame) const {
  if (filters_.empty()) return true;
  return std::any_of(filters_.begin(), filters_.end(), [&frame](const CanFilter& filter) {
    return filter.extended == frame.extended() && (frame.id & filter.mask) == (filter.id & filter.mask) &&
           (filter.bus == CanFilter::kEveryBus || filter.bus == frame.bus);
  });
}

void FakeCanBus::count(const CanFrame& frame) {
  Bus& bus = buses_[frame.bus];
  ++bus.counters.frames;
  if (frame.time_ns < bus.last_time_ns) ++bus.counters.time_steps_back;
  bus.last_time_ns = frame.time_ns;
}

bool FakeCanBus::all_down() const {
  return std::all_of(buses_.begin(), buses_.end(), [](const Bus& bus) { return bus.state == BusState::kDown; });
}

Status FakeCanBus::do_set_filters(Span<const CanFilter> filters) {
  called();
  const Lock lock(mutex_);
  filters_.clear();
  if (filters.size() > filter_max_) return Status::kUnsupported;
  filters_.assign(filters.begin(), filters.end());
  return Status::kOk;
}

Result<size_t> FakeCanBus::do_receive(Span<CanFrame> frames) {
  called();
  const Lock lock(mutex_);
  if (queue_.empty() && all_down()) return Status::kDisconnected;
  const size_t count_max = std::min(frames.size(), receive_max_);
  size_t received = 0;
  while (received < count_max && !queue_.empty()) {
    frames[received] = queue_.front();
    queue_.pop_front();
    count(frames[received++]);
  }
  return received;
}

BusState FakeCanBus::do_state(uint8_t bus) const {
  called();
  const Lock lock(mutex_);
  if (bus >= buses_.size()) return BusState::kDown;
  return ended_ && queue_.empty() ? BusState::kEnded : buses_[bus].state;
}

BusCounters FakeCanBus::do_counters(uint8_t bus) const {
  called();
  const Lock lock(mutex_);
  return bus < buses_.size() ? buses_[bus].counters : BusCounters{};
}

}  // namespace wayseal::fakes
