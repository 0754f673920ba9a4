// SPDX-License-Identifier: Apache-2.0
#include "can/cmsdk_receiver.hpp"

#include "board/board.hpp"
#include "board/memory_map.hpp"

namespace can {
namespace {

constexpr uintptr_t kData = 0x00;
constexpr uintptr_t kState = 0x04;
constexpr uintptr_t kControl = 0x08;
constexpr uintptr_t kInterruptClear = 0x0C;
constexpr uintptr_t kDivider = 0x10;

constexpr uint32_t kStateReceived = 1U << 1;
constexpr uint32_t kStateOverrun = 1U << 3;
constexpr uint32_t kReceiveOn = (1U << 1) | (1U << 3);  // receiver and its interrupt
constexpr uint32_t kReceiveInterrupt = 1U << 1;
constexpr uint32_t kLeastDivider = 16;  // 1.56 Mbit/s at 25 MHz: above 9,000 frames of 8 bytes a second

}  // namespace

void CmsdkReceiver::start() {
  board::on_interrupt(interrupt_, &on_interrupt, this);
  board::reg(base_ + kDivider) = kLeastDivider;
  board::reg(base_ + kControl) = kReceiveOn;
}

void CmsdkReceiver::resume() {
  if (!held_back_ || !ring_.has_room()) return;
  const board::InterruptLock lock;
  held_back_ = false;
  read_all();  // no interrupt comes for the byte that waits already
}

void CmsdkReceiver::on_interrupt(void* self) {
  CmsdkReceiver& receiver = *static_cast<CmsdkReceiver*>(self);
  board::reg(receiver.base_ + kInterruptClear) = kReceiveInterrupt;
  if (!receiver.held_back_) receiver.read_all();
}

void CmsdkReceiver::read_all() {
  for (;;) {
    const uint32_t state = board::reg(base_ + kState);
    if ((state & kStateReceived) == 0) return;
    if (when_full_ == WhenRingFull::kHoldBack && ring_.blocked()) {
      held_back_ = true;
      return;
    }
    if ((state & kStateOverrun) != 0) {
      board::reg(base_ + kState) = kStateOverrun;
      ring_.note_lost_byte();
    }
    ring_.put(static_cast<uint8_t>(board::reg(base_ + kData)));
  }
}

}  // namespace can
