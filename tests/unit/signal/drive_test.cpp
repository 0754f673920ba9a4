// SPDX-License-Identifier: Apache-2.0
#include "drive/drive.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "dbc/parser.hpp"
#include "test_table.hpp"

using namespace wayseal;
using namespace wayseal::test;

namespace {

oem::DriveOptions lasting(uint64_t seed, double seconds) {
  oem::DriveOptions options;
  options.seed = seed;
  options.seconds = seconds;
  return options;
}

}  // namespace

TEST_CASE("The same seed gives the same drive, another seed another one") {
  const auto lines = [](uint64_t seed) {
    std::string all;
    oem::drive(lasting(seed, 2), [&](const CanFrame& frame) { all += oem::candump_line(frame) + "\n"; });
    return all;
  };
  CHECK(lines(1) == lines(1));
  CHECK(lines(1) != lines(2));
}

TEST_CASE("A drive has the rates of a car, times that go forward, both buses, FD and unknown frames") {
  const TestTable table{std::string(oem::drive_dbc())};
  CHECK(table.built.warnings.empty());
  size_t frames = 0;
  size_t unknown = 0;
  size_t fd = 0;
  size_t extended = 0;
  std::set<uint8_t> buses;
  std::set<uint16_t> messages;
  int64_t last = 0;
  bool forward = true;
  oem::drive(lasting(4, 20), [&](const CanFrame& frame) {
    ++frames;
    forward = forward && frame.time_ns >= last;
    last = frame.time_ns;
    buses.insert(frame.bus);
    fd += frame.fd() ? 1 : 0;
    extended += frame.extended() ? 1 : 0;
    const auto message = table.table.find_message(frame);
    message.ok() ? messages.insert(message.value()).second : ++unknown;
  });
  CHECK(forward);
  CHECK(frames > 20 * 1000);
  CHECK(frames < 20 * 2000);
  CHECK(buses == std::set<uint8_t>{0, 1});
  CHECK(fd > 500);
  CHECK(extended > 300);
  CHECK(unknown > 1000);
  CHECK(messages.size() == table.table.message_count());
}

TEST_CASE("The signals of a drive fit together") {
  const TestTable table{std::string(oem::drive_dbc())};
  std::map<std::string, double> now;
  double odometer_start = 0;
  double metres = 0;
  double fastest = 0;
  double last_speed_time = 0;
  std::set<double> gears;
  size_t wrong = 0;
  oem::drive(lasting(9, 120), [&](const CanFrame& frame) {
    if (!table.knows(frame)) return;
    const auto values = table.decode_physical(frame);
    for (const auto& [name, value] : values) now[name] = value;
    if (values.count("Gear") != 0) gears.insert(values.at("Gear"));
    if (values.count("VehicleSpeed") == 0) return;
    const double time = static_cast<double>(frame.time_ns) * 1e-9;
    if (last_speed_time == 0) {
      odometer_start = now["Odometer"];
    } else {
      metres += now["VehicleSpeed"] / 3.6 * (time - last_speed_time);
    }
    last_speed_time = time;
    fastest = std::max(fastest, now["VehicleSpeed"]);
    const double wheels = (now["WheelSpeedRL"] + now["WheelSpeedRR"]) / 2;
    if (std::fabs(wheels - now["VehicleSpeed"]) > 0.6) ++wrong;
    if (now["BrakePressure"] > 2 && now["AcceleratorPedal"] > 40) ++wrong;
    if (now["EngineSpeed"] > 6500 || now["StateOfCharge"] > 100) ++wrong;
    const bool rolling_in_gear = now["Gear"] > 1 && now["Shifting"] == 0 && now["VehicleSpeed"] > 30;
    if (rolling_in_gear && now["EngineSpeed"] < 900) ++wrong;
  });
  CHECK(wrong == 0);
  CHECK(fastest > 25);
  CHECK(fastest < 140);
  CHECK(gears.size() >= 3);
  CHECK(std::fabs((now["Odometer"] - odometer_start) * 1000 - metres) < 5 + metres * 0.01);
}

TEST_CASE("Frames are written as candump writes them") {
  CanFrame plain = frame(0x7B, {0x01, 0xAB});
  plain.time_ns = 1767225600000042000;
  CHECK(oem::candump_line(plain) == "(1767225600.000042) can0 07B#01AB");
  CanFrame fd = extended_frame(0x18FF0010, {0xFF});
  fd.flags = CanFrame::kExtendedId | CanFrame::kFd | CanFrame::kBitRateSwitch;
  fd.bus = 1;
  CHECK(oem::candump_line(fd) == "(0.000000) can1 18FF0010##1FF");
}
