// SPDX-License-Identifier: Apache-2.0
#include "wayseal/selftest/self_test.hpp"

#include "selftest/run.hpp"

namespace wayseal {
namespace {

using selftest::Run;

/// Both contracts say the same of a port that is closed.
template <typename Port, typename Write, typename Read>
bool closed_rules(Run& run, Port& port, Write write, Read read) {
  uint8_t byte = 0;
  port.close();
  if (run.saw(port.progress()) != Status::kBadState) return false;
  if (run.saw(write(Bytes{&byte, 1}).status()) != Status::kBadState) return false;
  if (run.saw(read(MutableBytes{&byte, 1}).status()) != Status::kBadState) return false;
  port.close();  // always allowed
  return run.saw(port.progress()) == Status::kBadState;
}

void test_transport(Run& run, Transport& transport) {
  run.check(SelfTestCheck::kTransportClosed,
            closed_rules(
                run, transport, [&](Bytes data) { return transport.send(data); },
                [&](MutableBytes out) { return transport.receive(out); }));
}

void test_channel(Run& run, Channel& channel) {
  run.check(SelfTestCheck::kChannelClosed, closed_rules(
                                               run, channel, [&](Bytes data) { return channel.write(data); },
                                               [&](MutableBytes out) { return channel.read(out); }));
  run.check(SelfTestCheck::kChannelName, !channel.authority().empty());
}

}  // namespace

Status self_test(const SelfTestPorts& ports, MutableBytes memory, const SelfTestObserver& observer,
                 SelfTestReport& report) {
  report = {};
  if (memory.size() < kSelfTestMemory) return Status::kBufferTooSmall;
  Run run(observer, memory.first(kSelfTestMemory), report);
  selftest::test_crypto(run);
  if (ports.clock != nullptr) selftest::test_clock(run, *ports.clock);
  if (ports.scratch != nullptr) selftest::test_storage(run, *ports.scratch);
  if (ports.bus != nullptr) selftest::test_can_bus(run, *ports.bus);
  if (ports.vault != nullptr) selftest::test_vault(run, *ports.vault);
  if (ports.transport != nullptr) test_transport(run, *ports.transport);
  if (ports.channel != nullptr) test_channel(run, *ports.channel);
  wipe(memory.first(kSelfTestMemory));
  return report.failed == 0 ? Status::kOk : Status::kBadState;
}

const char* self_test_name(SelfTestCheck check) {
  static const char* const kNames[kSelfTestChecks] = {
      "sha256",           "verify-good",       "verify-digest",     "verify-signature",
      "verify-point",     "clock-not-back",    "clock-advances",    "clock-continuity",
      "storage-geometry", "storage-erase",     "storage-program",   "storage-unit",
      "storage-read",     "storage-ends",      "storage-one-block", "storage-again",
      "can-buses",        "can-filters",       "can-receive",       "can-frames",
      "can-counters",     "vault-suites",      "vault-random",      "vault-tls-key",
      "vault-e2e-key",    "vault-certificate", "vault-object-size", "vault-ephemeral",
      "vault-peer",       "vault-once",        "vault-seal",        "vault-open",
      "vault-tamper",     "vault-direction",   "vault-destroyed",   "vault-counter",
      "vault-epoch",      "vault-reopen",      "transport-closed",  "channel-closed",
      "channel-name"};
  const auto index = static_cast<size_t>(check);
  return index < kSelfTestChecks ? kNames[index] : "unknown";
}

}  // namespace wayseal
