// SPDX-License-Identifier: Apache-2.0
// A provisioned device and its cloud, whose token is NSS softoken because the device's suite is 1.
#ifndef WAYSEAL_TESTS_MCU_SCENE_HPP
#define WAYSEAL_TESTS_MCU_SCENE_HPP

#include "mcu.hpp"

namespace mcu_test {

class Scene {
 public:
  /// Skips the test when NSS softoken is missing. Neither backend nor gateway run yet.
  explicit Scene(const Machine& machine);

  Way& way() { return way_; }
  Mcu& mcu() { return mcu_; }

  /// Writes a drive of so many seconds. \return its frames.
  int64_t make_drive(int seconds, int seed = 1);
  std::string drive() const { return way_.path("drive.log"); }

  /// The image that delivers, to the way's gateway; later words go before earlier ones.
  void power_on(const std::string& words = "") { power_on_to(way_.port(), words); }
  void power_on_to(int port, const std::string& words);

 private:
  Way way_;
  Mcu mcu_;
};

}  // namespace mcu_test

#endif
