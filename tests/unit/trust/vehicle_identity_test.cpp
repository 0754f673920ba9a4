// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/vehicle_identity.hpp"

#include <catch2/catch_test_macros.hpp>

#include "unit/seal/vehicle_half.hpp"

namespace wayseal {
namespace {

using fakes::FakeChain;
using fakes::VehicleWorld;
using fakes::view;

void provision(VehicleWorld& world, const FakeChain& chain) {
  world.vault.set_object(VaultObject::kE2eCertificate, view(chain.leaf));
  world.vault.set_object(VaultObject::kE2eIntermediate, view(chain.intermediate));
}

TEST_CASE("identity: a provisioned vehicle knows its id and its certificate's digest") {
  VehicleWorld world;
  VehicleIdentity identity;
  CHECK_FALSE(identity.loaded());
  REQUIRE(identity.load(world.vault, world.verifier) == Status::kOk);
  CHECK(fakes::to_string(identity.id().bytes()) == "vehicle-7");
  CHECK(identity.certificate_digest() == fakes::sha256(view(world.chain.leaf)));
}

TEST_CASE("identity: without a certificate, with another's, or with a backend's there is none") {
  VehicleWorld world;
  VehicleIdentity identity;
  const auto point = fakes::public_point(world.vault.private_key(IdentityKey::kE2e));

  world.vault.remove_object(VaultObject::kE2eIntermediate);
  CHECK(identity.load(world.vault, world.verifier) == Status::kNotFound);
  provision(world,
            world.verifier.issue({Role::kVehicle, "v", fakes::public_point(fakes::random_scalar()), {}, {}}));
  CHECK(identity.load(world.vault, world.verifier) == Status::kNotAuthentic);
  provision(world, world.verifier.issue({Role::kPrekey, "v", point, {}, {}}));
  CHECK(identity.load(world.vault, world.verifier) == Status::kNotAuthentic);
  provision(world, world.verifier.issue_mixed({Role::kVehicle, "v", point, {}, {}}, Role::kTime));
  CHECK(identity.load(world.vault, world.verifier) == Status::kNotAuthentic);
  for (const char* name : {"", "has space", "WV\x01", "a/b", "\xC3\xA4"}) {
    provision(world, world.verifier.issue({Role::kVehicle, name, point, {}, {}}));
    CHECK(identity.load(world.vault, world.verifier) == Status::kMalformed);
  }
  CHECK_FALSE(identity.loaded());
  provision(world, world.verifier.issue({Role::kVehicle, "Az.09_-", point, {}, {}}));
  CHECK(identity.load(world.vault, world.verifier) == Status::kOk);
}

TEST_CASE("identity: a lost token is told as such") {
  VehicleWorld world;
  VehicleIdentity identity;
  world.vault.lose_token();
  CHECK(identity.load(world.vault, world.verifier) == Status::kTokenLost);
}

}  // namespace
}  // namespace wayseal
