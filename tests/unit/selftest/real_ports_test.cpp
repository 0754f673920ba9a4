// SPDX-License-Identifier: Apache-2.0
// The self test of this repository's own ports, on this machine.
#include <catch2/catch_test_macros.hpp>

#include "contract/key_vault/rigs.hpp"
#include "fakes/fake_channel.hpp"
#include "unit/selftest/heard.hpp"
#include "wayseal/posix/file_storage.hpp"
#include "wayseal/posix/posix_clock.hpp"

namespace wayseal::test {
namespace {

void check_passes(const SelfTestPorts& ports, const std::vector<std::string>& skipped) {
  const Heard heard = run_self_test(ports);
  CHECK(heard.status == Status::kOk);
  CHECK(heard.failed.empty());
  CHECK(heard.skipped == skipped);
}

template <typename Rig>
void check_vault() {
  Rig rig;
  SelfTestPorts ports;
  ports.vault = &rig.vault();
  check_passes(ports, {"vault-certificate", "vault-object-size"});  // the rigs hold a data root only
}

}  // namespace

TEST_CASE("Self test: SoftHSM2") { check_vault<SoftHsmRig>(); }
TEST_CASE("Self test: NSS softoken") { check_vault<NssRig>(); }
TEST_CASE("Self test: PSA Crypto") { check_vault<PsaRig>(); }

TEST_CASE("Self test: POSIX clock and a file as flash") {
  TemporaryDirectory directory;
  FileStorage storage;
  PosixClock clock;
  for (const uint32_t unit : {1U, 8U, 256U}) {
    const StorageGeometry shape{4096, 4, unit};
    REQUIRE(storage.open((directory.path() + "/scratch" + std::to_string(unit)).c_str(), shape) == Status::kOk);
    SelfTestPorts ports;
    ports.clock = &clock;
    ports.scratch = &storage;
    check_passes(ports, {});
  }
}

TEST_CASE("Self test: smallest and oddest flash") {
  for (const StorageGeometry shape : {StorageGeometry{256, 2, 256}, StorageGeometry{256, 2, 1}}) {
    FakeFlash flash(shape);
    flash.fill(0);
    SelfTestPorts ports;
    ports.scratch = &flash;
    check_passes(ports, {});
    CHECK(flash.violations() == 0);
  }
}

TEST_CASE("Self test: a channel of the fakes") {
  fakes::FakeChannel channel([](std::string&, std::string&) {});
  SelfTestPorts ports;
  ports.channel = &channel;
  check_passes(ports, {});
}

}  // namespace wayseal::test
