// SPDX-License-Identifier: Apache-2.0
// A provisioned device and its cloud, whose token is NSS softoken because the device's suite is 1.
#ifndef WAYSEAL_TESTS_MCU_SCENE_HPP
#define WAYSEAL_TESTS_MCU_SCENE_HPP

#include "mcu.hpp"

namespace mcu_test {

/// What is not the fleet's own in a gateway.
enum class Foreign : uint8_t {
  kServer,            ///< Its certificate is under another authority.
  kVehicleAuthority,  ///< It takes another fleet's vehicles.
};

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
  void power_on(const std::string& words = "", const char* program = kFirmware);

  /// In the place of the way's own gateway, which must not run, or of another foreign one.
  void start_foreign_gateway(Foreign what);
  void stop_foreign_gateway() { foreign_gateway_.stop(9); }

  /// The device's certificates, before the gateway starts.
  void revoke();

 private:
  Way way_;
  Mcu mcu_;
  Process foreign_gateway_;
};

}  // namespace mcu_test

#endif
