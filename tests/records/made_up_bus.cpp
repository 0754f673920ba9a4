// SPDX-License-Identifier: Apache-2.0
#include "records/made_up_bus.hpp"

namespace wayseal::records {
namespace {

struct MessageRow {
  uint32_t id;
  uint8_t flags;
  uint8_t length;
};

// Those of records.dbc, and two that no table knows.
constexpr MessageRow kMessages[] = {
    {0x100, 0, 8},
    {0x101, 0, 8},
    {0x102, 0, 8},
    {0x103, 0, 8},
    {0x104, 0, 8},
    {0x105, 0, 8},
    {0x105, 0, 8},
    {0x105, 0, 8},
    {0x106, 0, 4},
    {0x107, CanFrame::kFd | CanFrame::kBitRateSwitch, 64},
    {0x18FEF1FE, CanFrame::kExtendedId, 8},
    {0x100, CanFrame::kExtendedId, 8},
    {0x7FF, 0, 8},
};
constexpr uint32_t kMessageCount = sizeof kMessages / sizeof kMessages[0];
constexpr uint32_t kParameterGroup = 0x18FEF1FE;
constexpr int64_t kFrameGapUs = 1500;

}  // namespace

// xorshift64*: 64-bit integers only, so it is the same everywhere.
uint32_t MadeUpBus::random(uint32_t below) {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<uint32_t>((state_ * 0x2545F4914F6CDD1D) >> 32) % below;
}

void MadeUpBus::fill(CanFrame& frame) {
  const uint32_t way = random(8);
  for (uint8_t i = 0; i < frame.length; ++i) {
    if (way == 0) frame.data[i] = 0;
    if (way == 1) frame.data[i] = 0xFF;
    if (way == 2) frame.data[i] = static_cast<uint8_t>(random(256));
    if (way > 2) frame.data[i] = slow_[i];
  }
  uint8_t& moving = slow_[random(way == 3 ? kCanDataMax : 8)];
  moving = static_cast<uint8_t>(moving + random(3) + 255);
}

void MadeUpBus::make(CanFrame& frame) {
  const MessageRow& row = kMessages[random(kMessageCount)];
  frame = {};
  frame.id = row.id;
  frame.flags = row.flags;
  frame.length = row.length;
  if (random(16) == 0) frame.length = static_cast<uint8_t>(random(row.length + 1U));
  // Another priority and another sender: the same parameter group.
  if (row.id == kParameterGroup) frame.id ^= (random(8) << 26) | random(256);
  // Now and then a frame is seen before one that came earlier.
  const int64_t back_us = random(50) == 0 ? 5 * kFrameGapUs : 0;
  frame.time_ns = now_.ns - (waiting_ * kFrameGapUs + back_us + random(700)) * kNsPerUs - random(1000);
  fill(frame);
}

Result<size_t> MadeUpBus::do_receive(Span<CanFrame> frames) {
  size_t count = 0;
  while (count < frames.size() && waiting_ != 0) {
    make(frames[count++]);
    --waiting_;
    ++counters_.frames;
  }
  return count;
}

}  // namespace wayseal::records
