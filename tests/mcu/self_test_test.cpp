// SPDX-License-Identifier: Apache-2.0
// `self_test` on the boards' real ports: UART CAN, NOR flash, lwIP, PSA vault, TLS channel.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>

#include "scene.hpp"
#include "wayseal/selftest/self_test.hpp"

namespace mcu_test {
namespace {

std::string line(wayseal::SelfTestCheck check, const char* verdict) {
  return std::string("check name=") + wayseal::self_test_name(check) + " verdict=" + verdict + " ";
}

bool said(const Mcu& mcu, wayseal::SelfTestCheck check, const char* verdict) {
  return mcu.console().find(line(check, verdict)) != std::string::npos;
}

}  // namespace

TEST_CASE("mcu: the self test passes on the ports of a provisioned device, with nothing left out") {
  const Machine machine = GENERATE(kM4, kM7);
  CAPTURE(machine.name);
  Scene scene(machine);
  scene.make_drive(5);
  Mcu& mcu = scene.mcu();
  mcu.power_on("name=localhost address=10.0.2.2 port=1 can_ms=30000", kSelfTest);
  Process player = mcu.play(scene.drive(), {"--pace", "max"});
  const int code = mcu.wait();
  CAPTURE(mcu.console());
  CHECK(code == 0);
  for (size_t i = 0; i < wayseal::kSelfTestChecks; ++i) {
    const auto check = static_cast<wayseal::SelfTestCheck>(i);
    CAPTURE(wayseal::self_test_name(check));
    CHECK(said(mcu, check, "passed"));
  }
  auto counts = mcu.numbers("summary");
  CHECK(counts["passed"] == static_cast<int64_t>(wayseal::kSelfTestChecks));
  CHECK(counts["failed"] == 0);
  CHECK(counts["skipped"] == 0);
  std::printf("%s: %lld checks passed; stack %lld bytes, mbedTLS %lld bytes at most\n", machine.name,
              static_cast<long long>(counts["passed"]), static_cast<long long>(counts["stack"]),
              static_cast<long long>(counts["arena"]));
}

TEST_CASE(
    "mcu: the self test of a blank device says which keys are missing, and of a silent bus that it saw none") {
  const cloud_test::TemporaryFolder folder;
  Mcu mcu(kM4, folder / "");
  mcu.power_on("", kSelfTest);
  const int code = mcu.wait();
  CAPTURE(mcu.console());
  CHECK(code == 1);
  CHECK(said(mcu, wayseal::SelfTestCheck::kVaultE2eKey, "failed"));
  CHECK(said(mcu, wayseal::SelfTestCheck::kVaultTlsKey, "skipped"));
  CHECK(said(mcu, wayseal::SelfTestCheck::kCanFrames, "skipped"));
  CHECK(said(mcu, wayseal::SelfTestCheck::kTransportClosed, "passed"));
}

}  // namespace mcu_test
