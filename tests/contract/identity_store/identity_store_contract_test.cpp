// SPDX-License-Identifier: Apache-2.0
// What every IdentityStore keeps to, on the fake and on real tokens.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>

#include "contract/key_vault/rigs.hpp"
#include "fakes/fake_identity_store.hpp"
#include "fakes/test_pki.hpp"
#include "wayseal/pkcs11/pkcs11_identities.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

class FakeStoreRig {
 public:
  FakeStoreRig() : store_(medium_) {}
  IdentityStore& store() { return store_; }
  KeyVault* vault() { return nullptr; }
  void restart() {}

 private:
  IdentityMedium medium_;
  FakeIdentityStore store_;
};

constexpr Pkcs11IdentityOptions kLabels = {
    {{"t-a", "t-a-intermediate"}, {"t-b", "t-b-intermediate"}},
    {{"e-a", "e-a-intermediate"}, {"e-b", "e-b-intermediate"}},
};

template <typename VaultRig>
class TokenStoreRig {
 public:
  TokenStoreRig() { restart(); }
  IdentityStore& store() { return *store_; }
  KeyVault* vault() { return &rig_->vault(); }
  /// As after a start of the program: what is kept is in the token.
  void restart() {
    store_.reset();
    rig_.reset();
    rig_ = std::make_unique<VaultRig>();
    store_ = std::make_unique<Pkcs11Identities>(static_cast<Pkcs11Vault&>(rig_->vault()), kLabels);
  }

 private:
  std::unique_ptr<VaultRig> rig_;
  std::unique_ptr<Pkcs11Identities> store_;
};

using SoftHsmStoreRig = TokenStoreRig<SoftHsmRig>;
using NssStoreRig = TokenStoreRig<NssRig>;

#define ALL_STORES FakeStoreRig, SoftHsmStoreRig, NssStoreRig

constexpr IdentityKey kKeys[] = {IdentityKey::kTls, IdentityKey::kE2e};
constexpr IdentitySlot kSlots[] = {IdentitySlot::kA, IdentitySlot::kB};

void empty(IdentityStore& store) {
  for (const IdentityKey key : kKeys) {
    for (const IdentitySlot slot : kSlots) REQUIRE(store.erase(key, slot) == Status::kOk);
  }
}

struct Issued {
  Der leaf;
  Der intermediate;
};

// Every place of one vehicle has the same subject, and both places of a key mostly the same intermediate, as in a real fleet.
Issued chain_for(IdentityKey key, const EcPoint& point, size_t generation = 0) {
  static const TestIdentity root = make_root(root_spec("root"));
  const auto ca = [](const char* name) {
    CertSpec spec = role_intermediate_spec(Role::kVehicle);
    spec.common_name = name;
    return issue(root, spec);
  };
  static const TestIdentity cas[2][2] = {{ca("tls 1"), ca("tls 2")}, {ca("e2e 1"), ca("e2e 2")}};
  const TestIdentity& above = cas[static_cast<size_t>(key)][generation];
  return {issue(above, role_leaf_spec(Role::kVehicle, "vehicle-7"), key_from(point)).der, above.der};
}

Digest digest_of(uint8_t byte) { return sha256({&byte, 1}); }

EcPoint make_whole(IdentityStore& store, IdentityKey key, IdentitySlot slot, Issued& issued) {
  EcPoint point;
  REQUIRE(store.make_key(key, slot, point) == Status::kOk);
  issued = chain_for(key, point);
  REQUIRE(store.write_chain(key, slot, bytes_of(issued.leaf), bytes_of(issued.intermediate)) == Status::kOk);
  return point;
}

Der read(IdentityStore& store, IdentityKey key, IdentitySlot slot, IdentityPart part) {
  uint8_t out[kCertificateMax];
  const Result<size_t> size = store.read_certificate(key, slot, part, out);
  return size.ok() ? Der(out, out + size.value()) : Der();
}

}  // namespace

TEMPLATE_TEST_CASE("a key made in a place signs, is replaced by another, and is gone when erased", "",
                   ALL_STORES) {
  TestType rig;
  IdentityStore& store = rig.store();
  empty(store);
  for (const IdentityKey key : kKeys) {
    for (const IdentitySlot slot : kSlots) {
      EcPoint first;
      EcPoint second;
      EcPoint read_back;
      EcSignature signature;
      CHECK(store.sign(key, slot, digest_of(1), signature) == Status::kNotFound);
      CHECK(store.public_key(key, slot, first) == Status::kNotFound);
      REQUIRE(store.make_key(key, slot, first) == Status::kOk);
      REQUIRE(store.make_key(key, slot, second) == Status::kOk);
      CHECK(is_point(second));
      CHECK(first != second);
      REQUIRE(store.public_key(key, slot, read_back) == Status::kOk);
      CHECK(read_back == second);
      REQUIRE(store.sign(key, slot, digest_of(1), signature) == Status::kOk);
      CHECK(ecdsa_verify(second, digest_of(1), signature));
    }
  }
  empty(store);
  EcPoint none;
  CHECK(store.public_key(IdentityKey::kE2e, IdentitySlot::kB, none) == Status::kNotFound);
}

TEMPLATE_TEST_CASE("a chain is written whole, is replaced, and outlives the program", "", ALL_STORES) {
  TestType rig;
  empty(rig.store());
  Issued all[2][2];
  EcPoint points[2][2];
  for (size_t k = 0; k < 2; ++k) {
    for (size_t s = 0; s < 2; ++s) points[k][s] = make_whole(rig.store(), kKeys[k], kSlots[s], all[k][s]);
  }
  // Once more in one place, with another certificate of the same key.
  all[0][1] = chain_for(IdentityKey::kTls, points[0][1]);
  REQUIRE(rig.store().write_chain(IdentityKey::kTls, IdentitySlot::kB, bytes_of(all[0][1].leaf),
                                  bytes_of(all[0][1].intermediate)) == Status::kOk);
  rig.restart();
  for (size_t k = 0; k < 2; ++k) {
    for (size_t s = 0; s < 2; ++s) {
      INFO(k << " " << s);
      CHECK(read(rig.store(), kKeys[k], kSlots[s], IdentityPart::kLeaf) == all[k][s].leaf);
      CHECK(read(rig.store(), kKeys[k], kSlots[s], IdentityPart::kIntermediate) == all[k][s].intermediate);
      EcPoint point;
      REQUIRE(rig.store().public_key(kKeys[k], kSlots[s], point) == Status::kOk);
      CHECK(point == points[k][s]);
    }
  }
  uint8_t small[16];
  CHECK(
      rig.store().read_certificate(IdentityKey::kTls, IdentitySlot::kA, IdentityPart::kLeaf, small).status() ==
      Status::kBufferTooSmall);
  // Erasing one place leaves the others.
  REQUIRE(rig.store().erase(IdentityKey::kTls, IdentitySlot::kA) == Status::kOk);
  CHECK(read(rig.store(), IdentityKey::kTls, IdentitySlot::kA, IdentityPart::kLeaf).empty());
  CHECK(read(rig.store(), IdentityKey::kTls, IdentitySlot::kA, IdentityPart::kIntermediate).empty());
  CHECK(read(rig.store(), IdentityKey::kTls, IdentitySlot::kB, IdentityPart::kLeaf) == all[0][1].leaf);
  CHECK(read(rig.store(), IdentityKey::kE2e, IdentitySlot::kA, IdentityPart::kLeaf) == all[1][0].leaf);
  empty(rig.store());
}

TEMPLATE_TEST_CASE(
    "an authority's successor: each place keeps the intermediate of its leaf, whatever becomes of the other",
    "", ALL_STORES) {
  TestType rig;
  IdentityStore& store = rig.store();
  empty(store);
  const IdentityKey key = GENERATE(IdentityKey::kTls, IdentityKey::kE2e);
  Issued first;
  make_whole(store, key, IdentitySlot::kA, first);
  Issued second;
  make_whole(store, key, IdentitySlot::kB, second);
  CHECK(read(store, key, IdentitySlot::kB, IdentityPart::kIntermediate) == first.intermediate);
  REQUIRE(store.erase(key, IdentitySlot::kA) == Status::kOk);
  CHECK(read(store, key, IdentitySlot::kB, IdentityPart::kIntermediate) == first.intermediate);
  CHECK(read(store, key, IdentitySlot::kA, IdentityPart::kIntermediate).empty());
  // The next certificate comes from another authority.
  EcPoint point;
  REQUIRE(store.make_key(key, IdentitySlot::kA, point) == Status::kOk);
  const Issued third = chain_for(key, point, 1);
  REQUIRE(store.write_chain(key, IdentitySlot::kA, bytes_of(third.leaf), bytes_of(third.intermediate)) ==
          Status::kOk);
  CHECK(read(store, key, IdentitySlot::kA, IdentityPart::kIntermediate) == third.intermediate);
  CHECK(read(store, key, IdentitySlot::kB, IdentityPart::kIntermediate) == first.intermediate);
  REQUIRE(store.erase(key, IdentitySlot::kB) == Status::kOk);
  CHECK(read(store, key, IdentitySlot::kA, IdentityPart::kIntermediate) == third.intermediate);
  CHECK(read(store, key, IdentitySlot::kA, IdentityPart::kLeaf) == third.leaf);
  empty(store);
}

TEMPLATE_TEST_CASE("sizes of certificates are checked before the token is asked", "", ALL_STORES) {
  TestType rig;
  empty(rig.store());
  Issued issued;
  make_whole(rig.store(), IdentityKey::kTls, IdentitySlot::kA, issued);
  const Der large(kCertificateMax + 1, 0x30);
  const auto write = [&rig](Bytes leaf, Bytes intermediate) {
    return rig.store().write_chain(IdentityKey::kTls, IdentitySlot::kA, leaf, intermediate);
  };
  CHECK(write({}, bytes_of(issued.intermediate)) == Status::kInvalidArgument);
  CHECK(write(bytes_of(large), bytes_of(issued.intermediate)) == Status::kInvalidArgument);
  CHECK(write(bytes_of(issued.leaf), bytes_of(large)) == Status::kInvalidArgument);
  CHECK(read(rig.store(), IdentityKey::kTls, IdentitySlot::kA, IdentityPart::kLeaf) == issued.leaf);
  CHECK(write(bytes_of(issued.leaf), {}) == Status::kOk);
  CHECK(read(rig.store(), IdentityKey::kTls, IdentitySlot::kA, IdentityPart::kIntermediate).empty());
  empty(rig.store());
}

TEMPLATE_TEST_CASE("the vault uses the place that it is told to, and only a whole one", "", SoftHsmStoreRig,
                   NssStoreRig) {
  TestType rig;
  IdentityStore& store = rig.store();
  empty(store);
  for (const IdentityKey key : kKeys) {
    Issued a;
    Issued b;
    const EcPoint at_a = make_whole(store, key, IdentitySlot::kA, a);
    REQUIRE(store.use(key, IdentitySlot::kA) == Status::kOk);
    EcPoint at_b;
    REQUIRE(store.make_key(key, IdentitySlot::kB, at_b) == Status::kOk);
    CHECK(store.use(key, IdentitySlot::kB) == Status::kNotFound);  // no leaf yet

    const bool tls = key == IdentityKey::kTls;
    const auto uses = [&](const EcPoint& point, const Issued& chain) {
      EcSignature signature;
      EcPoint own;
      REQUIRE(rig.vault()->sign(key, digest_of(2), signature) == Status::kOk);
      CHECK(ecdsa_verify(point, digest_of(2), signature));
      REQUIRE(rig.vault()->public_key(key, own) == Status::kOk);
      CHECK(own == point);
      uint8_t out[kCertificateMax];
      const auto leaf =
          rig.vault()->read_object(tls ? VaultObject::kTlsCertificate : VaultObject::kE2eCertificate, out);
      REQUIRE(leaf.ok());
      CHECK(equal(Bytes(out).first(leaf.value()), bytes_of(chain.leaf)));
      const auto second =
          rig.vault()->read_object(tls ? VaultObject::kTlsIntermediate : VaultObject::kE2eIntermediate, out);
      REQUIRE(second.ok());
      CHECK(equal(Bytes(out).first(second.value()), bytes_of(chain.intermediate)));
    };
    uses(at_a, a);
    b = chain_for(key, at_b);
    REQUIRE(store.write_chain(key, IdentitySlot::kB, bytes_of(b.leaf), bytes_of(b.intermediate)) ==
            Status::kOk);
    uses(at_a, a);
    REQUIRE(store.use(key, IdentitySlot::kB) == Status::kOk);
    uses(at_b, b);
    REQUIRE(rig.vault()->reopen() == Status::kOk);
    uses(at_b, b);
    REQUIRE(store.erase(key, IdentitySlot::kA) == Status::kOk);
    uses(at_b, b);
  }
  empty(store);
}

TEMPLATE_TEST_CASE("keys of a place cannot be read, and do nothing but sign", "", SoftHsmStoreRig,
                   NssStoreRig) {
  TestType rig;
  empty(rig.store());
  EcPoint point;
  REQUIRE(rig.store().make_key(IdentityKey::kE2e, IdentitySlot::kB, point) == Status::kOk);
  TokenFixture& fixture = std::is_same_v<TestType, NssStoreRig> ? TokenFixture::nss() : TokenFixture::softhsm();
  ProvisioningToken token(fixture.module(), fixture.token_label(), fixture.pin());
  bool found = false;
  for (const TokenObjectInfo& object : token.list()) {
    if (object.label != "e-b" || object.kind != TokenObjectInfo::Kind::kPrivateKey) continue;
    found = true;
    CHECK(object.sensitive);
    CHECK_FALSE(object.extractable);
  }
  CHECK(found);
  empty(rig.store());
}

}  // namespace wayseal::test
