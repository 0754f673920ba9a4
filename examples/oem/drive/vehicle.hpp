// SPDX-License-Identifier: Apache-2.0
/// \file
/// A car that does not exist, driving: enough physics for its signals to fit together.
#ifndef WAYSEAL_OEM_DRIVE_VEHICLE_HPP
#define WAYSEAL_OEM_DRIVE_VEHICLE_HPP

#include <cstdint>

namespace wayseal::oem {

/// Random numbers that are the same with every standard library. SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits();
  /// Evenly from low to high.
  double uniform(double low, double high);
  /// Roughly normal, with this standard deviation around 0.
  double noise(double deviation);

 private:
  uint64_t state_;
};

/// Everything that the car's sensors could tell, in the units of drive.dbc.
struct VehicleState {
  double time_s = 0;
  double speed_mps = 0;
  double acceleration = 0;  ///< m/s2
  double lateral = 0;       ///< m/s2
  double yaw_rate = 0;      ///< rad/s
  double steering_deg = 0;
  double steering_rate = 0;  ///< deg/s
  int gear = 0;              ///< 0: neutral, 1 to 6
  int target_gear = 0;
  double engine_rpm = 0;
  double engine_torque = 0;  ///< Nm
  double pedal = 0;          ///< %
  double brake_bar = 0;
  double brake_celsius = 20;
  bool abs_active = false;
  double fuel_rate = 0;  ///< l/h
  double fuel_percent = 62;
  double coolant_celsius = 14;
  double oil_celsius = 14;
  double gearbox_celsius = 14;
  double outside_celsius = 14;
  double cabin_celsius = 15;
  double battery_volt = 48;
  double battery_ampere = 0;  ///< Positive: charging.
  double soc_percent = 64;
  double battery_celsius = 16;
  double odometer_km = 12345;
  double heading = 0;  ///< rad, clockwise from north
  double latitude = 52.0;
  double longitude = 10.0;
  double altitude = 80;
  bool engine_running = false;
};

/// Driver, car and road, moved on in small steps.
class Vehicle {
 public:
  explicit Vehicle(uint64_t seed);
  /// Moves on by `dt` seconds, at most 0.02.
  void step(double dt);
  const VehicleState& state() const { return s_; }
  double wheel_kmh(bool left, bool front) const;

 private:
  enum class Phase { kStandstill, kDrive };

  void choose_phase();
  double demanded_acceleration();
  void shift(double dt);
  void move(double demanded, double dt);
  void steer(double dt);
  void power(double dt);
  void warm(double dt);
  double gear_ratio() const;

  Random random_;
  VehicleState s_;
  Phase phase_ = Phase::kStandstill;
  double phase_end_s_ = 2;
  double target_mps_ = 0;
  double shift_left_s_ = 0;
  double curvature_ = 0;  ///< 1/m
  double target_curvature_ = 0;
  double curve_end_s_ = 0;
  double slope_ = 0;
};

}  // namespace wayseal::oem

#endif
