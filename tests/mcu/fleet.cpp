// SPDX-License-Identifier: Apache-2.0
// wayseal-mcu-fleet FLEET FOLDER: gives a fleet made by `wayseal-oem provision` a backend token in NSS softoken,
// in a new folder. Devices with PSA Crypto have suite 1, which SoftHSM2 cannot do.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "nss_tokens.hpp"
#include "process.hpp"

namespace {

void use_nss(const std::string& fleet, const std::string& folder) {
  const std::string file = fleet + "/backend/backend.json";
  const agent_test::TokenPlace token = agent_test::make_nss_backend(folder, fleet + "/ca");
  auto config = nlohmann::json::parse(cloud_test::slurp(file));
  config["module"] = token.module;
  config["module_args"] = token.module_args;
  config["pin_file"] = token.pin_file;
  cloud_test::spill(file, config.dump(2));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: wayseal-mcu-fleet FLEET NEW_FOLDER (both absolute)\n";
    return 2;
  }
  try {
    const std::string missing = agent_test::nss_missing();
    if (!missing.empty()) throw std::runtime_error(missing);
    use_nss(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-mcu-fleet: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
