// SPDX-License-Identifier: Apache-2.0
// The SocketCAN port on the kernel's own vcan0 and vcan1. Run under tests/vcan/with-vcan.
#include "wayseal/socketcan/socketcan_bus.hpp"

#include <linux/can/error.h>

#include <catch2/catch_test_macros.hpp>

#include "contract/can_bus/can_bus_contract.hpp"
#include "vcan/can_sender.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::test {
namespace {

constexpr int kWaitMs = 2000;

/// A bus on vcan0 and vcan1 with a sender on each.
struct Vcan {
  Vcan() {
    REQUIRE(bus.add_interface({"vcan0", 5}).value_or(9) == 0);
    REQUIRE(bus.add_interface({"vcan1", 5}).value_or(9) == 1);
  }
  std::vector<CanFrame> receive(size_t count) { return receive_frames(rig, count); }

  PosixClock clock;
  SocketCanBus bus{clock};
  CanSender senders[2] = {CanSender("vcan0"), CanSender("vcan1")};
  CanBusRig rig{bus,
                [this](const std::vector<CanFrame>& frames) {
                  for (const CanFrame& frame : frames) senders[frame.bus].send(frame);
                },
                [this] {
                  bus.wait(kWaitMs);
                  return true;
                },
                true};
};

/// Steps the port until `reached` holds, or a deadline far beyond what it takes.
template <typename Condition>
bool reach(Vcan& vcan, Condition reached) {
  const MonotonicTime end = after_ms(vcan.clock.now(), 10 * kWaitMs);
  CanFrame chunk[8];
  while (!reached()) {
    if (end < vcan.clock.now()) return false;
    (void)vcan.bus.receive(chunk);
    vcan.bus.wait(10);
  }
  return true;
}

}  // namespace

TEST_CASE("CanBus contract: SocketCAN on vcan0") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  check_can_bus_contract(vcan.rig);
}

TEST_CASE("SocketCAN: frames of two interfaces keep their bus, times are monotonic and close to now") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  const MonotonicTime before = vcan.clock.now();
  vcan.rig.send({make_frame(1, {1}, 0, 0), make_frame(2, {2}, 0, 1), make_frame(3, {3}, 0, 0)});
  const std::vector<CanFrame> got = vcan.receive(3);
  const MonotonicTime after = vcan.clock.now();
  REQUIRE(got.size() == 3);
  for (const CanFrame& frame : got) {
    CHECK(frame.bus == (frame.id == 2 ? 1 : 0));
    CHECK(frame.time_ns >= before.ns - kNsPerMs);
    CHECK(frame.time_ns <= after.ns + kNsPerMs);
  }
}

TEST_CASE("SocketCAN: kernel filters let through what was asked for") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  const CanFilter wanted[] = {{0x100, kCanStandardIdMax, false, CanFilter::kEveryBus},
                              {0x00FEF100, 0x03FFFF00, true, 0}};
  REQUIRE(vcan.bus.set_filters(wanted) == Status::kOk);
  vcan.rig.send({make_frame(0x100, {1}), make_frame(0x101, {2}),
                 make_frame(0x18FEF1AA, {3}, CanFrame::kExtendedId),
                 make_frame(0x18FEF2AA, {4}, CanFrame::kExtendedId),
                 make_frame(0x100, {5}, CanFrame::kExtendedId), make_frame(0x100, {6})});
  const std::vector<CanFrame> got = vcan.receive(3);
  REQUIRE(got.size() == 3);
  CHECK(got[0].data[0] == 1);
  CHECK(got[1].data[0] == 3);
  CHECK(got[2].data[0] == 6);
  REQUIRE(vcan.bus.set_filters({}) == Status::kOk);
  vcan.rig.send({make_frame(0x7, {7})});
  CHECK(vcan.receive(1).size() == 1);
}

TEST_CASE("SocketCAN: what the kernel drops is counted to the frame") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  constexpr uint64_t kSent = 60'000;
  for (uint64_t i = 0; i < kSent; ++i) vcan.senders[0].send(make_frame(0x10, {1, 2, 3, 4, 5, 6, 7, 8}));
  const auto all = [&] {
    const BusCounters c = vcan.bus.counters(0);
    return c.frames + c.frames_dropped;
  };
  CanFrame chunk[64];
  while (vcan.bus.receive(chunk).value() != 0) continue;
  // The kernel tells of drops with the next frame that it does deliver.
  vcan.senders[0].send(make_frame(0x11, {1}));
  CHECK(reach(vcan, [&] { return all() >= kSent + 1; }));
  CHECK(all() == kSent + 1);
  CHECK(vcan.bus.counters(0).frames_dropped > 0);
  CHECK(vcan.bus.counters(1).frames_dropped == 0);
}

TEST_CASE("SocketCAN: remote and error frames are no data; bus-off and recovery show in the state") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  vcan.senders[0].send_remote(0x55);
  CHECK(reach(vcan, [&] { return vcan.bus.counters(0).unreadable == 1; }));
  vcan.senders[0].send_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_PASSIVE);
  CHECK(reach(vcan, [&] { return vcan.bus.state(0) == BusState::kErrorPassive; }));
  vcan.senders[0].send_error(CAN_ERR_BUSOFF, 0);
  CHECK(reach(vcan, [&] { return vcan.bus.state(0) == BusState::kBusOff; }));
  CHECK(vcan.bus.counters(0).bus_off_events == 1);
  vcan.senders[0].send_error(CAN_ERR_RESTARTED, 0);
  CHECK(reach(vcan, [&] { return vcan.bus.state(0) == BusState::kActive; }));
  CHECK(vcan.bus.counters(0).error_frames == 3);
  CHECK(vcan.bus.counters(0).frames == 0);
}

TEST_CASE("SocketCAN: an interface that goes down is reported and comes back by itself") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Vcan vcan;
  set_link("vcan0", "down");
  CHECK(reach(vcan, [&] { return vcan.bus.state(0) == BusState::kDown; }));
  CHECK(vcan.bus.counters(0).down_events == 1);
  CHECK(vcan.bus.state(1) == BusState::kActive);
  set_link("vcan0", "up");
  CHECK(reach(vcan, [&] { return vcan.bus.state(0) == BusState::kActive; }));
  CanSender("vcan0").send(make_frame(0x42, {1}));  // the old sender's socket remembers the fall
  CHECK(vcan.receive(1).size() == 1);
}

TEST_CASE("SocketCAN: an interface that is not there yet is waited for") {
  if (!has_vcan()) SKIP("no vcan0 here");
  const PosixClock clock;
  SocketCanBus bus(clock);
  REQUIRE(bus.add_interface({"vcan9", 5}).value_or(9) == 0);
  CanFrame chunk[1];
  CHECK(bus.receive(chunk).status() == Status::kDisconnected);
  CHECK(bus.state(0) == BusState::kDown);
  CHECK(bus.add_interface({"a-name-too-long-for-linux", 25}).status() == Status::kInvalidArgument);
}

}  // namespace wayseal::test
