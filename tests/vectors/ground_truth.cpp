// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <sstream>

#include "decoding.hpp"
#include "suites.hpp"

namespace wayseal::vectors {

namespace {

/// Rows of numbers after a time, which is kept as text: both files have it from the same clock, to the
/// microsecond.
std::map<std::string, std::vector<double>> read_csv(const std::string& path) {
  std::map<std::string, std::vector<double>> rows;
  for (const std::string& line : read_lines(path)) {
    std::istringstream in(line);
    std::string time;
    std::getline(in, time, ',');
    for (std::string cell; std::getline(in, cell, ',');) rows[time].push_back(std::stod(cell));
  }
  return rows;
}

/// The truth is written with six decimals.
bool close_to_six(double a, double b) { return std::fabs(a - b) <= 1e-6; }

class Rav4 {
 public:
  explicit Rav4(const std::string& folder)
      : dbc_(folder + "/dbc/toyota_new_mc_pt_generated.dbc"),
        wheels_(read_csv(folder + "/can_logs/comma2k19_rav4_a.gt_wheel_speed.csv")),
        steering_(read_csv(folder + "/can_logs/comma2k19_rav4_a.gt_steering_angle.csv")) {}

  void check(const std::string& line, Tally& tally) {
    CanFrame frame;
    std::string bus;
    if (!parse_candump(line, frame, bus) || bus != "can0") return;
    DecodedFrame got;
    if (dbc_.decode(frame, got) != Status::kOk) return;
    const std::string time = line.substr(1, line.find(')') - 1);
    if (got.message == "WHEEL_SPEEDS") check_wheels(time, got, tally);
    if (got.message == "STEER_ANGLE_SENSOR") check_steering(time, got, tally);
  }

  /// Rows of the truth that met no frame.
  void check_complete(Tally& tally) const {
    tally.skip("wheel speeds at a time that is not in the log", wheels_.size());
    tally.skip("steering angles at a time that is not in the log", steering_.size());
  }

 private:
  void check_wheels(const std::string& time, const DecodedFrame& got, Tally& tally) {
    const auto row = wheels_.find(time);
    if (row == wheels_.end()) return;
    static constexpr const char* kNames[] = {"WHEEL_SPEED_FL", "WHEEL_SPEED_FR", "WHEEL_SPEED_RL",
                                             "WHEEL_SPEED_RR"};
    for (size_t i = 0; i < 4; ++i) {
      const double metres = got.signals.at(kNames[i]).physical / 3.6;
      const bool good = close_to_six(metres, row->second.at(i));
      good ? tally.pass() : tally.fail(time, std::string(kNames[i]) + " is " + std::to_string(metres) + " m/s");
    }
    wheels_.erase(row);
  }

  void check_steering(const std::string& time, const DecodedFrame& got, Tally& tally) {
    const auto row = steering_.find(time);
    if (row == steering_.end()) return;
    const double angle = got.signals.at("STEER_ANGLE").physical + got.signals.at("STEER_FRACTION").physical;
    const bool good = close_to_six(angle, row->second.at(0));
    good ? tally.pass() : tally.fail(time, "the steering angle is " + std::to_string(angle) + " degrees");
    steering_.erase(row);
  }

  LoadedDbc dbc_;
  std::map<std::string, std::vector<double>> wheels_;
  std::map<std::string, std::vector<double>> steering_;
};

}  // namespace

Tally run_rav4_ground_truth(const std::string& folder) {
  Tally tally("ground truth of the RAV4 log");
  Rav4 rav4(folder);
  for (const std::string& line : read_lines(folder + "/can_logs/comma2k19_rav4_a.log.xz"))
    rav4.check(line, tally);
  rav4.check_complete(tally);
  tally.print();
  return tally;
}

}  // namespace wayseal::vectors
