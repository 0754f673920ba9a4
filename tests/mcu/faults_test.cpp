// SPDX-License-Identifier: Apache-2.0
// What goes wrong on the road: the image names it as the Linux agent does, goes on, and delivers when it is mended.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>

#include "scene.hpp"

namespace mcu_test {
namespace {

constexpr int kSeconds = 1;

std::string failure(const char* channel, const char* status) {
  return std::string("failure channel=") + channel + " status=" + status;
}

void check_delivered(Scene& scene) {
  REQUIRE(scene.mcu().says("summary ", 60));
  CHECK(scene.mcu().wait() == 0);
  auto counts = scene.mcu().numbers("summary");
  const auto cloud = scene.way().backend_stats();
  CHECK(counts["samples_dropped"] == 0);
  CHECK(cloud.at("samples") == counts["samples"]);
  CHECK(cloud.at("records_stored") == counts["records_sealed"]);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("alarms") == 0);
}

}  // namespace

TEST_CASE("mcu: wrong gateways are named as on Linux, and the image goes on until the right one comes") {
  Scene scene(board_of_run());
  scene.make_drive(kSeconds);
  scene.way().start_backend();
  Mcu& mcu = scene.mcu();

  scene.way().start_gateway();
  scene.power_on("name=another.example");
  CHECK(mcu.says(failure("server-wrong-name", "not-authentic")));
  mcu.power_off();
  scene.way().gateway().stop(9);

  scene.power_on("bus=recording");
  Process player = mcu.play(scene.drive(), {"--pace", "max"});
  CHECK(mcu.says(failure("unreachable", "disconnected")));
  scene.start_foreign_gateway(Foreign::kServer);
  CHECK(mcu.says(failure("server-untrusted", "not-authentic")));
  scene.start_foreign_gateway(Foreign::kVehicleAuthority);
  CHECK(mcu.says(failure("client-certificate-refused", "refused")));
  CAPTURE(mcu.console());
  scene.stop_foreign_gateway();
  scene.way().start_gateway();
  check_delivered(scene);
}

TEST_CASE("mcu: a revoked vehicle is refused, and says so for as long as it runs") {
  Scene scene(board_of_run());
  scene.way().start_backend();
  scene.revoke();
  scene.way().start_gateway();
  scene.power_on();
  CHECK(scene.mcu().says(failure("client-certificate-refused", "refused")));
  CAPTURE(scene.mcu().console());
  CHECK(scene.way().backend_stats().at("records_stored") == 0);
  CHECK(scene.mcu().running());
}

TEST_CASE("mcu: a pulled cable costs time and nothing else") {
  Scene scene(board_of_run());
  const int64_t frames = scene.make_drive(6);
  scene.way().start_backend();
  scene.way().start_gateway();
  Mcu& mcu = scene.mcu();
  scene.power_on("bus=recording patience_ms=1500 status_ms=50");
  Process player = mcu.play(scene.drive(), {"--pace", "real"});
  REQUIRE(mcu.says("connections=2"));  // the first one was for prekeys and the time
  mcu.cable(false);
  const bool said = mcu.says(failure("unreachable", "disconnected"));
  CAPTURE(mcu.console());
  REQUIRE(said);
  CHECK(mcu.running());
  mcu.cable(true);
  check_delivered(scene);
  CHECK(mcu.numbers("summary")["frames"] == frames);
}

TEST_CASE("mcu: a full flash gives up the oldest records, and says which to the backend") {
  Scene scene(board_of_run());
  scene.make_drive(2);
  scene.way().start_backend();
  scene.way().start_gateway();
  Mcu& mcu = scene.mcu();
  scene.power_on("bus=recording spool_sectors=8 status_ms=20");
  Process player = mcu.play(scene.drive(), {"--pace", "max", "--no-end"});
  // It has a prekey then, and does not need another one for what follows.
  REQUIRE(cloud_test::eventually([&] { return mcu.numbers("status")["records_sealed"] > 0; }));
  CHECK(player.wait() == 0);
  scene.way().gateway().stop(9);
  scene.make_drive(14);
  player = mcu.play(scene.drive(), {"--pace", "max", "--no-end"});
  REQUIRE(cloud_test::eventually([&] { return mcu.numbers("status")["records_evicted"] > 5; }, 60));
  CHECK(player.wait() == 0);
  scene.way().start_gateway();
  const bool told = cloud_test::eventually(
      [&] {
        auto counts = mcu.numbers("status");
        if (counts["records_waiting"] != 0) return false;
        const auto cloud = scene.way().backend_stats();
        return cloud.at("records_lost") == counts["records_evicted"] &&
               cloud.at("records_stored").get<int64_t>() + counts["records_evicted"] ==
                   counts["records_sealed"];
      },
      60);
  CAPTURE(mcu.console().substr(mcu.console().size() > 2000 ? mcu.console().size() - 2000 : 0),
          scene.way().backend_stats().dump());
  CHECK(told);
  CHECK(mcu.running());
  CHECK(scene.way().backend_stats().at("alarms") == 0);
}

TEST_CASE("mcu: a flood of frames costs frames, which are counted, and not the image") {
  Scene scene(board_of_run());
  const int64_t frames = scene.make_drive(2);
  constexpr int64_t kFlood = 20'000;
  scene.way().start_backend();
  scene.way().start_gateway();
  Mcu& mcu = scene.mcu();
  scene.power_on("bus=live");
  REQUIRE(mcu.says("connections=1"));
  Process player = mcu.play(scene.drive(), {"--pace", "max", "--at", "100:flood=" + std::to_string(kFlood)});
  REQUIRE(mcu.says("summary ", 60));
  CHECK(mcu.wait() == 0);
  auto counts = mcu.numbers("summary");
  CAPTURE(mcu.console());
  std::printf("flood: %lld frames taken, %lld dropped and counted\n", static_cast<long long>(counts["frames"]),
              static_cast<long long>(counts["frames_dropped"]));
  CHECK(counts["frames"] + counts["frames_dropped"] == frames + kFlood);
  const auto cloud = scene.way().backend_stats();
  CHECK(cloud.at("samples") == counts["samples"]);
  CHECK(cloud.at("records_stored") == counts["records_sealed"]);
}

}  // namespace mcu_test
