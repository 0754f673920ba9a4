// SPDX-License-Identifier: Apache-2.0
// Frames through ring and port, without the UART: what they cost. ../count_can counts and judges.
#include "board/board.hpp"
#include "can/uart_can_bus.hpp"

extern "C" {
// Around what is counted, and after each case. Each differs, so that none is folded into another.
__attribute__((noinline, used, noclone)) void count_begin();
__attribute__((noinline, used, noclone)) void count_end();
__attribute__((noinline, used, noclone)) void count_next();
void count_begin() { __asm__ volatile("nop" ::: "memory"); }
void count_end() { __asm__ volatile("nop\n nop" ::: "memory"); }
void count_next() { __asm__ volatile("nop\n nop\n nop" ::: "memory"); }
}

namespace {

using wayseal::CanFrame;

constexpr size_t kFrames = 64;
constexpr size_t kRingWords = 1024;

/// The same in every run, at no cost: a real clock's is the board's.
class FixedClock final : public wayseal::Clock {
  wayseal::MonotonicTime do_now() const override { return {wayseal::kNsPerSecond}; }
  uint64_t do_continuity() const override { return 1; }
};

struct Way {
  uint64_t memory[kRingWords];
  FixedClock clock;
  can::PieceRing ring{memory, clock};
  can::UartCanBus bus{ring, clock, {1, 0}};
  uint8_t line[kFrames * can::kWireMax];
  CanFrame frames[kFrames];
};

size_t write_line(Way& way, uint32_t id, uint8_t flags, uint8_t length, uint8_t first) {
  size_t size = 0;
  for (size_t i = 0; i < kFrames; ++i) {
    CanFrame frame;
    frame.id = id;
    frame.flags = flags;
    frame.length = length;
    for (size_t at = 0; at < length; ++at) frame.data[at] = static_cast<uint8_t>(first + at + i % 16);
    size += can::write_frame(frame, wayseal::MutableBytes(way.line).from(size));
  }
  return size;
}

void empty() {
  count_begin();
  count_end();
  count_next();
}

/// Two cases: the bytes into the ring, as the interrupt does it, and the frames out of the port.
bool pass(Way& way, size_t size) {
  count_begin();
  for (size_t i = 0; i < size; ++i) way.ring.put(way.line[i]);
  count_end();
  count_next();
  count_begin();
  const size_t got = way.bus.receive(way.frames).value();
  count_end();
  count_next();
  return got == kFrames;
}

}  // namespace

int main() {
  static Way way;
  const board::InterruptLock lock;
  empty();
  const bool good = pass(way, write_line(way, 0x123, 0, 8, 1)) &&
                    pass(way, write_line(way, 0x18FEF100, CanFrame::kExtendedId, 8, 1)) &&
                    pass(way, write_line(way, 0x123, CanFrame::kFd, 64, 1));
  return good ? 0 : 1;
}
