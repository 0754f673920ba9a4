// SPDX-License-Identifier: Apache-2.0
// The Cortex-M images on their boards, against the real gateway and the real backend.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>

#include "scene.hpp"

namespace mcu_test {

TEST_CASE("mcu: every sample of a drive is opened by the backend's token, once") {
  const Machine machine = GENERATE(kM4, kM7);
  CAPTURE(machine.name);
  Scene scene(machine);
  scene.way().start_backend();
  scene.way().start_gateway();
  const int64_t frames = scene.make_drive(5);
  scene.power_on("bus=recording");
  Process player = scene.mcu().play(scene.drive(), {"--pace", "max"});
  REQUIRE(scene.mcu().says("summary ", 60));
  CHECK(scene.mcu().wait() == 0);
  CAPTURE(scene.mcu().console());

  auto counts = scene.mcu().numbers("summary");
  std::printf("%s: %lld frames, %lld samples, %lld records; stack %lld bytes, mbedTLS %lld bytes at most\n",
              machine.name, static_cast<long long>(counts["frames"]), static_cast<long long>(counts["samples"]),
              static_cast<long long>(counts["records_sealed"]), static_cast<long long>(counts["stack"]),
              static_cast<long long>(counts["arena"]));
  CHECK(counts["frames"] == frames);
  CHECK(counts["frames_dropped"] == 0);
  CHECK(counts["samples_dropped"] == 0);
  const auto cloud = scene.way().backend_stats();
  CHECK(cloud.at("samples") == counts["samples"]);
  CHECK(cloud.at("records_stored") == counts["records_sealed"]);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("alarms") == 0);
  CHECK(cloud.at("refusals") == 0);
}

}  // namespace mcu_test
