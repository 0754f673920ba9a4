// SPDX-License-Identifier: Apache-2.0
// Power cuts at any moment: the emulator is killed, and starts again on the same flash. WAYSEAL_MCU_CUTS sets how many,
// WAYSEAL_MCU_SEED which.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "scene.hpp"

namespace mcu_test {
namespace {

int64_t from_environment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

}  // namespace

TEST_CASE("mcu: what was sealed and stored before a power cut arrives, once, and nothing is missing between") {
  constexpr int64_t kCuts = 6;
  const int64_t cuts = from_environment("WAYSEAL_MCU_CUTS", kCuts);
  const int64_t seed = from_environment("WAYSEAL_MCU_SEED", 1);
  std::mt19937 random(static_cast<unsigned>(seed));
  Scene scene(board_of_run());
  scene.make_drive(10);
  scene.way().start_backend();
  scene.way().start_gateway();
  Mcu& mcu = scene.mcu();

  // As the line before the last one of each start says: by the last one, 20 ms later, they have been synced. Later ones may
  // be stored as well.
  int64_t sealed = 0;
  for (int64_t cut = 0; cut < cuts; ++cut) {
    scene.power_on("bus=recording batch_ms=100 status_ms=20 sync_ms=5");
    Process player = mcu.play(scene.drive(), {"--pace", "max"});
    // The moment is what is tested: no condition is waited for.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    mcu.power_off();
    CAPTURE(cut, mcu.console());
    REQUIRE(mcu.console().find("fault") == std::string::npos);
    sealed += mcu.numbers("status", 1)["records_sealed"];
  }

  scene.make_drive(1);
  scene.power_on("bus=recording");
  Process player = mcu.play(scene.drive(), {"--pace", "max"});
  REQUIRE(mcu.says("summary ", 60));
  CHECK(mcu.wait() == 0);
  CAPTURE(mcu.console(), seed);
  sealed += mcu.numbers("summary")["records_sealed"];
  const auto cloud = scene.way().backend_stats();
  std::printf("%s, %lld power cuts: %lld records sealed at least, %lld stored, %lld came again\n",
              board_of_run().name, static_cast<long long>(cuts), static_cast<long long>(sealed),
              static_cast<long long>(cloud.at("records_stored").get<int64_t>()),
              static_cast<long long>(cloud.at("duplicates").get<int64_t>()));
  CHECK(cloud.at("records_stored").get<int64_t>() >= sealed);
  CHECK(cloud.at("records_lost") == 0);
  CHECK(cloud.at("alarms") == 0);
  // Each session's numbers are there without a gap, and its successor says the same of its end.
  CHECK(scene.way().query("SELECT COUNT(*) FROM (SELECT COUNT(*) AS n, MAX(sequence) AS last FROM records "
                          "GROUP BY session) WHERE n != last") == "0\n");
  CHECK(scene.way().query("SELECT COUNT(*) FROM sessions s WHERE last_durable > "
                          "(SELECT COALESCE(MAX(sequence), 0) FROM records r WHERE r.session = s.id)") ==
        "0\n");
}

}  // namespace mcu_test
