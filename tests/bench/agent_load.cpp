// SPDX-License-Identifier: Apache-2.0
// What the Linux agent takes of memory and processor while 8,000 frames/s arrive and are delivered:
//     with-vcan --memory 1024M -- env TMPDIR=/dev/shm bench_agent_load vcan
//     bench_agent_load log
// The real processes: agent with its SoftHSM2 token, gateway, backend. With "vcan" can-utils sends. In the user-mode
// kernel a system call costs far more than on the machine itself, so the processor time is an upper bound there. With
// "log" the agent plays the same recording at its pace: no CAN socket, but reading text, on the machine's own kernel.
#include <net/if.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/measure.hpp"
#include "way.hpp"

namespace wayseal::bench {
namespace {

namespace fs = std::filesystem;
using agent_test::Way;

constexpr int kFramesPerSecond = 8'000;
constexpr int kSeconds = 5;
constexpr int kFrames = kFramesPerSecond * kSeconds;
constexpr int kSignals = 5;  // a recorded car's frame has 5.4

std::string dbc() {
  std::string out = "VERSION \"\"\nNS_ :\nBS_:\nBU_: Node\nBO_ 257 Motion: 8 Node\n";
  char line[96];
  for (int i = 0; i < kSignals; ++i) {
    std::snprintf(line, sizeof line, " SG_ Part%d : %d|12@1+ (1,0) [0|0] \"\" Node\n", i, 12 * i);
    out += line;
  }
  return out;
}

std::string recording() {
  std::string out;
  char line[96];
  for (int i = 0; i < kFrames; ++i) {
    const long long us = static_cast<long long>(i) * 1'000'000 / kFramesPerSecond;
    const int size =
        std::snprintf(line, sizeof line, "(%lld.%06lld) vcan%d 101#%08X%08X\n", 1'700'000'000 + us / 1'000'000,
                      us % 1'000'000, i % 2, static_cast<unsigned>(i), static_cast<unsigned>(i) / 16);
    out.append(line, static_cast<size_t>(size));
  }
  return out;
}

/// The agent's folder in /proc.
fs::path process_of(const std::string& program) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code ignored;
    const fs::path exe = fs::read_symlink(entry.path() / "exe", ignored);
    if (!ignored && fs::equivalent(exe, program, ignored)) return entry.path();
  }
  throw std::runtime_error("the agent does not run");
}

double peak_kib(const fs::path& process) {
  std::ifstream file(process / "status");
  for (std::string word; file >> word;) {
    if (word != "VmHWM:") continue;
    double kib = 0;
    file >> kib;
    return kib;
  }
  throw std::runtime_error("no VmHWM");
}

/// utime and stime, fields 14 and 15 of proc(5)'s stat; the name in field 2 has no space.
double cpu_seconds(const fs::path& process) {
  std::ifstream file(process / "stat");
  std::string skipped;
  for (int field = 1; field < 14; ++field) file >> skipped;
  double user = 0;
  double system = 0;
  file >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int64_t agent_count(const Way& way, const char* name) {
  const auto status = way.agent_status();
  return status ? status->at(name).get<int64_t>() : 0;
}

/// The agent has taken all frames, and the backend has all samples.
void await_delivery(const Way& way) {
  must(agent_test::eventually([&] { return agent_count(way, "frames") >= kFrames; }, 60), "all frames arrive");
  const auto stored = [&] { return way.backend_stats().at("samples").get<int64_t>(); };
  must(agent_test::eventually([&] { return stored() == kFrames * kSignals; }, 60), "all samples are stored");
}

int run(const std::string& source) {
  const bool vcan = source == "vcan";
  if (vcan && if_nametoindex("vcan0") == 0) {
    std::fprintf(stderr, "no vcan0 here\n");
    return kSkipped;
  }
  Way way(dbc());
  cloud_test::spill(way.path("recording"), recording());
  way.start_backend();
  way.start_gateway();
  agent_test::AgentOptions options;
  options.bus = vcan ? "interfaces = [\"vcan0\", \"vcan1\"]" : "log = \"recording\"\npace = \"recorded\"";
  options.batch = "longest_ms = 10000\n";
  way.start_agent(options);
  must(agent_test::eventually([&] { return agent_count(way, "prekeys") > 0; }, 60), "the agent has prekeys");
  const fs::path process = process_of(WAYSEAL_TCU);
  const double before = vcan ? cpu_seconds(process) : 0;  // a recording plays from the start
  if (vcan) must(cloud_test::run({"canplayer", "-I", way.path("recording")}).code == 0, "canplayer");
  await_delivery(way);
  figure("cpu_seconds", cpu_seconds(process) - before);
  figure("peak_kib", peak_kib(process));
  figure("frames", static_cast<size_t>(kFrames));
  figure("dropped",
         static_cast<size_t>(agent_count(way, "frames_dropped") + agent_count(way, "samples_dropped")));
  way.agent().stop(15);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv[1]); });
}
