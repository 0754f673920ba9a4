// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

namespace mcu_test {
namespace {

void need_nss() {
  const std::string missing = agent_test::nss_missing();
  if (!missing.empty()) SKIP(missing);
}

std::string drive_dbc() {
  need_nss();
  return cloud_test::slurp(WAYSEAL_MCU_DBC);
}

void require_run(const std::vector<std::string>& command) {
  const auto output = cloud_test::run(command);
  if (output.code != 0) throw std::runtime_error(command[0] + ": " + output.text);
}

}  // namespace

Scene::Scene(const Machine& machine) : way_(drive_dbc()), mcu_(machine, way_.path("")) {
  way_.use_nss_backend();
  require_run({WAYSEAL_BACKEND, "table", "add", table_of_images(), "--config",
               way_.path("fleet/backend/backend.json")});
  mcu_.provision(way_.path("fleet"), "mcu-1");
}

int64_t Scene::make_drive(int seconds, int seed) {
  require_run({WAYSEAL_OEM, "drive", "--seed", std::to_string(seed), "--seconds", std::to_string(seconds), "-o",
               drive(), "--dbc", way_.path("drive.dbc")});
  const std::string log = cloud_test::slurp(drive());
  return std::count(log.begin(), log.end(), '\n');
}

void Scene::power_on_to(int port, const std::string& words) {
  mcu_.power_on(words +
                " mode=deliver address=10.0.2.2 name=localhost back_off_ms=1000 port=" + std::to_string(port));
}

}  // namespace mcu_test
