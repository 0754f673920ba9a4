// SPDX-License-Identifier: Apache-2.0
// What a port inherits, and what its contract answers in its place.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/firmware_slot.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/hal/transport.hpp"

namespace wayseal {
namespace {

/// The least that a vault must have.
class BareVault final : public KeyVault {
 public:
  int calls = 0;
  Status answer = Status::kOk;

 private:
  VaultCapabilities do_capabilities() const override { return {}; }
  uint32_t do_epoch() const override { return 1; }
  Status do_reopen() override { return Status::kOk; }
  Status do_random(MutableBytes) override { return ++calls, answer; }
  Status do_sign(IdentityKey, const Digest&, EcSignature&) override { return ++calls, answer; }
  Status do_public_key(IdentityKey, EcPoint&) override { return ++calls, answer; }
  Result<size_t> do_read_object(VaultObject, MutableBytes) override { return Status::kNotFound; }
  Status do_make_ephemeral(EphemeralKey&, EcPoint&) override { return ++calls, answer; }
  Status do_derive(EphemeralKey, Suite, const EcPoint&, const Digest&, SessionKeys&) override {
    return ++calls, answer;
  }
  Status do_seal(SessionKey, const Nonce&, Bytes, Bytes, MutableBytes) override { return ++calls, answer; }
  Status do_open(SessionKey, const Nonce&, Bytes, Bytes, MutableBytes) override { return ++calls, answer; }
  void do_destroy(const SessionKeys&) override { ++calls; }
};

class CountingTransport final : public Transport {
 public:
  ~CountingTransport() = default;
  int calls = 0;
  int closed = 0;

 private:
  Status do_connect() override { return ++calls, Status::kOk; }
  Status do_progress() override { return ++calls, Status::kOk; }
  Result<size_t> do_send(Bytes data) override { return ++calls, Result<size_t>(data.size()); }
  Result<size_t> do_receive(MutableBytes out) override { return ++calls, Result<size_t>(out.size()); }
  void do_close() override { ++closed; }
  int32_t do_diagnostic() const override { return 7; }
};

class TrialSlot final : public FirmwareSlot {
 public:
  std::vector<std::string> asked;

 private:
  uint64_t do_capacity() const override { return 16; }
  Status do_write(uint64_t, Bytes) override { return asked.emplace_back("write"), Status::kOk; }
  Status do_read(uint64_t, MutableBytes) override { return asked.emplace_back("read"), Status::kOk; }
  Status do_activate() override { return asked.emplace_back("activate"), Status::kOk; }
  Status do_confirm() override { return asked.emplace_back("confirm"), Status::kBadState; }
  Status do_roll_back() override { return asked.emplace_back("roll back"), Status::kOk; }
};

TEST_CASE("every channel failure has a name of its own, in lower case") {
  std::set<std::string> names;
  constexpr auto kLast = static_cast<uint8_t>(ChannelFailure::kProtocolError);
  for (uint8_t code = 0; code <= kLast; ++code) {
    const std::string name = channel_failure_name(static_cast<ChannelFailure>(code));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
    CHECK(name != "unknown");
    CHECK(names.insert(name).second);
  }
  CHECK(std::string(channel_failure_name(static_cast<ChannelFailure>(kLast + 1))) == "unknown");
}

TEST_CASE("a vault without a monotonic counter says so, and has nothing to tell of its last failure") {
  BareVault vault;
  CHECK(vault.monotonic_counter().status() == Status::kUnsupported);
  CHECK(vault.increment_monotonic_counter().status() == Status::kUnsupported);
  CHECK(vault.diagnostic() == 0);
}

TEST_CASE("a vault is not asked for no random bytes") {
  BareVault vault;
  CHECK(vault.random({}) == Status::kOk);
  CHECK(vault.calls == 0);
  uint8_t byte[1] = {};
  CHECK(vault.random(byte) == Status::kOk);
  CHECK(vault.calls == 1);
}

TEST_CASE("opening into its own ciphertext is refused, and leaves the ciphertext alone") {
  BareVault vault;
  std::vector<uint8_t> bytes(48, 0xC5);
  const std::vector<uint8_t> before = bytes;
  SessionKey key;
  key.handle = 5;
  CHECK(vault.open(key, {}, {}, {bytes.data(), 32}, {bytes.data() + 8, 16}) == Status::kInvalidArgument);
  CHECK(vault.calls == 0);
  CHECK(bytes == before);
}

TEST_CASE("a token that is lost while it derives is told as lost, whatever the arguments were") {
  BareVault vault;
  vault.answer = Status::kTokenLost;
  SessionKeys keys;
  CHECK(vault.derive({}, Suite::kP256HkdfSha256Aes256Gcm, {}, {}, keys) == Status::kTokenLost);
  vault.answer = Status::kOk;
  CHECK(vault.derive({}, Suite::kP256HkdfSha256Aes256Gcm, {}, {}, keys) == Status::kInvalidArgument);
  CHECK(vault.calls == 2);
}

TEST_CASE("a transport closes what was open before it connects, and moves no empty data") {
  CountingTransport transport;
  CHECK(transport.connect() == Status::kOk);
  CHECK(transport.closed == 1);
  CHECK(transport.progress() == Status::kOk);
  const int calls = transport.calls;
  CHECK(transport.send({}).status() == Status::kInvalidArgument);
  CHECK(transport.receive({}).status() == Status::kInvalidArgument);
  CHECK(transport.calls == calls);
  uint8_t byte[1] = {};
  CHECK(transport.send(Bytes(byte)).value() == 1);
  CHECK(transport.receive(byte).value() == 1);
  CHECK(transport.diagnostic() == 7);
  transport.close();
  CHECK(transport.closed == 2);
}

TEST_CASE("a firmware slot hears of no empty data, and of each decision once") {
  TrialSlot slot;
  CHECK(slot.write(16, {}) == Status::kOk);
  CHECK(slot.read(16, {}) == Status::kOk);
  CHECK(slot.asked.empty());
  CHECK(slot.activate() == Status::kOk);
  CHECK(slot.confirm() == Status::kBadState);
  CHECK(slot.roll_back() == Status::kOk);
  CHECK(slot.asked == std::vector<std::string>{"activate", "confirm", "roll back"});
}

}  // namespace
}  // namespace wayseal
