// SPDX-License-Identifier: Apache-2.0
// The record check on the boards: its line, with the digest of every byte, is the host's.
#include "records/record_check.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>

#include "mcu.hpp"

namespace mcu_test {

TEST_CASE("mcu: the same frames give the same record bytes as on the host") {
  const Machine machine = GENERATE(kM4, kM7);
  CAPTURE(machine.name);
  char host[256];
  REQUIRE(wayseal::records::run_record_check(host, sizeof host));
  const cloud_test::TemporaryFolder folder;
  Mcu mcu(machine, folder / "");
  mcu.power_on("", kRecordCheck);
  const int code = mcu.wait();
  CAPTURE(mcu.console());
  CHECK(code == 0);
  CHECK(mcu.console().substr(0, mcu.console().find('\n')) == host);
  auto counts = mcu.numbers("summary");
  std::printf("%s: %s; stack %lld bytes, mbedTLS %lld bytes at most\n", machine.name, host,
              static_cast<long long>(counts["stack"]), static_cast<long long>(counts["arena"]));
}

}  // namespace mcu_test
