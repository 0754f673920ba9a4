// SPDX-License-Identifier: Apache-2.0
#include "drive/vehicle.hpp"

#include <algorithm>
#include <cmath>

namespace wayseal::oem {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kMass = 1450;         // kg
constexpr double kWheelRadius = 0.31;  // m
constexpr double kTrack = 1.55;        // m
constexpr double kWheelbase = 2.65;    // m
constexpr double kSteeringRatio = 15.5;
constexpr double kFinalDrive = 3.9;
constexpr double kRatios[7] = {0, 3.6, 2.1, 1.4, 1.03, 0.82, 0.68};
constexpr double kIdleRpm = 780;
constexpr double kShiftTime = 0.35;      // s
constexpr double kBatteryCapacity = 20;  // Ah
constexpr double kMetresPerDegree = 111320;
constexpr double kGravity = 9.81;

double approach(double value, double target, double time_constant, double dt) {
  return value + (target - value) * std::min(1.0, dt / time_constant);
}

}  // namespace

uint64_t Random::bits() {
  state_ += 0x9E3779B97F4A7C15ULL;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

double Random::uniform(double low, double high) {
  return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
}

double Random::noise(double deviation) {
  // Four even numbers come close enough to a normal one; each has a variance of 1/12.
  const double sum = uniform(-0.5, 0.5) + uniform(-0.5, 0.5) + uniform(-0.5, 0.5) + uniform(-0.5, 0.5);
  return sum * std::sqrt(3.0) * deviation;
}

Vehicle::Vehicle(uint64_t seed) : random_(seed) {
  s_.heading = random_.uniform(0, 2 * kPi);
  s_.latitude += random_.uniform(-0.5, 0.5);
  s_.longitude += random_.uniform(-0.5, 0.5);
  s_.odometer_km = std::floor(random_.uniform(2000, 90000));
  s_.soc_percent = random_.uniform(45, 75);
  s_.outside_celsius = random_.uniform(-5, 28);
  s_.coolant_celsius = s_.oil_celsius = s_.gearbox_celsius = s_.battery_celsius = s_.brake_celsius =
      s_.outside_celsius;
  s_.cabin_celsius = s_.outside_celsius + 2;
  s_.fuel_percent = random_.uniform(30, 95);
  phase_end_s_ = random_.uniform(1, 3);
}

double Vehicle::gear_ratio() const { return kRatios[s_.gear] * kFinalDrive; }

/// A journey is a row of stretches, each with a speed to reach, and stops between them.
void Vehicle::choose_phase() {
  if (s_.time_s < phase_end_s_) return;
  const bool standing = phase_ == Phase::kStandstill;
  if (!standing && random_.uniform(0, 1) < 0.3) {
    target_mps_ = 0;
    phase_ = Phase::kStandstill;
    phase_end_s_ = s_.time_s + s_.speed_mps / 1.8 + random_.uniform(3, 12);
    return;
  }
  static constexpr double kSpeedsKmh[] = {30, 50, 50, 70, 70, 100, 100, 120};
  target_mps_ = kSpeedsKmh[random_.bits() % 8] / 3.6 * random_.uniform(0.94, 1.03);
  phase_ = Phase::kDrive;
  phase_end_s_ = s_.time_s + random_.uniform(12, 40);
  slope_ = random_.uniform(-0.02, 0.02);
}

double Vehicle::demanded_acceleration() {
  const double difference = target_mps_ - s_.speed_mps;
  const double limit = difference > 0 ? 2.6 - 0.045 * s_.speed_mps : 2.4;
  // Slow down gently at the end of braking, as drivers do.
  const double gain = target_mps_ == 0 && s_.speed_mps < 3 ? 0.7 : 0.45;
  return std::clamp(gain * difference, -limit, limit);
}

void Vehicle::shift(double dt) {
  if (shift_left_s_ > 0) {
    shift_left_s_ -= dt;
    if (shift_left_s_ <= 0) s_.gear = s_.target_gear;
    return;
  }
  if (!s_.engine_running) return;
  if (s_.gear == 0) {
    s_.target_gear = 1;
  } else {
    const double rpm = s_.speed_mps / (2 * kPi * kWheelRadius) * gear_ratio() * 60;
    const double up_at = 1900 + 22 * s_.pedal;
    if (rpm > up_at && s_.gear < 6) s_.target_gear = s_.gear + 1;
    if (rpm < 1150 && s_.gear > 1) s_.target_gear = s_.gear - 1;
  }
  if (s_.target_gear != s_.gear) shift_left_s_ = kShiftTime;
}

void Vehicle::move(double demanded, double dt) {
  const double resistance = 0.35 * s_.speed_mps * s_.speed_mps +
                            (s_.speed_mps > 0.05 ? 0.012 * kMass * kGravity : 0) + kMass * kGravity * slope_;
  const bool coupled = shift_left_s_ <= 0 && s_.gear > 0;
  double wheel_force = kMass * demanded + resistance;
  const double engine_brake = coupled ? -25.0 * gear_ratio() / kWheelRadius : 0;
  const double engine_limit = coupled ? 240.0 * gear_ratio() / kWheelRadius : 0;
  const double brake_force = std::max(0.0, engine_brake - wheel_force);
  wheel_force = std::clamp(wheel_force, engine_brake, engine_limit);
  const bool pressing = brake_force > 150 || (s_.speed_mps < 0.05 && target_mps_ == 0);
  const double bar = !pressing ? 0 : s_.speed_mps < 0.05 ? 14 : brake_force / 125;
  s_.brake_bar = approach(s_.brake_bar, bar, 0.08, dt);
  double acceleration = (wheel_force - s_.brake_bar * 125 - resistance) / kMass;
  if (s_.speed_mps + acceleration * dt <= 0) acceleration = -s_.speed_mps / dt;
  s_.acceleration = approach(s_.acceleration, acceleration, 0.06, dt);
  s_.speed_mps = std::max(0.0, s_.speed_mps + acceleration * dt);
  if (s_.speed_mps < 0.02 && target_mps_ == 0) s_.speed_mps = 0;
  s_.engine_torque = coupled ? wheel_force * kWheelRadius / gear_ratio() : 0;
  s_.pedal = approach(s_.pedal, std::clamp(s_.engine_torque / 2.4, 0.0, 100.0), 0.12, dt);
  s_.abs_active = s_.brake_bar > 28 && s_.speed_mps > 5;
  s_.odometer_km += s_.speed_mps * dt / 1000;
}

void Vehicle::steer(double dt) {
  if (s_.time_s >= curve_end_s_) {
    const bool straight = random_.uniform(0, 1) < 0.4;
    // No faster through a bend than is comfortable: v squared times curvature below 2.5 m/s2.
    const double most = std::min(0.04, 2.5 / std::max(25.0, s_.speed_mps * s_.speed_mps));
    target_curvature_ = straight ? 0 : random_.uniform(-most, most);
    curve_end_s_ = s_.time_s + random_.uniform(2, 9);
  }
  if (s_.speed_mps > 0.5) {
    const double most = 3.0 / std::max(10.0, s_.speed_mps * s_.speed_mps);
    curvature_ = approach(curvature_, std::clamp(target_curvature_, -most, most), 0.9, dt);
  }
  const double angle = std::atan(curvature_ * kWheelbase) * kSteeringRatio * 180 / kPi;
  s_.steering_rate = (angle - s_.steering_deg) / dt;
  s_.steering_deg = angle;
  s_.yaw_rate = s_.speed_mps * curvature_;
  s_.lateral = s_.speed_mps * s_.yaw_rate;
  s_.heading = std::fmod(s_.heading + s_.yaw_rate * dt + 2 * kPi, 2 * kPi);
  s_.latitude += s_.speed_mps * std::cos(s_.heading) * dt / kMetresPerDegree;
  s_.longitude +=
      s_.speed_mps * std::sin(s_.heading) * dt / (kMetresPerDegree * std::cos(s_.latitude * kPi / 180));
  s_.altitude += s_.speed_mps * slope_ * dt;
}

void Vehicle::power(double dt) {
  s_.engine_running = s_.time_s > 0.8;
  const double wheel_rpm = s_.speed_mps / (2 * kPi * kWheelRadius) * 60;
  const double coupled_rpm = s_.gear > 0 ? wheel_rpm * gear_ratio() : 0;
  const double target = s_.engine_running ? std::max(kIdleRpm, coupled_rpm) : 0;
  s_.engine_rpm = approach(s_.engine_rpm, target, shift_left_s_ > 0 ? 0.15 : 0.05, dt);
  const double kilowatt = std::max(0.0, s_.engine_torque) * s_.engine_rpm * 2 * kPi / 60 / 1000;
  s_.fuel_rate = s_.engine_running ? 0.6 + kilowatt * 0.27 : 0;
  s_.fuel_percent = std::max(0.0, s_.fuel_percent - s_.fuel_rate * dt / 3600 / 45 * 100);
  // The belt machine recuperates up to 10 kW while braking, helps a little when the pedal is pressed hard.
  double current = -8;
  if (s_.brake_bar > 1 && s_.speed_mps > 3) current = std::min(200.0, s_.brake_bar * 9);
  if (s_.pedal > 60) current = -1.5 * s_.pedal;
  if (s_.soc_percent < 35 && s_.engine_running && s_.pedal < 60) current = 40;
  s_.battery_ampere = approach(s_.battery_ampere, current, 0.2, dt);
  s_.soc_percent =
      std::clamp(s_.soc_percent + s_.battery_ampere * dt / 3600 / kBatteryCapacity * 100, 5.0, 95.0);
  s_.battery_volt = 44.5 + 0.075 * s_.soc_percent + 0.012 * s_.battery_ampere;
}

void Vehicle::warm(double dt) {
  const double load = s_.fuel_rate / 10;
  if (s_.engine_running) s_.coolant_celsius = approach(s_.coolant_celsius, 90 + load, 220 / (0.5 + load), dt);
  s_.oil_celsius = approach(s_.oil_celsius, s_.coolant_celsius + 4 * load, 160, dt);
  s_.gearbox_celsius = approach(s_.gearbox_celsius, s_.oil_celsius - 8, 300, dt);
  s_.cabin_celsius = approach(s_.cabin_celsius, 21.5, 240, dt);
  const double braking = s_.brake_bar * s_.speed_mps * 125;
  s_.brake_celsius += (braking * 0.9 / 14000 - (s_.brake_celsius - s_.outside_celsius) * 0.004) * dt;
  s_.battery_celsius +=
      (s_.battery_ampere * s_.battery_ampere * 2e-6 - (s_.battery_celsius - s_.outside_celsius) * 4e-4) * dt;
}

void Vehicle::step(double dt) {
  s_.time_s += dt;
  choose_phase();
  shift(dt);
  move(s_.engine_running ? demanded_acceleration() : 0, dt);
  steer(dt);
  power(dt);
  warm(dt);
}

double Vehicle::wheel_kmh(bool left, bool front) const {
  // In a bend the outer wheels are faster; the front ones roll along the wider circle.
  const double side = (left ? 0.5 : -0.5) * kTrack * s_.yaw_rate;
  const double ahead = front ? std::hypot(s_.speed_mps + side, kWheelbase * s_.yaw_rate) : s_.speed_mps + side;
  return std::max(0.0, ahead) * 3.6;
}

}  // namespace wayseal::oem
