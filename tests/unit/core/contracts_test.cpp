// SPDX-License-Identifier: Apache-2.0
// The validating halves of the HAL contracts: what a port is never asked, whatever the caller does.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <utility>
#include <vector>

#include "wayseal/core/config.hpp"
#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/firmware_slot.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/storage.hpp"

namespace wayseal {
namespace {

// Ports that do nothing but count how often they are reached.

class CountingStorage final : public Storage {
 public:
  int calls = 0;

 private:
  StorageGeometry do_geometry() const override { return {256, 4, 8}; }
  Status do_read(uint64_t, MutableBytes) override { return ++calls, Status::kOk; }
  Status do_program(uint64_t, Bytes) override { return ++calls, Status::kOk; }
  Status do_erase(uint32_t) override { return ++calls, Status::kOk; }
  Status do_sync() override { return ++calls, Status::kOk; }
};

class CountingVault final : public KeyVault {
 public:
  int calls = 0;
  Status answer = Status::kOk;
  std::vector<Nonce> nonces;

 private:
  VaultCapabilities do_capabilities() const override { return {}; }
  uint32_t do_epoch() const override { return 1; }
  Status do_reopen() override { return answer; }
  Status do_random(MutableBytes) override { return ++calls, answer; }
  Status do_sign(IdentityKey, const Digest&, EcSignature&) override { return ++calls, answer; }
  Status do_public_key(IdentityKey, EcPoint&) override { return ++calls, answer; }
  Result<size_t> do_read_object(VaultObject, MutableBytes) override { return Status::kNotFound; }
  Status do_make_ephemeral(EphemeralKey&, EcPoint&) override { return ++calls, answer; }
  Status do_derive(EphemeralKey key, Suite, const EcPoint&, const Digest&, SessionKeys& keys) override {
    if (key.handle == 0) return ++calls, Status::kInvalidArgument;
    keys.vehicle_to_backend.handle = 5;
    return ++calls, answer;
  }
  Status do_seal(SessionKey, const Nonce& nonce, Bytes, Bytes, MutableBytes) override {
    nonces.push_back(nonce);
    return ++calls, answer;
  }
  Status do_open(SessionKey, const Nonce&, Bytes, Bytes, MutableBytes out) override {
    std::fill(out.begin(), out.end(), uint8_t{0x5A});
    return ++calls, answer;
  }
  void do_destroy(const SessionKeys&) override { ++calls; }
};

class CountingSlot final : public FirmwareSlot {
 public:
  int calls = 0;

 private:
  uint64_t do_capacity() const override { return 1024; }
  Status do_write(uint64_t, Bytes) override { return ++calls, Status::kOk; }
  Status do_read(uint64_t, MutableBytes) override { return ++calls, Status::kOk; }
  Status do_activate() override { return Status::kOk; }
  Status do_confirm() override { return Status::kOk; }
  Status do_roll_back() override { return Status::kOk; }
};

class CountingVerifier final : public CertVerifier {
 public:
  int calls = 0;
  Status answer = Status::kOk;

 private:
  Status do_verify(const CertChain&, Role, CertificateDates, CertInfo& info) override {
    info.not_before.ms = 99;
    return ++calls, answer;
  }
};

class CountingChannel final : public Channel {
 public:
  int calls = 0;
  int closed = 0;

 private:
  Status do_open(CertificateDates) override { return ++calls, Status::kOk; }
  Status do_progress() override { return ++calls, Status::kOk; }
  Result<size_t> do_write(Bytes data) override { return ++calls, Result<size_t>(data.size()); }
  Result<size_t> do_read(MutableBytes out) override { return ++calls, Result<size_t>(out.size()); }
  void do_close() override { ++closed; }
  Bytes do_authority() const override { return {}; }
  ChannelDiagnostic do_diagnostic() const override { return {}; }
  uint64_t do_wire_bytes() const override { return 0; }
};

class CountingBus final : public CanBus {
 public:
  int calls = 0;

 private:
  Status do_set_filters(Span<const CanFilter>) override { return ++calls, Status::kOk; }
  Result<size_t> do_receive(Span<CanFrame>) override { return ++calls, Result<size_t>(size_t{0}); }
  uint8_t do_bus_count() const override { return 1; }
  BusState do_state(uint8_t) const override { return BusState::kActive; }
  BusCounters do_counters(uint8_t) const override { return {}; }
  TimeBase do_time_base() const override { return TimeBase::kMonotonic; }
};

TEST_CASE("storage refuses to program what is misaligned, crosses a block or lies outside") {
  CountingStorage storage;
  const std::vector<uint8_t> data(512);
  const Bytes bytes(data.data(), data.size());
  CHECK(storage.program(4, bytes.first(8)) == Status::kInvalidArgument);
  CHECK(storage.program(8, bytes.first(12)) == Status::kInvalidArgument);
  CHECK(storage.program(248, bytes.first(16)) == Status::kInvalidArgument);
  CHECK(storage.program(0, bytes.first(264)) == Status::kInvalidArgument);
  CHECK(storage.program(1024, bytes.first(8)) == Status::kInvalidArgument);
  CHECK(storage.program(1016, bytes.first(16)) == Status::kInvalidArgument);
  CHECK(storage.program(std::numeric_limits<uint64_t>::max() - 7, bytes.first(8)) == Status::kInvalidArgument);
  CHECK(storage.calls == 0);

  CHECK(storage.program(0, bytes.first(256)) == Status::kOk);
  CHECK(storage.program(1016, bytes.first(8)) == Status::kOk);
  CHECK(storage.calls == 2);
}

TEST_CASE("storage reads across blocks but not beyond the end") {
  CountingStorage storage;
  std::vector<uint8_t> data(2048);
  const MutableBytes out(data.data(), data.size());
  CHECK(storage.read(1, out.first(1023)) == Status::kOk);
  CHECK(storage.calls == 1);
  CHECK(storage.read(1, out.first(1024)) == Status::kInvalidArgument);
  CHECK(storage.read(1025, out.first(0)) == Status::kInvalidArgument);
  CHECK(storage.read(std::numeric_limits<uint64_t>::max(), out.first(2)) == Status::kInvalidArgument);
  CHECK(storage.calls == 1);
}

TEST_CASE("storage refuses to erase a block that it does not have") {
  CountingStorage storage;
  CHECK(storage.erase(4) == Status::kInvalidArgument);
  CHECK(storage.calls == 0);
  CHECK(storage.erase(3) == Status::kOk);
  CHECK(storage.sync() == Status::kOk);
  CHECK(storage.calls == 2);
}

constexpr SessionKey kKey{1};

TEST_CASE("a nonce is four zero bytes and the sequence number, counting from one") {
  NonceCounter counter;
  counter.restart(kSessionRecordsMax);
  CountingVault vault;
  const uint8_t plain[4] = {};
  uint8_t out[4 + kGcmTagSize] = {};
  CHECK(vault.seal(kKey, counter.take(), {}, plain, out) == Status::kOk);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, out) == Status::kOk);
  const uint8_t first[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const uint8_t second[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  REQUIRE(vault.nonces.size() == 2);
  CHECK(equal(vault.nonces[0].bytes(), first));
  CHECK(equal(vault.nonces[1].bytes(), second));
  CHECK(counter.last() == 2);
}

TEST_CASE("a nonce seals once, also when the token fails") {
  NonceCounter counter;
  counter.restart(10);
  CountingVault vault;
  vault.answer = Status::kTokenLost;
  const uint8_t plain[4] = {};
  uint8_t out[4 + kGcmTagSize] = {};
  SealNonce nonce = counter.take();
  const Status first = vault.seal(kKey, std::move(nonce), {}, plain, out);
  CHECK(first == Status::kTokenLost);
  vault.answer = Status::kOk;
  // A caller who tries again with what is left of it is exactly the case.
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  const Status again = vault.seal(kKey, std::move(nonce), {}, plain, out);
  CHECK(again == Status::kInvalidArgument);
  CHECK(vault.calls == 1);
}

TEST_CASE("an exhausted counter gives no nonce that seals, and a counter that never started is exhausted") {
  CountingVault vault;
  const uint8_t plain[4] = {};
  uint8_t out[4 + kGcmTagSize] = {};
  NonceCounter counter;
  CHECK(counter.exhausted());
  CHECK(vault.seal(kKey, counter.take(), {}, plain, out) == Status::kInvalidArgument);
  counter.restart(1);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, out) == Status::kOk);
  CHECK(counter.exhausted());
  CHECK(vault.seal(kKey, counter.take(), {}, plain, out) == Status::kInvalidArgument);
  CHECK(counter.last() == 1);
  CHECK(vault.calls == 1);
}

TEST_CASE("sealing refuses wrong sizes, no key and an overlapping output") {
  CountingVault vault;
  NonceCounter counter;
  counter.restart(100);
  uint8_t buffer[64] = {};
  uint8_t out[64] = {};
  const Bytes plain = Bytes(buffer).first(16);
  const MutableBytes all(out);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, all.first(31)) == Status::kInvalidArgument);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, all.first(33)) == Status::kInvalidArgument);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, all.first(15)) == Status::kInvalidArgument);
  CHECK(vault.seal(SessionKey{}, counter.take(), {}, plain, all.first(32)) == Status::kInvalidArgument);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, MutableBytes(buffer).first(32)) ==
        Status::kInvalidArgument);
  CHECK(vault.calls == 0);
  CHECK(vault.seal(kKey, counter.take(), {}, plain, all.first(32)) == Status::kOk);
  CHECK(vault.seal(kKey, counter.take(), {}, Bytes{}, all.first(16)) == Status::kOk);
}

TEST_CASE("nothing of a record that failed to open is left in the output") {
  CountingVault vault;
  const uint8_t sealed[24] = {};
  uint8_t out[8] = {};
  const Nonce nonce;
  CHECK(vault.open(kKey, nonce, {}, sealed, out) == Status::kOk);
  CHECK(out[0] == 0x5A);

  vault.answer = Status::kNotAuthentic;
  CHECK(vault.open(kKey, nonce, {}, sealed, out) == Status::kNotAuthentic);
  CHECK(std::all_of(std::begin(out), std::end(out), [](uint8_t byte) { return byte == 0; }));
}

TEST_CASE("opening refuses wrong sizes and no key, and then gives zeros too") {
  CountingVault vault;
  const uint8_t sealed[24] = {};
  uint8_t out[8];
  const Nonce nonce;
  std::fill(std::begin(out), std::end(out), uint8_t{1});
  CHECK(vault.open(kKey, nonce, {}, Bytes(sealed).first(23), out) == Status::kInvalidArgument);
  CHECK(out[7] == 0);
  CHECK(vault.open(kKey, nonce, {}, Bytes(sealed).first(15), MutableBytes{}) == Status::kInvalidArgument);
  CHECK(vault.open(SessionKey{}, nonce, {}, sealed, out) == Status::kInvalidArgument);
  CHECK(vault.calls == 0);
}

TEST_CASE("deriving refuses no ephemeral and a point that is not uncompressed, and gives no keys then") {
  CountingVault vault;
  SessionKeys keys{{7}, {8}};
  EcPoint peer;
  peer.data[0] = 0x04;
  CHECK(vault.derive({}, Suite::kP256CmacKdfAes256Gcm, peer, Digest{}, keys) == Status::kInvalidArgument);
  CHECK(keys.vehicle_to_backend.handle == 0);
  CHECK(keys.backend_to_vehicle.handle == 0);
  peer.data[0] = 0x02;
  CHECK(vault.derive({1}, Suite::kP256CmacKdfAes256Gcm, peer, Digest{}, keys) == Status::kNotAuthentic);
  CHECK(vault.calls == 2);  // The port was told each time, so that it could destroy its ephemeral.
  CHECK(keys.vehicle_to_backend.handle == 0);
  peer.data[0] = 0x04;
  CHECK(vault.derive({1}, Suite::kP256CmacKdfAes256Gcm, peer, Digest{}, keys) == Status::kOk);
  CHECK(keys.vehicle_to_backend.handle == 5);
}

TEST_CASE("destroying keys forgets their handles") {
  CountingVault vault;
  SessionKeys keys{{7}, {8}};
  vault.destroy(keys);
  CHECK(vault.calls == 1);
  CHECK(keys.vehicle_to_backend.handle == 0);
  CHECK(keys.backend_to_vehicle.handle == 0);
}

TEST_CASE("a firmware slot is never written or read beyond its capacity") {
  CountingSlot slot;
  std::vector<uint8_t> data(2048);
  const MutableBytes bytes(data.data(), data.size());
  CHECK(slot.write(1, bytes.first(1024)) == Status::kInvalidArgument);
  CHECK(slot.read(1025, bytes.first(1)) == Status::kInvalidArgument);
  CHECK(slot.write(std::numeric_limits<uint64_t>::max(), bytes.first(2)) == Status::kInvalidArgument);
  CHECK(slot.calls == 0);
  CHECK(slot.write(0, bytes.first(1024)) == Status::kOk);
  CHECK(slot.read(1023, bytes.first(1)) == Status::kOk);
}

TEST_CASE("a certificate verifier never parses an empty, too long or oversized chain") {
  CountingVerifier verifier;
  CertInfo info;
  const std::vector<uint8_t> data(kCertificateMax + 1);
  const Bytes bytes(data.data(), data.size());
  CertChain chain;
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kInvalidArgument);
  chain.count = 2;
  chain.certificates[0] = bytes.first(100);
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kInvalidArgument);
  chain.certificates[1] = bytes;
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kMalformed);
  chain.certificates[1] = bytes.first(kCertificateMax);
  chain.count = kChainMax + 1;
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kInvalidArgument);
  CHECK(verifier.calls == 0);

  chain.count = 2;
  verifier.answer = Status::kNotAuthentic;
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kNotAuthentic);
  CHECK(info.not_before.ms == 0);
  verifier.answer = Status::kOk;
  CHECK(verifier.verify(chain, Role::kVehicle, {}, info) == Status::kOk);
  CHECK(info.not_before.ms == 99);
}

TEST_CASE("a channel closes what was open before it opens, and moves no empty data") {
  CountingChannel channel;
  CHECK(channel.open({}) == Status::kOk);
  CHECK(channel.closed == 1);
  CHECK(channel.progress() == Status::kOk);
  const int calls = channel.calls;
  CHECK(channel.write({}).status() == Status::kInvalidArgument);
  CHECK(channel.read({}).status() == Status::kInvalidArgument);
  CHECK(channel.calls == calls);
  uint8_t byte[1] = {};
  CHECK(channel.write(Bytes(byte)).value() == 1);
  CHECK(channel.read(byte).value() == 1);
}

TEST_CASE("a bus is never asked for no frames") {
  CountingBus bus;
  CHECK(bus.receive({}).status() == Status::kInvalidArgument);
  CHECK(bus.calls == 0);
  CanFrame frames[2];
  CHECK(bus.receive(frames).value() == 0);
  CHECK(bus.set_filters({}) == Status::kOk);
  CHECK(bus.calls == 2);
}

}  // namespace
}  // namespace wayseal
