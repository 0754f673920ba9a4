// SPDX-License-Identifier: Apache-2.0
// The board's clock while the emulator's threads have to wait for a processor: it may lose time, and never steps back.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>

#include "mcu.hpp"

namespace mcu_test {

TEST_CASE("mcu: the clock never steps back, also on a busy machine") {
  const Machine machine = GENERATE(kM4, kM7);
  CAPTURE(machine.name);
  constexpr int kAtOnce = 12;  // more than there are processors
  const cloud_test::TemporaryFolder folders[kAtOnce];
  std::vector<std::unique_ptr<Mcu>> mcus;
  for (const cloud_test::TemporaryFolder& folder : folders) {
    mcus.push_back(std::make_unique<Mcu>(machine, folder.path()));
    mcus.back()->power_on("time", kBoardCheck);
  }
  for (const auto& mcu : mcus) {
    const int code = mcu->wait();
    CAPTURE(mcu->console());
    CHECK(code == 0);
  }
}

}  // namespace mcu_test
