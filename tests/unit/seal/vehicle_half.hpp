// SPDX-License-Identifier: Apache-2.0
/// \file
/// A provisioned vehicle on fakes, up to its trust and prekeys: what the tests of trust, seal and flow start
/// from.
#ifndef WAYSEAL_TESTS_UNIT_SEAL_VEHICLE_HALF_HPP
#define WAYSEAL_TESTS_UNIT_SEAL_VEHICLE_HALF_HPP

#include <optional>
#include <stdexcept>
#include <string>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_flash.hpp"
#include "fakes/fake_vault.hpp"
#include "unit/seal/backend_half.hpp"
#include "wayseal/state/state_store.hpp"
#include "wayseal/trust/prekey_client.hpp"

namespace wayseal::fakes {

inline void must(Status status) {
  if (status != Status::kOk) throw std::runtime_error(status_name(status));
}

/// What survives a restart: token, flash, and the world.
struct VehicleWorld {
  explicit VehicleWorld(const FakeVaultOptions& options = {}, std::string id = "vehicle-7")
      : vehicle_id(std::move(id)), vault(options), backend(verifier, vehicle_id) {
    FakeIdentity identity{Role::kVehicle,
                          vehicle_id,
                          public_point(vault.private_key(IdentityKey::kE2e)),
                          {0},
                          {BackendHalf::kNowMs + 365 * kMsPerDay}};
    chain = verifier.issue(identity);
    vault.set_object(VaultObject::kE2eCertificate, view(chain.leaf));
    vault.set_object(VaultObject::kE2eIntermediate, view(chain.intermediate));
  }

  std::string vehicle_id;
  FakeClock clock;
  FakeCertVerifier verifier;
  FakeVault vault;
  BackendHalf backend;
  FakeChain chain;
  test::FakeFlash state_flash{{4096, 16, 4}};
};

/// One life of the program, from start to power cut.
struct VehicleLife {
  static constexpr int64_t kBuildMs = BackendHalf::kNowMs - 100 * kMsPerDay;

  explicit VehicleLife(VehicleWorld& in) : world(in) {
    must(state.mount());
    must(identity.load(world.vault, world.verifier));
    must(time.load());
    must(prekeys.load());
  }

  /// Asks the backend for prekeys and time, and takes the answer.
  PrekeysOutcome fetch(size_t one_time, int64_t utc_ms = BackendHalf::kNowMs) {
    const Challenge challenge = request();
    PrekeysOutcome outcome;
    const Blob reply = world.backend.reply(world.backend.signed_bundle(world.backend.plan(challenge, one_time)),
                                           world.backend.signed_time(challenge, utc_ms));
    static_cast<void>(client.take_reply(view(reply), outcome));
    return outcome;
  }

  /// Makes a request; the challenge that the backend reads in it.
  Challenge request() {
    Blob bytes(kPrekeysRequestMax);
    size_t size = 0;
    must(client.make_request(world.vault.capabilities().suites, kPrekeysMax, mutable_view(bytes), size));
    const auto challenge = world.backend.read_request({bytes.data(), size});
    if (!challenge) throw std::runtime_error("the backend does not take the request");
    return *challenge;
  }

  VehicleWorld& world;
  StateStore state{world.state_flash};
  TimeKeeper time{world.clock, world.verifier, state, UtcTime{kBuildMs}};
  VehicleIdentity identity;
  Blob workspace = Blob(kPrekeyBundleMax);
  PrekeyStore prekeys{state, time, identity, mutable_view(workspace)};
  PrekeyClient client{world.vault, identity, time, prekeys};
};

}  // namespace wayseal::fakes

#endif
