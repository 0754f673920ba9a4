// SPDX-License-Identifier: Apache-2.0
// wayseal-vectors: runs test vectors that others made, from files.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "suites.hpp"
#ifdef WAYSEAL_VECTORS_WYCHEPROOF
#include "wycheproof.hpp"
#endif

namespace {

using wayseal::vectors::Tally;

constexpr int kFailed = 1;
constexpr int kSkipped = 4;

struct Arguments {
  std::vector<std::pair<std::string, std::string>> dbc_vectors;
  std::vector<std::tuple<std::string, std::string, std::string>> logs;
  std::vector<std::string> wycheproof;
};

void run_wycheproof_files(const std::vector<std::string>& files, Tally& total) {
#ifdef WAYSEAL_VECTORS_WYCHEPROOF
  total.add(wayseal::vectors::run_wycheproof(files));
#else
  for (const std::string& file : files) total.skip("wycheproof is not part of this build: " + file);
#endif
}

std::string data_folder() {
  const char* given = std::getenv("WAYSEAL_DATA");
  return given != nullptr && *given != '\0' ? given : WAYSEAL_DATA_DEFAULT;
}

std::vector<std::string> wycheproof_in(const std::filesystem::path& folder) {
  // Those whose primitives the vault has; the folder holds more.
  std::vector<std::string> files;
  for (const char* name : {"aes_gcm_test.json", "ecdh_secp256r1_test.json", "ecdh_secp256r1_ecpoint_test.json",
                           "ecdsa_secp256r1_sha256_test.json", "ecdsa_secp256r1_sha256_p1363_test.json"}) {
    if (std::filesystem::exists(folder / name)) files.push_back(folder / name);
  }
  return files;
}

/// \return whether there was any data.
bool run_everything(Tally& total) {
  const std::filesystem::path data = data_folder();
  if (!std::filesystem::is_directory(data)) {
    std::cout << "SKIPPED: no test data in " << data << "; set WAYSEAL_DATA to the folder that has it\n";
    return false;
  }
  total.add(wayseal::vectors::run_all(data));
  const std::vector<std::string> wycheproof = wycheproof_in(data / "wycheproof");
  if (!wycheproof.empty()) run_wycheproof_files(wycheproof, total);
  return true;
}

template <typename Run>
void guarded(Tally& total, const std::string& which, Run run) {
  try {
    total.add(run());
  } catch (const std::exception& error) {
    total.fail(which, error.what());
  }
}

int run(const Arguments& arguments) {
  Tally total("total");
  bool data = true;
  for (const auto& [dbc, jsonl] : arguments.dbc_vectors) {
    guarded(total, jsonl, [&, d = dbc, j = jsonl] { return wayseal::vectors::run_dbc_vectors(d, j); });
  }
  for (const auto& [log, dbc, jsonl] : arguments.logs) {
    guarded(total, jsonl,
            [&, l = log, d = dbc, j = jsonl] { return wayseal::vectors::run_log_expectations(l, d, j); });
  }
  if (!arguments.wycheproof.empty()) run_wycheproof_files(arguments.wycheproof, total);
  if (arguments.dbc_vectors.empty() && arguments.logs.empty() && arguments.wycheproof.empty()) {
    data = run_everything(total);
  }
  total.print();
  std::cout << total.passed() << " passed, " << total.failed() << " failed, " << total.skipped()
            << " skipped\n";
  if (total.failed() != 0) return kFailed;
  return data ? 0 : kSkipped;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs test vectors from files; without arguments, all of the data folder", "wayseal-vectors");
  app.footer("Exit codes: 0 all passed; 1 some failed; 4 no data.");
  Arguments arguments;
  app.add_option("--dbc-vectors", arguments.dbc_vectors, "A DBC and its vectors, repeatable")
      ->type_name("DBC JSONL");
  app.add_option("--log-expect", arguments.logs, "A candump log, its DBC and expected values, repeatable")
      ->type_name("LOG DBC JSONL");
  app.add_option("--wycheproof", arguments.wycheproof, "Wycheproof JSON files")->type_name("FILE...");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-vectors: " << error.what() << '\n';
    return kFailed;
  }
}
