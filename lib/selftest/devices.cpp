// SPDX-License-Identifier: Apache-2.0
// Clock and CAN.
#include "selftest/run.hpp"

namespace wayseal::selftest {
namespace {

constexpr uint32_t kReadsBetweenKeepAlives = 4096;
constexpr size_t kFramesAtOnce = 4;
constexpr unsigned kReceivesMax = 16;

struct ClockReadings {
  bool not_back = true;
  bool advances = false;
};

ClockReadings read_clock(const Run& run, const Clock& clock) {
  constexpr unsigned kReadingsMin = 1000;
  ClockReadings seen;
  MonotonicTime last = clock.now();
  for (uint32_t i = 0; i < kSelfTestClockReads; ++i) {
    if (seen.advances && i >= kReadingsMin) break;
    const MonotonicTime now = clock.now();
    if (now < last) seen.not_back = false;
    if (last < now) seen.advances = true;
    last = now;
    if (i % kReadsBetweenKeepAlives == 0) run.alive();
  }
  return seen;
}

bool buses_known(const CanBus& bus) {
  const uint8_t count = bus.bus_count();
  if (count == 0 || count != bus.bus_count()) return false;
  if (count == UINT8_MAX) return true;
  const BusCounters beyond = bus.counters(count);
  const uint64_t sum = beyond.frames | beyond.frames_dropped | beyond.error_frames | beyond.bus_off_events |
                       beyond.down_events | beyond.unreadable | beyond.time_steps_back;
  return bus.state(count) == BusState::kDown && sum == 0;
}

bool well_formed(const CanFrame& frame, uint8_t buses) {
  const uint32_t id_max = frame.extended() ? kCanExtendedIdMax : kCanStandardIdMax;
  const size_t length_max = frame.fd() ? kCanDataMax : 8;
  constexpr uint8_t kKnownFlags =
      CanFrame::kExtendedId | CanFrame::kFd | CanFrame::kBitRateSwitch | CanFrame::kErrorStateIndicator;
  return frame.id <= id_max && frame.length <= length_max && frame.bus < buses &&
         (frame.flags & ~kKnownFlags) == 0;
}

uint64_t frames_of(const CanBus& bus) {
  uint64_t frames = 0;
  for (uint8_t i = 0; i < bus.bus_count(); ++i) frames += bus.counters(i).frames;
  return frames;
}

struct Received {
  size_t frames = 0;
  bool rules_kept = true;
  bool well_formed = true;
};

Received receive(Run& run, CanBus& bus) {
  Received out;
  // One more than is asked for: nobody writes into that.
  CanFrame frames[kFramesAtOnce + 1];
  constexpr uint32_t kUntouched = 0xA5A5A5A5;
  for (unsigned i = 0; i < kReceivesMax; ++i) {
    frames[kFramesAtOnce].id = kUntouched;
    const Result<size_t> got = bus.receive(Span<CanFrame>{frames, kFramesAtOnce});
    const Status status = run.saw(got.status());
    const bool known = status == Status::kOk || status == Status::kDisconnected;
    if (!known || got.value() > kFramesAtOnce || frames[kFramesAtOnce].id != kUntouched) {
      out.rules_kept = false;
      break;
    }
    for (size_t j = 0; j < got.value(); ++j) {
      if (!well_formed(frames[j], bus.bus_count())) out.well_formed = false;
    }
    out.frames += got.value();
    if (got.value() == 0) break;
  }
  return out;
}

}  // namespace

void test_clock(Run& run, const Clock& clock) {
  const uint64_t continuity = clock.continuity();
  const ClockReadings seen = read_clock(run, clock);
  run.check(SelfTestCheck::kClockNotBack, seen.not_back);
  run.check(SelfTestCheck::kClockAdvances, seen.advances);
  run.check(SelfTestCheck::kClockContinuity, clock.continuity() == continuity);
}

void test_can_bus(Run& run, CanBus& bus) {
  run.check(SelfTestCheck::kCanBuses, buses_known(bus));
  const Status filtered = run.saw(bus.set_filters({}));
  run.check(SelfTestCheck::kCanFilters,
            filtered == Status::kOk || filtered == Status::kUnsupported || filtered == Status::kDisconnected);
  const uint64_t before = frames_of(bus);
  const Received received = receive(run, bus);
  const uint64_t counted = frames_of(bus) - before;
  run.check(SelfTestCheck::kCanReceive, received.rules_kept);
  if (received.frames == 0 || !received.rules_kept) {
    run.skip(SelfTestCheck::kCanFrames, SelfTestCheck::kCanCounters);
    return;
  }
  run.check(SelfTestCheck::kCanFrames, received.well_formed);
  run.check(SelfTestCheck::kCanCounters, counted == received.frames);
}

}  // namespace wayseal::selftest
