// SPDX-License-Identifier: Apache-2.0
// From the kernel's own CAN, sent by can-utils, to the backend's database. Run under tests/vcan/with-vcan.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>

#include "can_log.hpp"
#include "vcan/can_sender.hpp"
#include "way.hpp"

namespace wayseal::test {
namespace {

using agent_test::AgentOptions;
using agent_test::eventually;
using agent_test::Way;

constexpr int kFramesPerSecond = 8'000;
constexpr int kSeconds = 5;

std::string dbc() {
  return agent_test::canary_dbc() +
         "\nBO_ 258 Wide: 64 Node\n SG_ Near : 0|16@1+ (1,0) [0|0] \"\" Node\n SG_ Far : 480|32@1+ (1,0) [0|0] "
         "\"\" Node\n";
}

/// Of 8 frames, 7 on vcan0 (message 0x101, 2 signals) and one CAN FD frame of 64 bytes on vcan1 (message 0x102, 2 signals).
std::string recording(int frames) {
  std::string out;
  char line[256];
  for (int i = 0; i < frames; ++i) {
    const long long time_us = static_cast<long long>(i) * 1'000'000 / kFramesPerSecond;
    const bool wide = i % 8 == 7;
    int size = std::snprintf(line, sizeof line, "(%lld.%06lld) %s ", 1'700'000'000 + time_us / 1'000'000,
                             time_us % 1'000'000, wide ? "vcan1" : "vcan0");
    out.append(line, static_cast<size_t>(size));
    size = wide ? std::snprintf(line, sizeof line, "102##1%04X%0116d%08X\n", i & 0xFFFF, 0,
                                static_cast<unsigned>(i))
                : std::snprintf(line, sizeof line, "101#%08X%04X0000\n", static_cast<unsigned>(i), i & 0xFFFF);
    out.append(line, static_cast<size_t>(size));
  }
  return out;
}

nlohmann::json status_of(const Way& way) {
  const auto status = way.agent_status();
  return status
             ? *status
             : nlohmann::json{{"frames", 0}, {"prekeys", 0}, {"records_waiting", 1}, {"time_trusted", false}};
}

}  // namespace

TEST_CASE(
    "invariant 9: the bus side never waits (8,000 frames/s from can-utils, gateway down, no drop; all of it "
    "arrives later)") {
  if (!has_vcan()) SKIP("no vcan0 here");
  Way way(dbc());
  way.start_backend();
  way.start_gateway();
  AgentOptions options;
  options.bus = "interfaces = [\"vcan0\", \"vcan1\"]";
  way.start_agent(options);
  REQUIRE(eventually([&] { return status_of(way).at("prekeys") > 0; }, 60));
  way.gateway().stop(9);

  constexpr int kFrames = kFramesPerSecond * kSeconds;
  cloud_test::spill(way.path("recording"), recording(kFrames));
  const auto sent = cloud_test::run({"canplayer", "-I", way.path("recording")});
  CAPTURE(sent.text, way.agent_words());
  REQUIRE(sent.code == 0);
  CHECK(eventually([&] { return status_of(way).at("frames") >= kFrames; }, 60));
  const auto offline = status_of(way);
  CAPTURE(offline.dump());
  CHECK(offline.at("frames") == kFrames);
  CHECK(offline.at("frames_dropped") == 0);
  CHECK(offline.at("samples_dropped") == 0);

  way.start_gateway();
  const auto stored = [&] { return way.backend_stats().at("samples").get<int64_t>(); };
  CHECK(eventually([&] { return stored() == 2 * kFrames; }, 60));
  CHECK(stored() == 2 * kFrames);
  CHECK(way.agent().stop(15) == 0);
  CHECK(way.backend_stats().at("records_lost") == 0);
}

}  // namespace wayseal::test
