// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "decoding.hpp"
#include "suites.hpp"

namespace wayseal::vectors {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_with(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Which DBC describes which log. Names of the data set; those that are absent are skipped.
constexpr struct {
  const char* log;
  const char* dbc;
  const char* expectations;
} kLogs[] = {
    {"comma2k19_rav4_a.log.xz", "toyota_new_mc_pt_generated.dbc", "comma2k19_rav4_a.can0.expect.jsonl.xz"},
    {"css_drive_gps_uds_165-02.log.xz", "canmod-gps.dbc", "css_drive_gps_uds_165-02.can1.expect.jsonl.xz"},
    {"kona_250105-1-2020-comp-can-heating.log.xz", "comp_can.dbc", "kona_comp.expect.jsonl.xz"},
};

void run_vectors(const fs::path& data, Tally& total) {
  for (const fs::path& jsonl : files_with(data / "dbc_vectors", ".jsonl")) {
    const fs::path dbc = data / "dbc" / (jsonl.stem().string() + ".dbc");
    fs::exists(dbc) ? total.add(run_dbc_vectors(dbc, jsonl)) : total.skip("vectors without their DBC");
  }
}

void run_logs(const fs::path& data, Tally& total) {
  for (const auto& known : kLogs) {
    const fs::path log = data / "can_logs" / known.log;
    const fs::path dbc = data / "dbc" / known.dbc;
    const fs::path expectations = data / "can_logs" / known.expectations;
    const bool there = fs::exists(log) && fs::exists(dbc) && fs::exists(expectations);
    there ? total.add(run_log_expectations(log, dbc, expectations))
          : total.skip("logs that the data does not have");
  }
  const bool truth = fs::exists(data / "can_logs" / "comma2k19_rav4_a.gt_wheel_speed.csv");
  truth ? total.add(run_rav4_ground_truth(data)) : total.skip("logs that the data does not have");
}

}  // namespace

Tally run_dbc_files(const std::string& folder) {
  Tally tally("dbc files");
  for (const fs::path& path : files_with(folder, ".dbc")) {
    try {
      const LoadedDbc dbc(path);
      tally.pass();
    } catch (const std::exception& error) {
      tally.fail(path.filename(), error.what());
    }
  }
  tally.print();
  return tally;
}

Tally run_all(const std::string& data) {
  Tally total("all");
  total.add(run_dbc_files((fs::path(data) / "dbc").string()));
  run_vectors(data, total);
  run_logs(data, total);
  return total;
}

}  // namespace wayseal::vectors
