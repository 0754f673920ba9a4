// SPDX-License-Identifier: Apache-2.0
// Covers can::parse_piece, can::write_frame, can::PieceRing, can::UartCanBus (receive, state, counters).
//
// Any bytes on the line: what comes out are frames that CAN has, and written again they read the same. It makes no
// difference in which pieces the bytes come. Behind any garbage a delimiter ends it, and the next frame arrives.
//
// Input: 1 byte for the pieces, the line. In it 0xFE opens a body that the target frames itself, since bytes alone seldom
// have a right CRC: 1 byte length, the body.
#include <algorithm>

#include "can/uart_can_bus.hpp"
#include "fakes/fake_clock.hpp"
#include "fuzz.hpp"

namespace {

using namespace wayseal;

constexpr uint8_t kOpen = 0xFE;
constexpr uint8_t kBuses = 2;

/// COBS and CRC around a body of any length.
std::vector<uint8_t> frame_body(Bytes body) {
  std::vector<uint8_t> plain(body.begin(), body.end());
  uint16_t crc = can::kCrcStart;
  for (const uint8_t byte : plain) crc = can::crc16(crc, byte);
  plain.push_back(static_cast<uint8_t>(crc >> 8));
  plain.push_back(static_cast<uint8_t>(crc));
  std::vector<uint8_t> out = {0};
  size_t code = 0;
  for (const uint8_t byte : plain) {
    out.push_back(byte);
    if (byte != 0) continue;
    out[code] = static_cast<uint8_t>(out.size() - 1 - code);
    code = out.size() - 1;
  }
  out[code] = static_cast<uint8_t>(out.size() - code);
  out.push_back(can::kDelimiter);
  return out;
}

std::vector<uint8_t> line_of(fuzz::Input& in) {
  std::vector<uint8_t> line;
  while (!in.empty()) {
    const uint8_t byte = in.u8();
    if (byte != kOpen) {
      line.push_back(byte);
      continue;
    }
    const size_t size = in.u8() % (can::kBodyMax + 1);
    std::vector<uint8_t> body;
    for (size_t i = 0; i < size && !in.empty(); ++i) body.push_back(in.u8());
    const std::vector<uint8_t> framed = frame_body({body.data(), body.size()});
    line.insert(line.end(), framed.begin(), framed.end());
  }
  return line;
}

bool same(const CanFrame& a, const CanFrame& b) {
  return a.id == b.id && a.flags == b.flags && a.bus == b.bus && a.length == b.length &&
         std::memcmp(a.data, b.data, a.length) == 0;
}

void check_frame(const CanFrame& frame) {
  fuzz::require(frame.id <= (frame.extended() ? kCanExtendedIdMax : kCanStandardIdMax),
                "an identifier has its width");
  fuzz::require(frame.length <= (frame.fd() ? kCanDataMax : 8), "a frame has its length");
  fuzz::require(frame.bus < kBuses, "a frame is on a bus that there is");
  uint8_t wire[can::kWireMax];
  const size_t size = can::write_frame(frame, wire);
  fuzz::require(size > 1 && std::count(wire, wire + size, can::kDelimiter) == 1, "it can be written");
  const fuzz::ExactCopy piece({wire, size - 1});
  CanFrame again;
  can::Message message;
  message.frame = &again;
  fuzz::require(can::parse_piece(piece.view(), message) == can::PieceFault::kNone && same(frame, again),
                "written again it reads the same");
}

struct Outcome {
  std::vector<CanFrame> frames;
  BusCounters counters[kBuses];
  BusState states[kBuses] = {};
};

/// \param at_once bytes between two looks at the bus.
Outcome play(const std::vector<uint8_t>& line, size_t at_once) {
  std::vector<uint64_t> memory(4096);  // more than comes between two looks
  fakes::FakeClock clock;
  can::PieceRing ring({memory.data(), memory.size()}, clock);
  can::UartCanBus bus(ring, clock, {kBuses, 0});
  Outcome out;
  const auto look = [&] {
    CanFrame some[8];
    for (size_t calls = 0; calls < 64; ++calls) {
      const Result<size_t> got = bus.receive(some);
      fuzz::require(got.ok() || got.status() == Status::kDisconnected, "receiving does not fail");
      out.frames.insert(out.frames.end(), some, some + got.value());
    }
  };
  for (size_t i = 0; i < line.size(); ++i) {
    ring.put(line[i]);
    if (i % at_once == 0) look();
  }
  look();
  for (uint8_t i = 0; i < kBuses; ++i) {
    out.counters[i] = bus.counters(i);
    out.states[i] = bus.state(i);
  }
  return out;
}

void compare(const Outcome& a, const Outcome& b) {
  fuzz::require(a.frames.size() == b.frames.size(), "pieces make no difference to the number of frames");
  for (size_t i = 0; i < a.frames.size(); ++i)
    fuzz::require(same(a.frames[i], b.frames[i]), "nor to what they say");
  for (size_t i = 0; i < kBuses; ++i) {
    fuzz::require(a.states[i] == b.states[i] && a.counters[i].unreadable == b.counters[i].unreadable &&
                      a.counters[i].frames_dropped == b.counters[i].frames_dropped &&
                      a.counters[i].bus_off_events == b.counters[i].bus_off_events,
                  "nor to what is counted");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const size_t at_once = 64 + size_t{in.u8()} * 4;  // less than the ring holds
  std::vector<uint8_t> line = line_of(in);
  CanFrame last;
  last.id = 0x2A;
  last.length = 8;
  uint8_t wire[can::kWireMax];
  line.push_back(can::kDelimiter);
  line.insert(line.end(), wire, wire + can::write_frame(last, wire));

  const Outcome outcome = play(line, at_once);
  uint64_t counted = 0;
  for (const BusCounters& counters : outcome.counters) counted += counters.frames;
  fuzz::require(counted == outcome.frames.size(), "the port counts its frames");
  for (const CanFrame& frame : outcome.frames) check_frame(frame);
  fuzz::require(!outcome.frames.empty() && same(outcome.frames.back(), last), "a frame behind garbage arrives");
  compare(outcome, play(line, 64));
  return 0;
}
