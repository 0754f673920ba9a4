// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <stdexcept>

namespace mcu_test {
namespace {

const char* const kVehicle = "mcu-1";

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
  mcu_.provision(way_.path("fleet"), kVehicle);
}

int64_t Scene::make_drive(int seconds, int seed) {
  require_run({WAYSEAL_OEM, "drive", "--seed", std::to_string(seed), "--seconds", std::to_string(seconds), "-o",
               drive(), "--dbc", way_.path("drive.dbc")});
  const std::string log = cloud_test::slurp(drive());
  return std::count(log.begin(), log.end(), '\n');
}

void Scene::power_on(const std::string& words, const char* program) {
  mcu_.power_on(words + " mode=deliver address=10.0.2.2 name=localhost back_off_ms=1000 port=" +
                    std::to_string(way_.port()),
                program);
}

void Scene::start_foreign_gateway(Foreign what) {
  namespace fs = std::filesystem;
  const std::string pki = way_.path("foreign-gateway");
  if (!fs::exists(way_.path("foreign"))) {
    require_run({WAYSEAL_OEM, "provision", "--out", way_.path("foreign")});
  }
  fs::remove_all(pki);
  fs::copy(way_.path("fleet/gateway"), pki);
  const auto take = [&](const char* file) {
    fs::copy_file(way_.path("foreign/gateway/") + file, pki + "/" + file, fs::copy_options::overwrite_existing);
  };
  if (what == Foreign::kServer) {
    take("server.pem");
  } else {
    take("vehicle-ca.pem");
    take("vehicle-crl.pem");
  }
  foreign_gateway_.stop(9);
  foreign_gateway_ = Process({"/usr/bin/env", "WAYSEAL_GATEWAY_BIND=127.0.0.1:" + std::to_string(way_.port()),
                              "WAYSEAL_GATEWAY_PKI=" + pki, "WAYSEAL_BACKEND_SOCKET=" + way_.backend_socket(),
                              WAYSEAL_HAPROXY, "-db", "-f", WAYSEAL_GATEWAY_CONFIG},
                             way_.path("foreign-gateway.out"));
}

void Scene::revoke() {
  require_run({WAYSEAL_OEM, "revoke", "--out", way_.path("fleet"), "--vehicle", kVehicle});
}

}  // namespace mcu_test
