// SPDX-License-Identifier: Apache-2.0
#include "can/uart_can_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "contract/can_bus/uart_line.hpp"

namespace wayseal::test {
namespace {

CanFrame frame_of(uint32_t id, uint8_t bus = 0) {
  CanFrame frame;
  frame.id = id;
  frame.bus = bus;
  frame.length = 8;
  store_le32(frame.data, id);
  return frame;
}

}  // namespace

TEST_CASE("a frame has the time at which its last byte came") {
  UartLine line;
  uint8_t wire[can::kWireMax];
  const size_t size = can::write_frame(frame_of(1), wire);
  line.clock.set({5000});
  line.send({wire, size - 1});
  CHECK(line.receive_all().empty());
  line.clock.set({6000});
  line.send({wire + size - 1, 1});
  REQUIRE(line.interrupt());
  line.clock.set({9000});
  const std::vector<CanFrame> frames = line.receive_all();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].time_ns == 6000);
  CHECK(line.bus.time_base() == TimeBase::kMonotonic);
}

TEST_CASE("buses are told apart, and those that are not configured are unreadable") {
  UartLine line({2, 0});
  for (const uint8_t bus : std::vector<uint8_t>{1, 0, 1, 2, 7}) line.send(frame_of(0x10U + bus, bus));
  const std::vector<CanFrame> frames = line.receive_all();
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].bus == 1);
  CHECK(frames[1].bus == 0);
  CHECK(line.bus.bus_count() == 2);
  CHECK(line.bus.counters(0).frames == 1);
  CHECK(line.bus.counters(1).frames == 2);
  CHECK(line.bus.counters(0).unreadable == 2);
}

TEST_CASE("states and counters of the controller's side come through, and a new start of it is no loss") {
  UartLine line;
  CanFrame frame[1];
  CHECK(line.bus.receive(frame).status() == Status::kDisconnected);
  line.report(0, {BusState::kActive, 3, 1});
  CHECK(line.receive_all().empty());
  CHECK(line.bus.state(0) == BusState::kActive);
  line.report(0, {BusState::kErrorPassive, 10, 128});
  (void)line.receive_all();
  CHECK(line.bus.state(0) == BusState::kErrorPassive);
  line.report(0, {BusState::kBusOff, 10, 256});
  line.report(0, {BusState::kBusOff, 10, 256});  // said again each second
  (void)line.receive_all();
  CHECK(line.bus.state(0) == BusState::kBusOff);
  CHECK(line.bus.counters(0).bus_off_events == 1);
  line.report(0, {BusState::kActive, 2, 0});  // began anew: 2 lost since
  line.report(0, {BusState::kActive, 5, 0});
  line.report(0, {BusState::kDown, 5, 0});
  CHECK(line.receive_all().empty());
  CHECK(line.bus.counters(0).frames_dropped == 15);
  CHECK(line.bus.counters(0).error_frames == 256);
  CHECK(line.bus.counters(0).down_events == 1);
  CHECK(line.bus.receive(frame).status() == Status::kDisconnected);
  line.send(frame_of(1));
  CHECK(line.receive_all().size() == 1);
  CHECK(line.bus.state(0) == BusState::kActive);
}

TEST_CASE("a recording that has ended is ended when its last frame was handed out") {
  UartLine line;
  for (uint32_t id = 0; id < 3; ++id) line.send(frame_of(id));
  line.report(0, {BusState::kEnded, 0, 0});
  REQUIRE(line.interrupt());
  CanFrame frame[1];
  for (int i = 0; i < 3; ++i) {
    CHECK(line.bus.state(0) != BusState::kEnded);
    CHECK(line.bus.receive(frame).value() == 1);
  }
  const Result<size_t> end = line.bus.receive(frame);
  CHECK(end.ok());
  CHECK(end.value() == 0);
  CHECK(line.bus.state(0) == BusState::kEnded);
}

TEST_CASE("garbage between frames, or in them, costs those that it touches and no other") {
  std::mt19937 random(7);
  UartLine line;
  uint32_t sent = 0;
  for (int round = 0; round < 300; ++round) {
    uint8_t garbage[100];
    for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random());
    line.send(Bytes(garbage, random() % sizeof garbage));
    line.send(Bytes(&can::kDelimiter, 1));
    line.send(frame_of(sent++ % 0x800));  // two back to back: neither may suffer
    line.send(frame_of(sent++ % 0x800));
    const std::vector<CanFrame> got = line.receive_all();
    REQUIRE(got.size() == 2);
    REQUIRE(got[0].id == (sent - 2) % 0x800);
    REQUIRE(got[1].id == (sent - 1) % 0x800);
  }
  CHECK(line.bus.counters(0).unreadable >= 290);
  CHECK(line.bus.counters(0).frames == sent);
}

TEST_CASE("remote and impossible frames are unreadable on their bus") {
  UartLine line({3, 0});
  uint8_t wire[can::kWireMax];
  line.send({wire, can::write_remote(1, wire)});
  const uint8_t half_an_id[] = {0x05, 0x20, 0x01, 0, 0, 0};
  line.send(half_an_id);  // and a wrong CRC
  (void)line.receive_all();
  CHECK(line.bus.counters(1).unreadable == 1);
  CHECK(line.bus.counters(0).unreadable == 1);
  CHECK(line.bus.counters(1).frames == 0);
}

TEST_CASE("a flood is dropped where there is no room, and every frame of it is counted") {
  UartLine line({2, 0}, 512);
  constexpr uint64_t kFrames = 1000;
  for (uint32_t i = 0; i < kFrames; ++i) line.send(frame_of(i, static_cast<uint8_t>(i % 2)));
  const std::vector<CanFrame> got = line.receive_all(1 << 20);
  CHECK_FALSE(got.empty());
  CHECK(got.size() < 30);
  CHECK(line.bus.counters(0).frames + line.bus.counters(0).frames_dropped == kFrames / 2);
  CHECK(line.bus.counters(1).frames + line.bus.counters(1).frames_dropped == kFrames / 2);
  line.send(frame_of(0x55));
  REQUIRE(line.receive_all().size() == 1);  // and life goes on
}

TEST_CASE("pieces that are no frame do not keep receive busy") {
  UartLine line({}, 1 << 15);
  for (int i = 0; i < 500; ++i) line.report(0, {BusState::kActive, 0, 0});
  line.send(frame_of(1));
  REQUIRE(line.interrupt(1 << 16));
  CanFrame some[4];
  CHECK(line.bus.receive(some).value() == 0);  // gave up before the end
  size_t calls = 1;
  while (line.bus.receive(some).value() == 0) ++calls;
  CHECK(calls == 31);
}

TEST_CASE("a line on which nothing is heard is down, where that was asked for") {
  UartLine line({2, 3000});
  line.clock.set({10 * kNsPerSecond});
  line.send(frame_of(1, 0));
  line.report(1, {BusState::kActive, 0, 0});
  CHECK(line.receive_all().size() == 1);
  line.clock.advance_ms(2999);
  CHECK(line.receive_all().empty());
  CHECK(line.bus.state(0) == BusState::kActive);
  line.clock.advance_ms(1);
  CanFrame frame[1];
  CHECK(line.bus.receive(frame).status() == Status::kDisconnected);
  CHECK(line.bus.state(1) == BusState::kDown);
  CHECK(line.bus.counters(0).down_events == 1);
  line.report(0, {BusState::kActive, 0, 0});
  CHECK(line.receive_all().empty());
  CHECK(line.bus.state(0) == BusState::kActive);
  CHECK(line.bus.state(1) == BusState::kDown);
}

TEST_CASE("filters are not taken, and everything is delivered") {
  UartLine line;
  const CanFilter only[] = {{0x100, 0x7FF, false, 0}};
  CHECK(line.bus.set_filters(only) == Status::kUnsupported);
  CHECK(line.bus.set_filters({}) == Status::kOk);
  line.send(frame_of(0x200));
  CHECK(line.receive_all().size() == 1);
}

}  // namespace wayseal::test
