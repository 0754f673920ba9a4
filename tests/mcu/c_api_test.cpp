// SPDX-License-Identifier: Apache-2.0
// The firmware in C, by include/wayseal/wayseal.h: what it seals waits in its flash, and arrives.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>

#include "scene.hpp"

namespace mcu_test {

TEST_CASE("mcu: the firmware in C seals into its spool, and delivers when there is a gateway") {
  Scene scene(kM4);
  scene.make_drive(2);
  scene.way().start_backend();
  scene.way().start_gateway();
  Mcu& mcu = scene.mcu();
  scene.power_on("status_ms=20", kFirmwareInC);
  Process player = mcu.play(scene.drive(), {"--pace", "max", "--no-end"});
  // It has a prekey then, and does not need another one for what follows.
  REQUIRE(cloud_test::eventually([&] { return mcu.numbers("status")["records_sealed"] > 0; }));
  CHECK(player.wait() == 0);
  scene.way().gateway().stop(9);
  scene.make_drive(3);
  player = mcu.play(scene.drive(), {"--pace", "max"});
  const bool waits = cloud_test::eventually([&] { return mcu.numbers("status")["records_waiting"] > 3; });
  CAPTURE(mcu.console());
  REQUIRE(waits);
  scene.way().start_gateway();
  REQUIRE(mcu.says("summary ", 60));
  CHECK(mcu.wait() == 0);
  auto counts = mcu.numbers("summary");
  std::printf("in C: %lld samples, %lld records; stack %lld bytes\n", static_cast<long long>(counts["samples"]),
              static_cast<long long>(counts["records_sealed"]), static_cast<long long>(counts["stack"]));
  CHECK(counts["samples_dropped"] == 0);
  CHECK(counts["records_waiting"] == 0);
  const auto cloud = scene.way().backend_stats();
  CHECK(cloud.at("samples") == counts["samples"]);
  CHECK(cloud.at("records_stored") == counts["records_sealed"]);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("alarms") == 0);
}

}  // namespace mcu_test
