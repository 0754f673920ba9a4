// SPDX-License-Identifier: Apache-2.0
// The contracts through tables of functions: what holds for a port holds for it behind its table, and a table that breaks the
// rules harms nobody.
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "contract/can_bus/can_bus_contract.hpp"
#include "contract/channel/channel_contract.hpp"
#include "contract/storage/storage_contract.hpp"
#include "fakes/fake_can_bus.hpp"
#include "fakes/fake_cert_verifier.hpp"
#include "fakes/fake_channel.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_flash.hpp"
#include "unit/capi/tables.hpp"

namespace wayseal::test {
namespace {

// A transport that echoes and gives a native code.
class EchoTransport final : public Transport {
 private:
  Status do_connect() override { return Status::kOk; }
  Status do_progress() override { return Status::kWouldBlock; }
  Result<size_t> do_send(Bytes data) override {
    held_ = data.size() < sizeof bytes_ ? data.size() : sizeof bytes_;
    std::memcpy(bytes_, data.data(), held_);
    return held_;
  }
  Result<size_t> do_receive(MutableBytes out) override {
    if (held_ == 0) return Status::kWouldBlock;
    const size_t given = held_ < out.size() ? held_ : out.size();
    std::memcpy(out.data(), bytes_, given);
    held_ = 0;
    return given;
  }
  void do_close() override { held_ = 0; }
  int32_t do_diagnostic() const override { return -7; }

  uint8_t bytes_[4] = {};
  size_t held_ = 0;
};

// A table with one member replaced, on no object at all.
template <typename Functions, typename Change>
Functions with(const Functions& table, Change change) {
  Functions copy = table;
  change(copy);
  return copy;
}

}  // namespace

TEST_CASE("CanBus contract: a table of functions") {
  fakes::FakeCanBus bus;
  const TableCanBus table(bus);
  REQUIRE(table.status() == WAYSEAL_OK);
  CanBusRig rig{table.port(),
                [&bus](const std::vector<CanFrame>& frames) {
                  for (const CanFrame& frame : frames) bus.send(frame);
                },
                [&bus] { return bus.waiting() > 0; }, true};
  check_can_bus_contract(rig);
}

TEST_CASE("storage contract: a table of functions") {
  FakeFlash flash({4096, 8, 8});
  const TableStorage table(flash);
  REQUIRE(table.status() == WAYSEAL_OK);
  check_storage_contract(table.port());
  CHECK(flash.violations() == 0);
}

TEST_CASE("clock and transport say through a table what they say themselves") {
  fakes::FakeClock clock;
  const TableClock clock_table(clock);
  clock.advance_ms(5);
  clock.break_continuity();
  CHECK(clock_table.port().now().ns == clock.now().ns);
  CHECK(clock_table.port().continuity() == clock.continuity());

  EchoTransport echo;
  const TableTransport line(echo);
  CHECK(line.port().connect() == Status::kOk);
  CHECK(line.port().progress() == Status::kWouldBlock);
  const uint8_t sent[3] = {1, 2, 3};
  uint8_t back[8] = {};
  CHECK(line.port().receive(MutableBytes{back}).status() == Status::kWouldBlock);
  CHECK(line.port().send(Bytes{sent}).value() == 3);
  CHECK(line.port().receive(MutableBytes{back}).value() == 3);
  CHECK(std::memcmp(sent, back, 3) == 0);
  CHECK(line.port().diagnostic() == -7);
}

TEST_CASE("a verifier behind a table accepts and refuses what the verifier does") {
  fakes::FakeCertVerifier verifier;
  const TableCertVerifier table(verifier);
  fakes::FakeIdentity identity;
  identity.role = Role::kTime;
  identity.name = "backend";
  identity.public_key.data[0] = 4;
  identity.not_before = {1000};
  identity.not_after = {2000};
  const fakes::FakeChain chain = verifier.issue(identity);
  const CertificateDates inside{CertificateDates::Check::kAgainst, {1500}};
  const CertificateDates late{CertificateDates::Check::kAgainst, {2500}};
  CertInfo info;
  REQUIRE(table.port().verify(chain.view(), Role::kTime, inside, info) == Status::kOk);
  CHECK(info.public_key == identity.public_key);
  CHECK(equal(info.subject.bytes(), {reinterpret_cast<const uint8_t*>("backend"), 7}));
  CHECK(info.not_before == identity.not_before);
  CHECK(info.not_after == identity.not_after);
  CHECK(table.port().verify(chain.view(), Role::kTime, late, info) == Status::kStale);
  CHECK(table.port().verify(chain.view(), Role::kTime, {}, info) == Status::kOk);
  CHECK(table.port().verify(chain.view(), Role::kPrekey, inside, info) == Status::kNotAuthentic);
}

TEST_CASE("a table that says too much, or nonsense, is refused and never overruns") {
  wayseal_port_memory memory;
  CanFrame frames[2];
  uint8_t bytes[4] = {1, 2, 3, 4};

  auto bus = with(kCanBusTable, [](auto& table) {
    table.receive = [](void*, wayseal_can_frame*, size_t max, size_t* count) {
      *count = max + 1;
      return WAYSEAL_OK;
    };
    table.bus_count = [](void*) { return uint8_t{1}; };
    table.state = [](void*, uint8_t) { return WAYSEAL_BUS_ENDED; };
    table.set_filters = nullptr;
    table.time_base = nullptr;
  });
  wayseal_can_bus* bus_handle = nullptr;
  REQUIRE(wayseal_can_bus_adapt(&memory, &bus, nullptr, &bus_handle) == WAYSEAL_OK);
  CHECK(capi::port(bus_handle).receive({frames, 2}).status() == Status::kInvalidArgument);
  CHECK(capi::port(bus_handle).state(0) == BusState::kEnded);
  CHECK(capi::port(bus_handle).state(1) == BusState::kDown);
  CHECK(capi::port(bus_handle).set_filters({}) == Status::kUnsupported);
  CHECK(capi::port(bus_handle).time_base() == TimeBase::kMonotonic);

  auto line = with(kChannelTable, [](auto& table) {
    table.write = [](void*, const uint8_t*, size_t bytes_given, size_t* taken) {
      *taken = bytes_given + 1;
      return WAYSEAL_OK;
    };
    table.read = [](void*, uint8_t*, size_t, size_t* given) {
      *given = 0;
      return WAYSEAL_OK;
    };
    table.progress = [](void*) { return static_cast<wayseal_status>(WAYSEAL_EXHAUSTED + 1); };
    table.authority = [](void*) -> const char* { return nullptr; };
    table.diagnostic = nullptr;
    table.wire_bytes = nullptr;
  });
  wayseal_channel* channel = nullptr;
  REQUIRE(wayseal_channel_adapt(&memory, &line, nullptr, &channel) == WAYSEAL_OK);
  CHECK(capi::port(channel).write(Bytes{bytes}).status() == Status::kInvalidArgument);
  CHECK(capi::port(channel).read(MutableBytes{bytes}).status() == Status::kWouldBlock);
  CHECK(capi::port(channel).progress() == Status::kInvalidArgument);
  CHECK(capi::port(channel).authority().empty());
  CHECK(capi::port(channel).diagnostic().failure == ChannelFailure::kNone);
  CHECK(capi::port(channel).wire_bytes() == 0);

  auto vault = with(kVaultTable, [](auto& table) {
    table.read_object = [](void*, wayseal_vault_object, uint8_t*, size_t max, size_t* used) {
      *used = max + 1;
      return WAYSEAL_OK;
    };
    table.suites = [](void*) { return uint8_t{3}; };
    table.monotonic_counter = nullptr;
    table.increment_monotonic_counter = nullptr;
  });
  wayseal_key_vault* vault_handle = nullptr;
  REQUIRE(wayseal_key_vault_adapt(&memory, &vault, nullptr, &vault_handle) == WAYSEAL_OK);
  const Result<size_t> object =
      capi::port(vault_handle).read_object(VaultObject::kDataRoot, MutableBytes{bytes});
  CHECK(object.status() == Status::kInvalidArgument);
  CHECK_FALSE(capi::port(vault_handle).capabilities().monotonic_counter);
  CHECK(capi::port(vault_handle).monotonic_counter().status() == Status::kUnsupported);
}

TEST_CASE("a token's counter behind a table counts on, and its failure is heard") {
  uint64_t value = 41;
  auto table = with(kVaultTable, [](auto& functions) {
    functions.monotonic_counter = [](void* context, uint64_t* out) {
      *out = *static_cast<uint64_t*>(context);
      return *out < 43 ? WAYSEAL_OK : WAYSEAL_TOKEN_LOST;
    };
    functions.increment_monotonic_counter = [](void* context, uint64_t* out) {
      *out = ++*static_cast<uint64_t*>(context);
      return *out < 43 ? WAYSEAL_OK : WAYSEAL_TOKEN_LOST;
    };
    functions.diagnostic = [](void*) { return uint64_t{7}; };
  });
  wayseal_port_memory memory;
  wayseal_key_vault* handle = nullptr;
  REQUIRE(wayseal_key_vault_adapt(&memory, &table, &value, &handle) == WAYSEAL_OK);
  KeyVault& vault = capi::port(handle);
  CHECK(vault.monotonic_counter().value_or(0) == 41);
  CHECK(vault.increment_monotonic_counter().value_or(0) == 42);
  CHECK(vault.monotonic_counter().value_or(0) == 42);
  CHECK(vault.increment_monotonic_counter().status() == Status::kTokenLost);
  CHECK(vault.monotonic_counter().status() == Status::kTokenLost);
  CHECK(vault.diagnostic() == 7);
}

TEST_CASE("adapting refuses what is missing, misplaced or of another version") {
  fakes::FakeVault vault;
  wayseal_port_memory memory[2];
  wayseal_key_vault* handle = nullptr;
  const auto adapt = [&](const wayseal_key_vault_functions& table) {
    handle = reinterpret_cast<wayseal_key_vault*>(&vault);  // must not survive a refusal
    const wayseal_status status = wayseal_key_vault_adapt(&memory[0], &table, &vault, &handle);
    CHECK((handle != nullptr) == (status == WAYSEAL_OK));
    return status;
  };
  CHECK(adapt(kVaultTable) == WAYSEAL_OK);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.diagnostic = nullptr; })) == WAYSEAL_OK);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.suites = nullptr; })) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.destroy = nullptr; })) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.monotonic_counter = nullptr; })) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.size = 0; })) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.size -= 1; })) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(adapt(with(kVaultTable, [](auto& t) { t.size += 1; })) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_key_vault_adapt(nullptr, &kVaultTable, &vault, &handle) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_key_vault_adapt(&memory[0], nullptr, &vault, &handle) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_key_vault_adapt(&memory[0], &kVaultTable, &vault, nullptr) == WAYSEAL_INVALID_ARGUMENT);
  auto* const odd = reinterpret_cast<wayseal_port_memory*>(memory[0].bytes + 1);
  CHECK(wayseal_key_vault_adapt(odd, &kVaultTable, &vault, &handle) == WAYSEAL_INVALID_ARGUMENT);
}

}  // namespace wayseal::test

namespace {

class TableChannelRig {
 public:
  wayseal::Channel& channel() { return table_.port(); }
  void serve_lines() {
    fake_.set_peer([this](std::string& received, std::string& to_send) {
      for (size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
        const std::string line = received.substr(0, end);
        received.erase(0, end + 1);
        if (line == "CLOSE") {
          fake_.close_by_peer();
        } else {
          to_send += std::string(line.rbegin(), line.rend()) + "\n";
        }
      }
    });
  }
  void serve_nothing() {
    fake_.fail_opening(wayseal::Status::kDisconnected, wayseal::ChannelFailure::kUnreachable);
  }
  void serve_refusal() { fake_.refuse_certificate(); }

 private:
  wayseal::fakes::FakeChannel fake_{[](std::string&, std::string&) {}};
  wayseal::test::TableChannel table_{fake_};
};

}  // namespace

WAYSEAL_CHANNEL_CONTRACT(TableChannelRig)
