// SPDX-License-Identifier: Apache-2.0
#include "drive/drive.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "dbc/parser.hpp"
#include "drive/encoder.hpp"
#include "drive/vehicle.hpp"

namespace wayseal::oem {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr uint8_t kCan0 = 0;
constexpr uint8_t kCan1 = 1;

/// A frame that is sent again and again.
struct Sender {
  int64_t period_us;
  int64_t next_us;
  std::function<CanFrame(int64_t time_ns)> make;
};

class Drive {
 public:
  explicit Drive(const DriveOptions& options)
      : options_(options),
        dbc_(parse_dbc(drive_dbc(), "drive.dbc")),
        vehicle_(options.seed),
        random_(options.seed ^ 0x5EED) {
    add_chassis();
    add_powertrain();
    add_battery();
    add_others();
    add_unknown();
  }

  void run(const std::function<void(const CanFrame&)>& sink) {
    const auto end_us = static_cast<int64_t>(options_.seconds * 1e6);
    for (int64_t now_us = 0; now_us < end_us; now_us += kStepUs) {
      vehicle_.step(static_cast<double>(kStepUs) * 1e-6);
      send_until(std::min(now_us + kStepUs, end_us), sink);
    }
  }

 private:
  static constexpr int64_t kStepUs = 5000;
  using Fill = std::function<void(FrameEncoder&)>;

  const VehicleState& car() const { return vehicle_.state(); }
  double count(unsigned& counter) { return static_cast<double>(counter++ % 16); }

  void add(const std::string& message, uint8_t bus, int64_t period_us, Fill fill) {
    FrameEncoder encoder(dbc_, message, bus);
    add_raw(period_us, [encoder, fill = std::move(fill)](int64_t time_ns) mutable {
      fill(encoder);
      return encoder.take(time_ns);
    });
  }

  void add_raw(int64_t period_us, std::function<CanFrame(int64_t)> make) {
    // Senders start apart from each other, as control units do.
    const auto phase = static_cast<int64_t>(random_.uniform(0, static_cast<double>(period_us)));
    senders_.push_back({period_us, phase, std::move(make)});
  }

  void send_until(int64_t end_us, const std::function<void(const CanFrame&)>& sink) {
    std::vector<CanFrame> frames;
    for (Sender& sender : senders_) {
      for (; sender.next_us < end_us; sender.next_us += sender.period_us) {
        // A bus that is in use delays a frame by up to two others.
        const int64_t late_us =
            std::min(static_cast<int64_t>(random_.uniform(0, 450)), end_us - 1 - sender.next_us);
        frames.push_back(sender.make(options_.start_ns + (sender.next_us + late_us) * 1000));
      }
    }
    std::stable_sort(frames.begin(), frames.end(),
                     [](const CanFrame& a, const CanFrame& b) { return a.time_ns < b.time_ns; });
    for (const CanFrame& frame : frames) sink(frame);
  }

  void add_chassis();
  void add_powertrain();
  void add_battery();
  void add_others();
  void add_radar();
  void add_unknown();

  DriveOptions options_;
  DbcFile dbc_;
  Vehicle vehicle_;
  Random random_;
  std::vector<Sender> senders_;
  unsigned steering_counter_ = 0;
  unsigned brake_counter_ = 0;
  unsigned dynamics_counter_ = 0;
  unsigned gearbox_counter_ = 0;
  unsigned cell_module_ = 0;
};

void Drive::add_chassis() {
  add("WheelSpeeds", kCan0, 10000, [this](FrameEncoder& out) {
    out.set("WheelSpeedFL", vehicle_.wheel_kmh(true, true))
        .set("WheelSpeedFR", vehicle_.wheel_kmh(false, true));
    out.set("WheelSpeedRL", vehicle_.wheel_kmh(true, false))
        .set("WheelSpeedRR", vehicle_.wheel_kmh(false, false));
  });
  add("Steering", kCan0, 10000, [this](FrameEncoder& out) {
    out.set("SteeringAngle", car().steering_deg).set("SteeringRate", car().steering_rate);
    out.set("SteeringTorque", car().lateral * 1.4 + random_.noise(0.08));
    out.set("SteeringCounter", count(steering_counter_));
  });
  add("Brakes", kCan0, 10000, [this](FrameEncoder& out) {
    out.set("BrakePressure", car().brake_bar).set("BrakePedal", car().brake_bar > 0.5 ? 1 : 0);
    out.set("AbsActive", car().abs_active ? 1 : 0).set("ParkingBrake", car().engine_running ? 0 : 1);
    out.set("BrakeTemperature", car().brake_celsius).set("BrakeCounter", count(brake_counter_));
  });
  add("VehicleDynamics", kCan0, 10000, [this](FrameEncoder& out) {
    out.set("AccelerationLong", car().acceleration + random_.noise(0.03));
    out.set("AccelerationLat", car().lateral + random_.noise(0.03));
    out.set("YawRate", car().yaw_rate * 180 / kPi + random_.noise(0.02));
    out.set("DynamicsCounter", count(dynamics_counter_));
  });
  add("Speed", kCan0, 20000, [this](FrameEncoder& out) {
    out.set("VehicleSpeed", car().speed_mps * 3.6).set("Odometer", car().odometer_km);
    const double turn = car().steering_deg > 60 ? 2 : car().steering_deg < -60 ? 1 : 0;
    out.set("DoorOpen", car().time_s < 0.4 ? 1 : 0).set("TurnSignal", turn);
  });
}

void Drive::add_powertrain() {
  add("Engine", kCan0, 10000, [this](FrameEncoder& out) {
    out.set("EngineSpeed", car().engine_rpm + (car().engine_running ? random_.noise(3) : 0));
    out.set("EngineTorque", car().engine_torque).set("AcceleratorPedal", car().pedal);
    out.set("Throttle", car().engine_running ? 4 + 0.92 * car().pedal : 0).set("FuelRate", car().fuel_rate);
    out.set("EngineState", car().engine_running ? 2 : car().engine_rpm > 50 ? 1 : 0);
  });
  add("Gearbox", kCan0, 20000, [this](FrameEncoder& out) {
    out.set("Gear", car().gear).set("TargetGear", car().target_gear);
    out.set("Shifting", car().gear != car().target_gear ? 1 : 0)
        .set("SelectorLever", car().engine_running ? 3 : 0);
    out.set("GearboxTemperature", car().gearbox_celsius).set("GearboxCounter", count(gearbox_counter_));
  });
  add("EngineTemperatures", kCan0, 500000, [this](FrameEncoder& out) {
    out.set("CoolantTemperature", car().coolant_celsius).set("OilTemperature", car().oil_celsius);
    out.set("IntakeTemperature", car().outside_celsius + 6).set("FuelLevel", car().fuel_percent);
    out.set("OilPressure", car().engine_running ? 1.1 + car().engine_rpm / 1400 : 0);
  });
}

void Drive::add_battery() {
  add("BatteryState", kCan1, 10000, [this](FrameEncoder& out) {
    out.set("BatteryVoltage", car().battery_volt + random_.noise(0.01));
    out.set("BatteryCurrent", car().battery_ampere + random_.noise(0.1))
        .set("StateOfCharge", car().soc_percent);
    out.set("Contactor", car().time_s > 0.5 ? 1 : 0).set("BatteryTemperature", car().battery_celsius);
  });
  add("BatteryCells", kCan1, 25000, [this](FrameEncoder& out) {
    const unsigned module = cell_module_++ % 4;
    out.set("CellModule", module);
    for (unsigned i = module * 3; i < module * 3 + 3; ++i) {
      // No two cells are alike, and each keeps its character.
      const double own = 0.004 * std::sin(static_cast<double>(i) * 2.4);
      const std::string name = {
          'C', 'e', 'l', 'l', static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
      out.set(name, car().battery_volt / 12 + own + random_.noise(0.0004));
    }
    out.set("ModuleTemperature" + std::to_string(module), car().battery_celsius + 0.3 * module);
  });
}

void Drive::add_others() {
  add_radar();
  add("Climate", kCan1, 1000000, [this](FrameEncoder& out) {
    out.set("OutsideTemperature", car().outside_celsius + random_.noise(0.05));
    out.set("CabinTemperature", car().cabin_celsius + random_.noise(0.05));
  });
  add("GnssPosition", kCan1, 100000, [this](FrameEncoder& out) {
    out.set("Latitude", car().latitude + random_.noise(4e-6))
        .set("Longitude", car().longitude + random_.noise(6e-6));
  });
  add("GnssMotion", kCan1, 100000, [this](FrameEncoder& out) {
    out.set("GnssSpeed", std::fabs(car().speed_mps + random_.noise(0.04)));
    out.set("GnssHeading", car().heading * 180 / kPi).set("GnssAltitude", car().altitude + random_.noise(0.4));
    out.set("Satellites", 11 + std::round(random_.noise(0.7))).set("GnssFix", car().time_s > 1.5 ? 2 : 0);
  });
}

void Drive::add_radar() {
  add("RadarObjects", kCan1, 20000, [this](FrameEncoder& out) {
    out.set("RadarTimestamp", car().time_s).set("ObjectCount", 4);
    for (int i = 0; i < 4; ++i) {
      // Others come closer and fall back in slow waves.
      const double phase = car().time_s * (0.05 + 0.013 * i) + 1.7 * i;
      const std::string object = "Object" + std::to_string(i);
      out.set(object + "Distance", 25 + 22.0 * i + (12 + 4.0 * i) * std::sin(phase) + random_.noise(0.03));
      out.set(object + "Speed", (12 + 4.0 * i) * (0.05 + 0.013 * i) * std::cos(phase) + random_.noise(0.02));
      out.set(object + "Angle", 6.0 * i - 9 + 2 * std::sin(phase / 3));
    }
  });
}

/// Frames of control units that the DBC does not speak of.
void Drive::add_unknown() {
  static constexpr struct {
    uint32_t id;
    uint8_t bus;
    uint8_t length;
    int64_t period_us;
  } kUnknown[] = {{0x095, kCan0, 8, 10000}, {0x1A4, kCan0, 8, 20000},  {0x2F1, kCan0, 6, 20000},
                  {0x3D2, kCan0, 8, 50000}, {0x541, kCan0, 4, 100000}, {0x17C, kCan1, 8, 10000},
                  {0x4B0, kCan1, 8, 50000}, {0x6E1, kCan1, 2, 200000}};
  for (const auto& unknown : kUnknown) {
    uint64_t content = random_.bits();
    add_raw(unknown.period_us, [this, unknown, content](int64_t time_ns) mutable {
      CanFrame frame;
      frame.time_ns = time_ns;
      frame.id = unknown.id;
      frame.bus = unknown.bus;
      frame.length = unknown.length;
      content += random_.bits() & 0x0000000300000F01ULL;
      uint8_t bytes[8];
      store_le64(bytes, content);
      std::copy_n(bytes, unknown.length, frame.data);
      return frame;
    });
  }
}

}  // namespace

void drive(const DriveOptions& options, const std::function<void(const CanFrame&)>& sink) {
  Drive(options).run(sink);
}

std::string candump_line(const CanFrame& frame) {
  char head[64];
  const auto seconds = static_cast<long long>(frame.time_ns / 1000000000);
  const auto microseconds = static_cast<long long>(frame.time_ns / 1000 % 1000000);
  std::snprintf(head, sizeof head, frame.extended() ? "(%lld.%06lld) can%u %08X#" : "(%lld.%06lld) can%u %03X#",
                seconds, microseconds, unsigned{frame.bus}, static_cast<unsigned>(frame.id));
  std::string line = head;
  if (frame.fd()) {
    line += '#';
    line += (frame.flags & CanFrame::kBitRateSwitch) != 0 ? '1' : '0';
  }
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < frame.length; ++i) {
    line += kDigits[frame.data[i] >> 4];
    line += kDigits[frame.data[i] & 15];
  }
  return line;
}

}  // namespace wayseal::oem
