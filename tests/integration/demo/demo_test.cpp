// SPDX-License-Identifier: Apache-2.0
// The README's first command, as a user runs it. It builds with the release preset, so `tests/run` runs it last of its build.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "process.hpp"

namespace demo_test {
namespace {

using cloud_test::eventually;
using cloud_test::Output;
using cloud_test::Process;
using cloud_test::slurp;
using cloud_test::spill;
using cloud_test::TemporaryFolder;

constexpr double kBuildSeconds = 1500;  // a machine that has built nothing yet

std::vector<std::string> demo(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {WAYSEAL_DEMO, "--no-install"});
  return arguments;
}

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of('\n');
  const size_t begin = text.rfind('\n', end);
  return text.substr(begin + 1, end - begin);
}

/// Processes that have `word` on their command line.
size_t processes_with(const std::string& word) {
  size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (slurp(entry.path().string() + "/cmdline").find(word) != std::string::npos) ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("demo: its own drive arrives whole; the last line is the summary; nothing is left") {
  const TemporaryFolder folder;
  const std::string kept = folder / "kept";
  Process run(demo({"--seconds", "3", "--json", "--keep", kept}), folder / "out");
  REQUIRE(eventually([&] { return !run.running(); }, kBuildSeconds));
  const std::string text = slurp(folder / "out");
  CAPTURE(text);
  REQUIRE(run.wait() == 0);
  const auto summary = nlohmann::json::parse(last_line(text));
  for (const char* const key : {"frames", "frames_dropped", "samples", "records_sealed", "records_stored",
                                "duplicates", "sessions", "wire_bytes", "payload_bytes", "seconds"}) {
    CAPTURE(key);
    CHECK(summary.contains(key));
  }
  CHECK(summary.at("frames") > 3000);
  CHECK(summary.at("frames_dropped") == 0);
  CHECK(summary.at("records_sealed") == summary.at("records_stored"));
  CHECK(processes_with(kept) == 0);
}

TEST_CASE("demo: a log and a DBC of the user, every sample kept") {
  const TemporaryFolder folder;
  spill(folder / "my.dbc",
        "VERSION \"\"\nBU_: A\nBO_ 291 Mine: 8 A\n SG_ Speed : 0|16@1+ (0.01,0) [0|0] \"km/h\" A\n SG_ Rest : "
        "16|48@1+ (1,0) [0|0] \"\" A\n");
  std::string log = "rubbish\n";
  for (int i = 0; i < 5000; ++i) {
    log += "(" + std::to_string(1000 + i / 100) + "." + std::to_string(100 + i % 100) + "000) can3 123#" +
           std::to_string(1000 + i) + std::to_string(100000000000 + i) + "\n";
  }
  spill(folder / "my.log", log);
  Process run(demo({"--log", folder / "my.log", "--dbc", folder / "my.dbc", "--json"}), folder / "out");
  REQUIRE(eventually([&] { return !run.running(); }, kBuildSeconds));
  const std::string text = slurp(folder / "out");
  CAPTURE(text);
  REQUIRE(run.wait() == 0);
  const auto summary = nlohmann::json::parse(last_line(text));
  CHECK(summary.at("frames") == 5000);
  CHECK(summary.at("samples") == 10000);
  CHECK(summary.at("samples_stored") == 10000);
  CHECK(summary.at("lines_unreadable") == 1);
}

TEST_CASE("demo: Ctrl-C ends it with 130 and leaves no process and no folder") {
  const TemporaryFolder folder;
  const std::string temporary = folder / "tmp";
  std::filesystem::create_directory(temporary);
  std::vector<std::string> command = demo({"--seconds", "600"});
  command.insert(command.begin(), {"/usr/bin/env", "TMPDIR=" + temporary});
  Process run(command, folder / "out");
  REQUIRE(
      eventually([&] { return !run.running() || slurp(folder / "out").find("samples ") != std::string::npos; },
                 kBuildSeconds));
  CAPTURE(slurp(folder / "out"));
  REQUIRE(run.running());
  CHECK(processes_with(temporary) > 0);
  CHECK(run.stop(SIGINT) == 130);
  CHECK(processes_with(temporary) == 0);
  CHECK(std::filesystem::is_empty(temporary));
}

TEST_CASE("demo: what cannot work is said plainly") {
  const TemporaryFolder folder;
  const auto words = [](const Output& output) { return output.text; };
  Output output = cloud_test::run(demo({"--log", folder / "none", "--dbc", folder / "none"}));
  CHECK(output.code == 1);
  CHECK(words(output).find("cannot read") != std::string::npos);
  output = cloud_test::run(demo({"--log", "x"}));
  CHECK(output.code == 2);
  CHECK(words(output).find("belong together") != std::string::npos);
  output = cloud_test::run(demo({"--wat"}));
  CHECK(output.code == 2);
  output = cloud_test::run(demo({"--keep", folder.path()}));
  CHECK(output.code == 1);
  CHECK(words(output).find("exists already") != std::string::npos);
  spill(folder / "bad.dbc", "BO_ 1 Broken\n");
  spill(folder / "log", "(1.0) can0 001#00\n");
  output = cloud_test::run(demo({"--log", folder / "log", "--dbc", folder / "bad.dbc"}));
  CHECK(output.code == 1);
  CHECK(words(output).find("bad.dbc:1") != std::string::npos);
  CHECK(cloud_test::run(demo({"--help"})).code == 0);
}

}  // namespace demo_test
