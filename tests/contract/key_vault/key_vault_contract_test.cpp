// SPDX-License-Identifier: Apache-2.0
// What every KeyVault keeps to, on the fake and on real tokens.
#include <catch2/catch_template_test_macros.hpp>

#include <algorithm>
#include <memory>

#include "contract/key_vault/rigs.hpp"
#include "unit/capi/tables.hpp"

namespace wayseal::test {
namespace {

/// A vault written in C, as the C API's tables of functions have it.
class CTableRig {
 public:
  CTableRig() { vault_.set_object(VaultObject::kDataRoot, root()); }
  KeyVault& vault() { return table_.port(); }
  Bytes root() const { return {root_, sizeof root_}; }

 private:
  uint8_t root_[3] = {0x30, 0x01, 0x00};
  fakes::FakeVault vault_;
  TableVault table_{vault_};
};

#define ALL_RIGS FakeRig, CTableRig, SoftHsmRig, NssRig, PsaRig

std::vector<uint8_t> seal(KeyVault& vault, OpenedSession& session, Bytes aad, Bytes plaintext) {
  std::vector<uint8_t> out(plaintext.size() + kGcmTagSize);
  REQUIRE(vault.seal(session.keys.vehicle_to_backend, session.counter.take(), aad, plaintext,
                     {out.data(), out.size()}) == Status::kOk);
  return out;
}

Status open(KeyVault& vault, SessionKey key, const Nonce& nonce, Bytes aad, Bytes sealed,
            std::vector<uint8_t>& out) {
  out.assign(sealed.size() - kGcmTagSize, 0xEE);
  return vault.open(key, nonce, aad, sealed, {out.data(), out.size()});
}

bool all_zero(const std::vector<uint8_t>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

}  // namespace

TEMPLATE_TEST_CASE("random bytes differ from call to call", "", ALL_RIGS) {
  TestType rig;
  uint8_t first[32] = {};
  uint8_t second[32] = {};
  REQUIRE(rig.vault().random(MutableBytes{first}) == Status::kOk);
  REQUIRE(rig.vault().random(MutableBytes{second}) == Status::kOk);
  CHECK_FALSE(equal(Bytes{first}, Bytes{second}));
}

TEMPLATE_TEST_CASE("a signature verifies under its own identity's public key only", "", ALL_RIGS) {
  TestType rig;
  const Digest digest = transcript_of(9);
  EcPoint points[2];
  EcSignature signatures[2];
  const IdentityKey keys[] = {IdentityKey::kTls, IdentityKey::kE2e};
  for (size_t i = 0; i < 2; ++i) {
    REQUIRE(rig.vault().public_key(keys[i], points[i]) == Status::kOk);
    REQUIRE(rig.vault().sign(keys[i], digest, signatures[i]) == Status::kOk);
    CHECK(fakes::is_point(points[i]));
  }
  for (size_t i = 0; i < 2; ++i) {
    CHECK(fakes::ecdsa_verify(points[i], digest, signatures[i]));
    CHECK_FALSE(fakes::ecdsa_verify(points[i], transcript_of(10), signatures[i]));
    CHECK_FALSE(fakes::ecdsa_verify(points[1 - i], digest, signatures[i]));
  }
}

TEMPLATE_TEST_CASE("a provisioned object reads back as it was written", "", ALL_RIGS) {
  TestType rig;
  std::vector<uint8_t> out(rig.root().size() + 10);
  const Result<size_t> size = rig.vault().read_object(VaultObject::kDataRoot, {out.data(), out.size()});
  REQUIRE(size.ok());
  CHECK(equal(view(out).first(size.value()), rig.root()));
  CHECK(rig.vault().read_object(VaultObject::kDataRoot, {out.data(), rig.root().size()}).ok());
  CHECK(rig.vault().read_object(VaultObject::kDataRoot, {out.data(), rig.root().size() - 1}).status() ==
        Status::kBufferTooSmall);
  CHECK(rig.vault().read_object(VaultObject::kGatewayCa, {out.data(), out.size()}).status() ==
        Status::kNotFound);
}

TEMPLATE_TEST_CASE("what the vault seals, the backend opens, and the other way round", "", ALL_RIGS) {
  TestType rig;
  REQUIRE_FALSE(suites_of(rig.vault()).empty());
  for (const Suite suite : suites_of(rig.vault())) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{1000},
                              kRecordMax - kGcmTagSize, size_t{65536}}) {
      for (const size_t aad_size : {size_t{0}, size_t{1}, size_t{40}}) {
        CAPTURE(static_cast<int>(suite), size, aad_size);
        OpenedSession session(rig.vault(), suite, static_cast<uint8_t>(size + aad_size));
        const auto plaintext = pattern(size);
        const auto aad = pattern(aad_size);
        const auto sealed = seal(rig.vault(), session, view(aad), view(plaintext));
        const auto opened =
            fakes::gcm_open(session.peer.vehicle_to_backend, nonce_of(1), view(aad), view(sealed));
        REQUIRE(opened);
        CHECK(*opened == plaintext);

        if (size > kRecordMax - kGcmTagSize) continue;  // Answers are no longer than records.
        const auto answer =
            fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(77), view(aad), view(plaintext));
        std::vector<uint8_t> out;
        CHECK(open(rig.vault(), session.keys.backend_to_vehicle, nonce_of(77), view(aad), view(answer), out) ==
              Status::kOk);
        CHECK(out == plaintext);
        rig.vault().destroy(session.keys);
      }
    }
  }
}

TEMPLATE_TEST_CASE("leading zeros of the shared secret are kept", "", ALL_RIGS) {
  TestType rig;
  for (const Suite suite : suites_of(rig.vault())) {
    EphemeralKey ephemeral;
    EcPoint point;
    REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
    Peer peer;
    while ((*fakes::ecdh(peer.scalar, point))[0] != 0) peer = Peer{};
    peer.agree(suite, point, transcript_of(3));
    SessionKeys keys;
    REQUIRE(rig.vault().derive(ephemeral, suite, peer.point, transcript_of(3), keys) == Status::kOk);
    const auto sealed = fakes::gcm_seal(peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(20)));
    std::vector<uint8_t> out;
    CHECK(open(rig.vault(), keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), out) == Status::kOk);
    rig.vault().destroy(keys);
  }
}

TEMPLATE_TEST_CASE("one Z gives other keys under another suite", "", ALL_RIGS) {
  TestType rig;
  for (const Suite suite : suites_of(rig.vault())) {
    EphemeralKey ephemeral;
    EcPoint point;
    Peer peer;
    SessionKeys keys;
    REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
    REQUIRE(rig.vault().derive(ephemeral, suite, peer.point, transcript_of(3), keys) == Status::kOk);
    for (const Suite theirs : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
      peer.agree(theirs, point, transcript_of(3));
      const auto sealed = fakes::gcm_seal(peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(20)));
      std::vector<uint8_t> out;
      CHECK(open(rig.vault(), keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), out) ==
            (theirs == suite ? Status::kOk : Status::kNotAuthentic));
    }
    rig.vault().destroy(keys);
  }
}

TEMPLATE_TEST_CASE("another transcript gives other keys", "", ALL_RIGS) {
  TestType rig;
  for (const Suite suite : suites_of(rig.vault())) {
    OpenedSession session(rig.vault(), suite, 1);
    const auto sealed = fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(1), {}, view(pattern(20)));
    OpenedSession other(rig.vault(), suite, 2);
    std::vector<uint8_t> out;
    CHECK(open(rig.vault(), other.keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), out) ==
          Status::kNotAuthentic);
    CHECK(open(rig.vault(), session.keys.backend_to_vehicle, nonce_of(1), {}, view(sealed), out) ==
          Status::kOk);
    // Its direction is part of a key: what goes to the backend does not open as an answer.
    const auto reflected = seal(rig.vault(), session, {}, view(pattern(20)));
    CHECK(open(rig.vault(), session.keys.backend_to_vehicle, nonce_of(1), {}, view(reflected), out) ==
          Status::kNotAuthentic);
    rig.vault().destroy(session.keys);
    rig.vault().destroy(other.keys);
  }
}

TEMPLATE_TEST_CASE("whatever was changed is refused, and nothing of it is shown", "", ALL_RIGS) {
  TestType rig;
  OpenedSession session(rig.vault(), suites_of(rig.vault()).front());
  const auto aad = pattern(24);
  const auto plaintext = pattern(100);
  const auto sealed = fakes::gcm_seal(session.peer.backend_to_vehicle, nonce_of(5), view(aad), view(plaintext));
  const SessionKey key = session.keys.backend_to_vehicle;
  std::vector<uint8_t> out;
  for (size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<uint8_t>(changed[i] ^ (1U << (i % 8)));
    CAPTURE(i);
    CHECK(open(rig.vault(), key, nonce_of(5), view(aad), view(changed), out) == Status::kNotAuthentic);
    CHECK(all_zero(out));
  }
  auto other_aad = aad;
  other_aad[0] ^= 1;
  CHECK(open(rig.vault(), key, nonce_of(5), view(other_aad), view(sealed), out) == Status::kNotAuthentic);
  CHECK(all_zero(out));
  CHECK(open(rig.vault(), key, nonce_of(5), view(aad).first(23), view(sealed), out) == Status::kNotAuthentic);
  CHECK(open(rig.vault(), key, nonce_of(6), view(aad), view(sealed), out) == Status::kNotAuthentic);
  CHECK(open(rig.vault(), key, nonce_of(5), view(aad), view(sealed).first(90), out) == Status::kNotAuthentic);
  CHECK(open(rig.vault(), key, nonce_of(5), view(aad), view(sealed), out) == Status::kOk);
  CHECK(out == plaintext);
}

TEMPLATE_TEST_CASE("a peer that is no point of the curve is refused, and the ephemeral is gone all the same",
                   "", ALL_RIGS) {
  TestType rig;
  const Suite suite = suites_of(rig.vault()).front();
  const EcPoint good = Peer{}.point;
  EcPoint bad = good;
  SECTION("off the curve") { bad.data[64] ^= 1; }
  SECTION("all zeros") { std::memset(bad.data + 1, 0, 64); }
  SECTION("a coordinate above the prime") { std::memset(bad.data + 1, 0xFF, 32); }
  SECTION("a coordinate that is the prime, where zero would be a point") {
    static constexpr uint8_t kPrimeAndRootOfB[] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0x66, 0x48, 0x5C, 0x78, 0x0E, 0x2F, 0x83, 0xD7, 0x24, 0x33, 0xBD, 0x5D, 0x84, 0xA0, 0x6B, 0xB6,
        0x54, 0x1C, 0x2A, 0xF3, 0x1D, 0xAE, 0x87, 0x17, 0x28, 0xBF, 0x85, 0x6A, 0x17, 0x4F, 0x93, 0xF4};
    std::memcpy(bad.data + 1, kPrimeAndRootOfB, sizeof kPrimeAndRootOfB);
    EcPoint reduced = bad;
    std::memset(reduced.data + 1, 0, 32);
    REQUIRE(fakes::is_point(reduced));
  }
  SECTION("not uncompressed") { bad.data[0] = 0x02; }
  SECTION("hybrid form") { bad.data[0] = static_cast<uint8_t>(0x06 | (bad.data[64] & 1)); }
  SECTION("no first byte") { bad.data[0] = 0; }
  EphemeralKey ephemeral;
  EcPoint point;
  REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
  SessionKeys keys;
  CHECK(rig.vault().derive(ephemeral, suite, bad, transcript_of(1), keys) == Status::kNotAuthentic);
  CHECK(keys.vehicle_to_backend.handle == 0);
  CHECK(rig.vault().derive(ephemeral, suite, good, transcript_of(1), keys) == Status::kInvalidArgument);
  OpenedSession session(rig.vault(), suite);  // The vault itself goes on.
  CHECK(seal(rig.vault(), session, {}, view(pattern(3))).size() == 19);
}

TEMPLATE_TEST_CASE("an ephemeral serves one agreement", "", ALL_RIGS) {
  TestType rig;
  const Suite suite = suites_of(rig.vault()).front();
  const EcPoint peer = Peer{}.point;
  EphemeralKey first;
  EphemeralKey second;
  EcPoint point;
  EcPoint other_point;
  SessionKeys keys;
  SECTION("it is gone after deriving") {
    REQUIRE(rig.vault().make_ephemeral(first, point) == Status::kOk);
    REQUIRE(rig.vault().derive(first, suite, peer, transcript_of(1), keys) == Status::kOk);
    SessionKeys again;
    CHECK(rig.vault().derive(first, suite, peer, transcript_of(1), again) == Status::kInvalidArgument);
    CHECK(again.backend_to_vehicle.handle == 0);
    rig.vault().destroy(keys);
  }
  SECTION("a new one ends the former") {
    REQUIRE(rig.vault().make_ephemeral(first, point) == Status::kOk);
    REQUIRE(rig.vault().make_ephemeral(second, other_point) == Status::kOk);
    CHECK(point != other_point);
    CHECK(first.handle != second.handle);
    CHECK(rig.vault().derive(first, suite, peer, transcript_of(1), keys) == Status::kInvalidArgument);
  }
  SECTION("a suite that nobody knows is refused, and it is gone") {
    REQUIRE(rig.vault().make_ephemeral(first, point) == Status::kOk);
    CHECK(rig.vault().derive(first, static_cast<Suite>(3), peer, transcript_of(1), keys) ==
          Status::kUnsupported);
    CHECK(rig.vault().derive(first, suite, peer, transcript_of(1), keys) == Status::kInvalidArgument);
  }
}

TEMPLATE_TEST_CASE("no nonce seals twice", "", ALL_RIGS) {
  TestType rig;
  OpenedSession session(rig.vault(), suites_of(rig.vault()).front());
  uint8_t out[kGcmTagSize + 4];
  const uint8_t text[4] = {1, 2, 3, 4};
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move): using a nonce again is what is tested.
  SealNonce nonce = session.counter.take();
  const SessionKey key = session.keys.vehicle_to_backend;
  CHECK(rig.vault().seal(key, std::move(nonce), {}, Bytes{text}, MutableBytes{out}) == Status::kOk);
  CHECK(rig.vault().seal(key, std::move(nonce), {}, Bytes{text}, MutableBytes{out}) ==
        Status::kInvalidArgument);
  SealNonce spoiled = session.counter.take();
  CHECK(rig.vault().seal(SessionKey{12345}, std::move(spoiled), {}, Bytes{text}, MutableBytes{out}) ==
        Status::kInvalidArgument);
  CHECK(rig.vault().seal(key, std::move(spoiled), {}, Bytes{text}, MutableBytes{out}) ==
        Status::kInvalidArgument);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  session.counter.restart(0);
  CHECK(rig.vault().seal(key, session.counter.take(), {}, Bytes{text}, MutableBytes{out}) ==
        Status::kInvalidArgument);
}

TEMPLATE_TEST_CASE("each key works in its own direction only", "", ALL_RIGS) {
  TestType rig;
  for (const Suite suite : suites_of(rig.vault())) {
    OpenedSession session(rig.vault(), suite);
    std::vector<uint8_t> out(20);
    CHECK(rig.vault().seal(session.keys.backend_to_vehicle, session.counter.take(), {}, view(pattern(4)),
                           {out.data(), 20}) == Status::kInvalidArgument);
    const auto sealed = seal(rig.vault(), session, {}, view(pattern(4)));
    CHECK(open(rig.vault(), session.keys.vehicle_to_backend, nonce_of(2), {}, view(sealed), out) ==
          Status::kInvalidArgument);
    CHECK(all_zero(out));
  }
}

TEMPLATE_TEST_CASE("destroyed keys are gone, those of other sessions stay", "", ALL_RIGS) {
  TestType rig;
  const Suite suite = suites_of(rig.vault()).front();
  OpenedSession ended(rig.vault(), suite, 1);
  OpenedSession living(rig.vault(), suite, 2);
  const SessionKeys copy = ended.keys;
  rig.vault().destroy(ended.keys);
  CHECK(ended.keys.vehicle_to_backend.handle == 0);
  rig.vault().destroy(ended.keys);  // Handles of 0 are ignored.
  uint8_t out[20];
  CHECK(rig.vault().seal(copy.vehicle_to_backend, ended.counter.take(), {}, view(pattern(4)),
                         MutableBytes{out}) == Status::kInvalidArgument);
  CHECK(seal(rig.vault(), living, {}, view(pattern(4))).size() == 20);
}

TEMPLATE_TEST_CASE("as many sessions as the spool may hold have keys at the same time", "", ALL_RIGS) {
  TestType rig;
  const Suite suite = suites_of(rig.vault()).front();
  std::vector<std::unique_ptr<OpenedSession>> sessions;
  for (size_t i = 0; i < kLiveSessionsMax; ++i) {
    sessions.push_back(std::make_unique<OpenedSession>(rig.vault(), suite, static_cast<uint8_t>(i)));
  }
  for (auto& session : sessions) {
    const auto sealed = seal(rig.vault(), *session, {}, view(pattern(4)));
    CHECK(fakes::gcm_open(session->peer.vehicle_to_backend, nonce_of(1), {}, view(sealed)));
    rig.vault().destroy(session->keys);
  }
}

TEMPLATE_TEST_CASE("after opening the token again, old session keys are gone and new ones work", "", ALL_RIGS) {
  TestType rig;
  const Suite suite = suites_of(rig.vault()).front();
  OpenedSession before(rig.vault(), suite);
  EphemeralKey ephemeral;
  EcPoint point;
  EcPoint identity;
  EcPoint same_identity;
  REQUIRE(rig.vault().make_ephemeral(ephemeral, point) == Status::kOk);
  REQUIRE(rig.vault().public_key(IdentityKey::kE2e, identity) == Status::kOk);
  const uint32_t epoch = rig.vault().epoch();
  REQUIRE(rig.vault().reopen() == Status::kOk);
  CHECK(rig.vault().epoch() > epoch);
  REQUIRE(rig.vault().public_key(IdentityKey::kE2e, same_identity) == Status::kOk);
  CHECK(identity == same_identity);
  uint8_t out[20];
  CHECK(rig.vault().seal(before.keys.vehicle_to_backend, before.counter.take(), {}, view(pattern(4)),
                         MutableBytes{out}) == Status::kInvalidArgument);
  SessionKeys keys;
  CHECK(rig.vault().derive(ephemeral, suite, Peer{}.point, transcript_of(1), keys) == Status::kInvalidArgument);
  OpenedSession after(rig.vault(), suite);
  CHECK(seal(rig.vault(), after, {}, view(pattern(4))).size() == 20);
}

}  // namespace wayseal::test
