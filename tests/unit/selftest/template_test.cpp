// SPDX-License-Identifier: Apache-2.0
// The ports to fill in, before anybody has: the self-test says what is missing, and nothing crashes.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "wayseal/selftest/self_test.hpp"
#include "wayseal/template/my_can_bus.hpp"
#include "wayseal/template/my_clock.hpp"
#include "wayseal/template/my_firmware_slot.hpp"
#include "wayseal/template/my_storage.hpp"
#include "wayseal/template/my_transport.hpp"
#include "wayseal/template/my_vault.hpp"

namespace {

using namespace wayseal;

void note_failure(void* context, SelfTestCheck check, SelfTestVerdict verdict, Status /*status*/) {
  if (verdict == SelfTestVerdict::kFailed)
    static_cast<std::set<std::string>*>(context)->insert(self_test_name(check));
}

TEST_CASE("template: of ports that nobody has filled in, the self-test names what is missing") {
  MyClock clock;
  MyStorage storage;
  MyCanBus bus;
  MyVault vault;
  MyTransport transport;
  SelfTestPorts ports;
  ports.clock = &clock;
  ports.scratch = &storage;
  ports.bus = &bus;
  ports.vault = &vault;
  ports.transport = &transport;
  std::set<std::string> failed;
  SelfTestObserver observer;
  observer.checked = note_failure;
  observer.context = &failed;
  uint8_t memory[kSelfTestMemory];
  SelfTestReport report;
  CHECK(self_test(ports, memory, observer, report) == Status::kBadState);
  CHECK(failed.count("clock-advances") == 1);
  CHECK(failed.count("storage-erase") == 1);
  CHECK(failed.count("vault-suites") == 1);
  CHECK(failed.count("transport-closed") == 0);
  CHECK(report.failed == failed.size());
}

TEST_CASE("template: the firmware slot takes nothing") {
  MyFirmwareSlot slot;
  CHECK(slot.capacity() == 0);
  const uint8_t byte = 0;
  CHECK(slot.write(0, Bytes(&byte, 1)) == Status::kInvalidArgument);
  CHECK(slot.confirm() == Status::kBadState);
}

}  // namespace
