// SPDX-License-Identifier: Apache-2.0
// What self_test says of ports that are right, and of ports with one mistake.
#include "wayseal/selftest/self_test.hpp"

#include <psa/crypto.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "unit/selftest/faulty_devices.hpp"
#include "unit/selftest/faulty_vault.hpp"
#include "unit/selftest/heard.hpp"

// The linker leads these calls here, so that PSA Crypto can have mistakes as well.
namespace {
enum class CryptoFault { kNone, kDigest, kRefusesAll, kAcceptsAll, kTakesAnyPoint, kNoAead, kNoMac };
CryptoFault crypto_fault = CryptoFault::kNone;
}  // namespace

// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp)
extern "C" {
psa_status_t __real_psa_hash_finish(psa_hash_operation_t*, uint8_t*, size_t, size_t*);
psa_status_t __real_psa_verify_hash(psa_key_id_t, psa_algorithm_t, const uint8_t*, size_t, const uint8_t*,
                                    size_t);
psa_status_t __real_psa_import_key(const psa_key_attributes_t*, const uint8_t*, size_t, psa_key_id_t*);
psa_status_t __wrap_psa_hash_finish(psa_hash_operation_t* operation, uint8_t* hash, size_t room, size_t* size) {
  const psa_status_t status = __real_psa_hash_finish(operation, hash, room, size);
  if (crypto_fault == CryptoFault::kDigest) hash[31] ^= 1U;
  return status;
}
psa_status_t __wrap_psa_verify_hash(psa_key_id_t key, psa_algorithm_t algorithm, const uint8_t* hash,
                                    size_t hash_size, const uint8_t* signature, size_t size) {
  if (crypto_fault == CryptoFault::kRefusesAll) return PSA_ERROR_INVALID_SIGNATURE;
  if (crypto_fault == CryptoFault::kAcceptsAll) return PSA_SUCCESS;
  return __real_psa_verify_hash(key, algorithm, hash, hash_size, signature, size);
}
psa_status_t __wrap_psa_import_key(const psa_key_attributes_t* attributes, const uint8_t* data, size_t size,
                                   psa_key_id_t* id) {
  const psa_algorithm_t algorithm = psa_get_key_algorithm(attributes);
  const bool lacking = (crypto_fault == CryptoFault::kNoAead && algorithm == PSA_ALG_GCM) ||
                       (crypto_fault == CryptoFault::kNoMac && algorithm == PSA_ALG_CMAC);
  if (lacking) return PSA_ERROR_NOT_SUPPORTED;
  const psa_status_t status = __real_psa_import_key(attributes, data, size, id);
  return crypto_fault == CryptoFault::kTakesAnyPoint ? PSA_SUCCESS : status;
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp)

namespace wayseal::test {
namespace {

using Names = std::vector<std::string>;

/// Every port, right but for what the test makes wrong.
struct Device {
  explicit Device(ClockFault clock_fault = ClockFault::kNone, StorageFault storage_fault = StorageFault::kNone,
                  BusFault bus_fault = BusFault::kNone, VaultFault vault_fault = VaultFault::kNone,
                  LineFault transport_fault = LineFault::kNone, LineFault channel_fault = LineFault::kNone)
      : clock(clock_fault),
        storage(storage_fault),
        bus(bus_fault),
        vault(vault_fault),
        transport(transport_fault),
        channel(channel_fault) {
    for (uint8_t i = 0; i < 9; ++i) bus.inner().send(0x100, {i, 2, 3}, i, i % 2);
  }
  Heard run() { return run_self_test({&clock, &storage, &bus, &vault, &transport, &channel}); }

  FaultyClock clock;
  FaultyStorage storage;
  FaultyBus bus;
  FaultyVault vault;
  FaultyTransport transport;
  FaultyChannel channel;
};

Heard with(ClockFault fault) { return Device(fault).run(); }
Heard with(StorageFault fault) { return Device(ClockFault::kNone, fault).run(); }
Heard with(BusFault fault) { return Device(ClockFault::kNone, StorageFault::kNone, fault).run(); }
Heard with(VaultFault fault) {
  return Device(ClockFault::kNone, StorageFault::kNone, BusFault::kNone, fault).run();
}
Heard with(CryptoFault fault) {
  crypto_fault = fault;
  Heard heard = Device().run();
  crypto_fault = CryptoFault::kNone;
  return heard;
}

void check_fails(const Heard& heard, const Names& expected) {
  CHECK(heard.failed == expected);
  CHECK(heard.status == Status::kBadState);
  CHECK(heard.report.failed == expected.size());
}

template <typename Fault>
struct Row {
  Fault fault;
  Names fails;
};

template <typename Fault>
void check_rows(const std::vector<Row<Fault>>& rows) {
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.fault));
    check_fails(with(row.fault), row.fails);
  }
}

}  // namespace

TEST_CASE("Self test: ports that are right pass every check, each said once and in order") {
  const Heard heard = Device().run();
  CHECK(heard.status == Status::kOk);
  CHECK(heard.failed.empty());
  CHECK(heard.skipped.empty());
  CHECK(heard.report.passed == kSelfTestChecks);
  REQUIRE(heard.order.size() == kSelfTestChecks);
  for (size_t i = 0; i < kSelfTestChecks; ++i) CHECK(static_cast<size_t>(heard.order[i]) == i);
  CHECK(heard.keep_alives > kSelfTestChecks);
  CHECK(heard.wiped);
}

TEST_CASE("Self test: every check has a name of its own") {
  Names names;
  for (size_t i = 0; i < kSelfTestChecks; ++i)
    names.emplace_back(self_test_name(static_cast<SelfTestCheck>(i)));
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(std::string(self_test_name(static_cast<SelfTestCheck>(kSelfTestChecks))) == "unknown");
}

TEST_CASE("Self test: of PSA Crypto with a mistake") {
  using F = CryptoFault;
  check_fails(with(F::kDigest), {"sha256", "vault-seal", "vault-open"});
  check_fails(with(F::kRefusesAll), {"verify-good", "vault-tls-key", "vault-e2e-key"});
  check_fails(with(F::kAcceptsAll), {"verify-digest", "verify-signature", "vault-tls-key", "vault-e2e-key"});
  check_fails(with(F::kTakesAnyPoint), {"verify-point"});
}

TEST_CASE("Self test: a suite that PSA Crypto cannot compute is left out") {
  CHECK(with(CryptoFault::kNoMac).status == Status::kOk);
}

TEST_CASE("Self test: of a clock with a mistake") {
  check_rows<ClockFault>({{ClockFault::kStepsBack, {"clock-not-back"}},
                          {ClockFault::kStandsStill, {"clock-advances"}},
                          {ClockFault::kContinuityMoves, {"clock-continuity"}}});
}

TEST_CASE("Self test: of a storage with a mistake") {
  using F = StorageFault;
  check_rows<F>({
      {F::kOddBlockSize, {"storage-geometry"}},
      {F::kOneBlock, {"storage-geometry"}},
      {F::kLargeUnit, {"storage-geometry"}},
      {F::kShapeChanges, {"storage-geometry"}},
      {F::kEraseDoesNothing, {"storage-erase"}},
      {F::kEraseGivesZeros, {"storage-erase"}},
      {F::kEraseFails, {"storage-erase"}},
      {F::kProgramLosesLastByte,
       {"storage-program", "storage-read", "storage-ends", "storage-one-block", "storage-again"}},
      {F::kProgramFails,
       {"storage-program", "storage-read", "storage-ends", "storage-one-block", "storage-again"}},
      {F::kSyncFails, {"storage-program", "storage-again"}},
      {F::kSyncLosesAll, {"storage-program", "storage-read"}},
      {F::kProgramSpillsOver, {"storage-unit"}},
      {F::kReadsWholeUnitsOnly, {"storage-read"}},
      {F::kAddressWraps, {"storage-ends", "storage-one-block"}},
      {F::kEndIsMissing, {"storage-ends", "storage-one-block"}},
      {F::kEraseTakesAll, {"storage-one-block"}},
      {F::kProgramsOnce, {"storage-again"}},
  });
}

TEST_CASE("Self test: of a bus with a mistake") {
  using F = BusFault;
  check_rows<F>({{F::kNoBus, {"can-buses", "can-frames", "can-counters"}},
                 {F::kBeyondIsUp, {"can-buses"}},
                 {F::kBeyondCounts, {"can-buses"}},
                 {F::kFiltersRefused, {"can-filters"}},
                 {F::kOneTooMany, {"can-receive"}},
                 {F::kBadStatus, {"can-receive"}},
                 {F::kLongClassicFrame, {"can-frames"}},
                 {F::kLargeId, {"can-frames"}},
                 {F::kWrongBus, {"can-frames"}},
                 {F::kUnknownFlag, {"can-frames"}},
                 {F::kDoesNotCount, {"can-counters"}}});
}

TEST_CASE("Self test: of a vault with a mistake") {
  using F = VaultFault;
  check_rows<F>({
      {F::kNoSuites, {"vault-suites", "vault-reopen"}},
      {F::kConstantRandom, {"vault-random"}},
      {F::kRepeatedRandom, {"vault-random"}},
      {F::kTlsSignsWithE2e, {"vault-tls-key"}},
      {F::kE2eSignsAnotherDigest, {"vault-e2e-key"}},
      {F::kNoE2eKey, {"vault-e2e-key", "vault-certificate", "vault-reopen"}},
      {F::kOtherCertificate, {"vault-certificate"}},
      {F::kCutsObjects, {"vault-object-size"}},
      {F::kSameEphemeral, {"vault-ephemeral"}},
      {F::kFormerEphemeralLives, {"vault-ephemeral"}},
      {F::kPointOffCurve, {"vault-ephemeral"}},
      {F::kTakesAnyPeer, {"vault-peer"}},
      {F::kKeepsEphemeralOfBadPeer, {"vault-peer"}},
      {F::kEphemeralServesTwice, {"vault-once"}},
      {F::kOneNonce, {"vault-seal"}},
      {F::kForgetsAadAtSeal, {"vault-seal"}},
      {F::kOtherLabels, {"vault-seal", "vault-open"}},
      {F::kOpensWrongly, {"vault-open"}},
      {F::kIgnoresTag, {"vault-tamper"}},
      {F::kMalformedForTag, {"vault-tamper"}},
      {F::kSealsWithOpeningKey, {"vault-direction"}},
      {F::kOpensWithSealingKey, {"vault-direction"}},
      {F::kNeverDestroys, {"vault-destroyed"}},
      {F::kDestroysAll, {"vault-destroyed"}},
      {F::kCounterGrowsByItself, {"vault-counter"}},
      {F::kClaimsCounter, {"vault-counter"}},
      {F::kEpochGrowsByItself, {"vault-epoch"}},
      {F::kReopenKeepsKeys, {"vault-reopen"}},
      {F::kReopenKeepsEpoch, {"vault-reopen"}},
      {F::kReopenRefused, {"vault-reopen"}},
      {F::kReopenMakesNewIdentity, {"vault-reopen"}},
  });
}

TEST_CASE("Self test: of a transport or channel that does not know that it is closed") {
  for (const LineFault fault : {LineFault::kProgresses, LineFault::kSends, LineFault::kReceives}) {
    CAPTURE(static_cast<int>(fault));
    FaultyTransport transport(fault);
    SelfTestPorts ports;
    ports.transport = &transport;
    check_fails(run_self_test(ports), {"transport-closed"});
    FaultyChannel channel(fault);
    ports = {};
    ports.channel = &channel;
    check_fails(run_self_test(ports), {"channel-closed"});
  }
  FaultyChannel nameless(LineFault::kNoName);
  SelfTestPorts ports;
  ports.channel = &nameless;
  check_fails(run_self_test(ports), {"channel-name"});
}

TEST_CASE("Self test: a vault loses no key but its own, and seals under no nonce twice") {
  Device device;
  CHECK(device.run().status == Status::kOk);
  CHECK(device.vault.inner().live_session_keys() == 0);
  CHECK_FALSE(device.vault.inner().nonce_reused());
  CHECK(device.vault.inner().calls(fakes::VaultCall::kSign) == 2);
  CHECK(device.vault.inner().calls(fakes::VaultCall::kDerive) == 11);
  CHECK(device.vault.inner().logins() == 1);
}

TEST_CASE("Self test: flash is programmed where it is erased, and only as much as is said") {
  Device device;
  CHECK(device.run().status == Status::kOk);
  CHECK(device.storage.inner().violations() == 0);
  CHECK(device.storage.inner().erases() == 4);
  CHECK(device.storage.inner().programmed_bytes() == 2 * 1024 + 2 * 16);
}

TEST_CASE("Self test: what is not there is skipped, with no word on a port that was not given") {
  Device device;
  device.vault.inner().remove_object(VaultObject::kE2eCertificate);
  SelfTestPorts ports;
  ports.vault = &device.vault;
  const Heard heard = run_self_test(ports);
  CHECK(heard.status == Status::kOk);
  CHECK(heard.skipped == Names{"vault-certificate", "vault-object-size"});
  CHECK(std::find(heard.order.begin(), heard.order.end(), SelfTestCheck::kStorageErase) == heard.order.end());
  CHECK(run_self_test({}).order.size() == 5);

  fakes::FakeCanBus silent;
  ports = {};
  ports.bus = &silent;
  CHECK(run_self_test(ports).skipped == Names{"can-frames", "can-counters"});
}

TEST_CASE("Self test: without memory nothing is tried") {
  FaultyStorage storage(StorageFault::kNone);
  SelfTestPorts ports;
  ports.scratch = &storage;
  SelfTestReport report;
  uint8_t memory[kSelfTestMemory - 1];
  CHECK(self_test(ports, MutableBytes{memory}, {}, report) == Status::kBufferTooSmall);
  CHECK(storage.inner().erases() == 0);
  CHECK(report.passed == 0);
}

}  // namespace wayseal::test
