// SPDX-License-Identifier: Apache-2.0
#include "contract/can_bus/can_bus_contract.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace wayseal::test {
namespace {

std::vector<uint8_t> counting_bytes(size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i + 1);
  return out;
}

/// One of each kind and length: ends of both id ranges, empty, full, FD.
std::vector<CanFrame> kinds_of_frames(bool fd) {
  std::vector<CanFrame> frames;
  for (const uint32_t id : {0U, 1U, 0x123U, kCanStandardIdMax})
    frames.push_back(make_frame(id, counting_bytes(8)));
  for (const uint32_t id : {0U, 0x123U, 0x18FEF100U, kCanExtendedIdMax}) {
    frames.push_back(make_frame(id, counting_bytes(8), CanFrame::kExtendedId));
  }
  for (size_t size = 0; size < 8; ++size) frames.push_back(make_frame(0x200, counting_bytes(size)));
  if (!fd) return frames;
  for (const size_t size : {0U, 7U, 8U, 12U, 16U, 20U, 24U, 32U, 48U, 64U}) {
    frames.push_back(make_frame(0x300, counting_bytes(size), CanFrame::kFd));
  }
  frames.push_back(make_frame(0x301, counting_bytes(64), CanFrame::kFd | CanFrame::kBitRateSwitch));
  return frames;
}

void check_same(const CanFrame& got, const CanFrame& sent) {
  CAPTURE(sent.id, sent.length, sent.flags);
  CHECK(got.id == sent.id);
  CHECK(got.flags == sent.flags);
  CHECK(got.bus == sent.bus);
  REQUIRE(got.length == sent.length);
  CHECK(std::memcmp(got.data, sent.data, sent.length) == 0);
}

}  // namespace

CanFrame make_frame(uint32_t id, std::vector<uint8_t> data, uint8_t flags, uint8_t bus) {
  CanFrame frame;
  frame.id = id;
  frame.flags = flags;
  frame.bus = bus;
  frame.length = static_cast<uint8_t>(data.size());
  std::copy(data.begin(), data.end(), frame.data);
  return frame;
}

std::vector<CanFrame> receive_frames(CanBusRig& rig, size_t count) {
  std::vector<CanFrame> out;
  CanFrame chunk[16];
  while (out.size() < count) {
    const Result<size_t> got = rig.bus.receive(chunk);
    REQUIRE((got.ok() || got.status() == Status::kDisconnected));
    out.insert(out.end(), chunk, chunk + got.value());
    if (got.value() == 0 && !rig.wait()) break;
  }
  return out;
}

void check_can_bus_contract(CanBusRig& rig) {
  CHECK(rig.bus.bus_count() >= 1);
  CHECK(rig.bus.state(0) == BusState::kActive);
  CHECK(rig.bus.state(rig.bus.bus_count()) == BusState::kDown);
  CHECK(rig.bus.counters(0xFF).frames == 0);
  CHECK(rig.bus.receive({}).status() == Status::kInvalidArgument);

  const std::vector<CanFrame> sent = kinds_of_frames(rig.carries_fd);
  rig.send(sent);
  const std::vector<CanFrame> got = receive_frames(rig, sent.size());
  REQUIRE(got.size() == sent.size());
  for (size_t i = 0; i < sent.size(); ++i) check_same(got[i], sent[i]);
  for (size_t i = 1; i < got.size(); ++i) CHECK(got[i - 1].time_ns <= got[i].time_ns);
  CHECK(rig.bus.counters(0).frames == sent.size());
  CHECK(rig.bus.counters(0).frames_dropped == 0);

  CanFrame one[1];
  rig.send({sent[0], sent[1]});  // never more than there is room for, and the rest is kept
  CHECK(receive_frames(rig, 1).size() >= 1);
  const Result<size_t> second = rig.bus.receive(one);
  CHECK(second.ok());
  CHECK(second.value() <= 1);
}

}  // namespace wayseal::test
