// SPDX-License-Identifier: Apache-2.0
// Receives CAN frames over the UART until they end, and says what came. See ../README.md.
//
// Arguments: hold=1 lets the line wait while the ring is full. fill=N: before each of the first N looks at the bus it waits until
// the ring is full. drops=N: before the first look it waits until N frames of bus 0 were dropped.
#include "board/board.hpp"
#include "board/board_clock.hpp"
#include "board/memory_map.hpp"
#include "board/words.hpp"
#include "can/cmsdk_receiver.hpp"
#include "can/uart_can_bus.hpp"

namespace {

using wayseal::BusState;
using wayseal::CanFrame;

constexpr uint8_t kBuses = 2;
constexpr size_t kRingWords = 512;

struct Device {
  explicit Device(can::WhenRingFull when_full)
      : receiver(board::kUart1, board::kUart1ReceiveInterrupt, ring, when_full) {}
  uint64_t memory[kRingWords];
  board::BoardClock clock;
  can::PieceRing ring{memory, clock};
  can::CmsdkReceiver receiver;
  can::UartCanBus bus{ring, clock, {kBuses, 0}};
};

/// FNV-1a over what a frame says, its time left out.
class Hash {
 public:
  void add(const CanFrame& frame) {
    add(frame.bus);
    for (unsigned shift = 0; shift < 32; shift += 8) add(static_cast<uint8_t>(frame.id >> shift));
    add(frame.length);
    for (size_t i = 0; i < frame.length; ++i) add(frame.data[i]);
  }
  uint32_t value() const { return value_; }

 private:
  void add(uint8_t byte) { value_ = (value_ ^ byte) * 16777619U; }
  uint32_t value_ = 2166136261U;
};

struct Deafness {
  uint32_t fill = 0;
  uint32_t drops = 0;
};

/// A program that has other things to do than to look at the bus.
void stay_away(const Device& device, Deafness& deafness) {
  while (deafness.fill != 0 && device.ring.has_room()) board::idle();
  if (deafness.fill != 0) --deafness.fill;
  while (device.ring.losses().frames_dropped[0] < deafness.drops) board::idle();
}

void print_bus(const Device& device, uint8_t bus) {
  const wayseal::BusCounters counters = device.bus.counters(bus);
  board::print_field("frames", counters.frames);
  board::print_field("dropped", counters.frames_dropped);
  board::print_field("unreadable", counters.unreadable);
  board::print_field("errors", counters.error_frames);
  board::print_field("bus_off", counters.bus_off_events);
  board::print_field("back", counters.time_steps_back);
}

int receive(Device& device, Deafness deafness) {
  Hash hash;
  CanFrame frames[16];
  device.receiver.start();
  board::print("listening\n");
  while (device.bus.state(0) != BusState::kEnded || device.bus.state(1) != BusState::kEnded) {
    stay_away(device, deafness);
    const size_t count = device.bus.receive(frames).value();
    device.receiver.resume();
    for (size_t i = 0; i < count; ++i) hash.add(frames[i]);
    if (count == 0) board::idle();
  }
  board::print("ended");
  for (uint8_t bus = 0; bus < kBuses; ++bus) print_bus(device, bus);
  board::print_field("hash", hash.value());
  board::print_field("ms", board::ticks().ms);
  board::print("\n");
  return 0;
}

}  // namespace

int main() {
  static board::Words words;
  if (!words.read()) return 2;
  const bool hold = words.number("hold", 0) != 0;
  static Device device(hold ? can::WhenRingFull::kHoldBack : can::WhenRingFull::kDropAndCount);
  return receive(device, {words.number("fill", 0), words.number("drops", 0)});
}
