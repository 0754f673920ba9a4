// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "selftest/peer.hpp"
#include "selftest/run.hpp"
#include "wayseal/trust/signed.hpp"

namespace wayseal::selftest {
namespace {

constexpr size_t kTextSize = 20;
constexpr size_t kSealedSize = kTextSize + kGcmTagSize;
constexpr uint8_t kAad[5] = {'w', 'a', 'y', 0, 1};

Nonce nonce_of(uint64_t sequence) {
  Nonce nonce;
  store_be64(nonce.data + 4, sequence);
  return nonce;
}

Digest counting_digest(uint8_t first) {
  Digest out;
  for (size_t i = 0; i < Digest::kSize; ++i) out.data[i] = static_cast<uint8_t>(first + i);
  return out;
}

bool all_same(Bytes bytes) {
  for (const uint8_t byte : bytes) {
    if (byte != bytes[0]) return false;
  }
  return true;
}

bool contains(Bytes bytes, Bytes part) {
  for (size_t i = 0; i + part.size() <= bytes.size(); ++i) {
    if (equal(bytes.from(i).first(part.size()), part)) return true;
  }
  return false;
}

/// A session of the vault with the peer whose private key is 1.
struct Opened {
  SessionKeys keys;
  NonceCounter counter;
  EcPoint point;

  Status open(Run& run, KeyVault& vault, Suite suite, const Digest& transcript) {
    constexpr uint64_t kRecordsMax = 4;
    counter.restart(kRecordsMax);
    EphemeralKey ephemeral;
    const Status made = run.saw(vault.make_ephemeral(ephemeral, point));
    if (made != Status::kOk) return made;
    return run.saw(vault.derive(ephemeral, suite, kPeerPoint, transcript, keys));
  }
};

class VaultTest {
 public:
  VaultTest(Run& run, KeyVault& vault) : run_(run), vault_(vault), epoch_(vault.epoch()) {
    for (size_t i = 0; i < kTextSize; ++i) text_[i] = static_cast<uint8_t>(i * 31 + 5);
  }

  bool random();
  void identity(IdentityKey key, SelfTestCheck check, EcPoint& point);
  void certificate(const EcPoint& point);
  bool ephemerals();
  bool bad_peer();
  bool once();
  void sessions();
  void counter();
  void epoch() { run_.check(SelfTestCheck::kVaultEpoch, vault_.epoch() == epoch_); }
  void reopen(const EcPoint& identity);

 private:
  struct Findings {
    bool seal = true;
    bool open = true;
    bool tamper = true;
    bool direction = true;
    bool compared = false;  // at least one suite could be computed here
  };
  Suite any_suite() const {
    return vault_.capabilities().suites.has(Suite::kP256HkdfSha256Aes256Gcm) ? Suite::kP256HkdfSha256Aes256Gcm
                                                                             : Suite::kP256CmacKdfAes256Gcm;
  }
  bool signs(IdentityKey key, const EcPoint& point);
  void session(Suite suite, Findings& found);
  bool seals(Opened& session, const uint8_t (&key)[kKeySize]);
  void opens(const Opened& session, const uint8_t (&key)[kKeySize], Findings& found);
  bool directions(Opened& session);
  bool destroyed();
  bool seal_is_refused(SessionKey key, NonceCounter& counter);
  Status open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes sealed) {
    return run_.saw(vault_.open(key, nonce, aad, sealed, MutableBytes{out_}.first(kTextSize)));
  }

  Run& run_;
  KeyVault& vault_;
  const uint32_t epoch_;
  uint8_t text_[kTextSize];
  uint8_t out_[kSealedSize];
};

bool VaultTest::random() {
  uint8_t draws[2][32] = {};
  for (auto& draw : draws) {
    if (run_.saw(vault_.random(draw)) != Status::kOk || all_same(draw)) return false;
  }
  return !equal(draws[0], draws[1]);
}

bool VaultTest::signs(IdentityKey key, const EcPoint& point) {
  const Digest digest = counting_digest(1);
  EcSignature signature;
  if (check_point(point) != Status::kOk) return false;
  if (run_.saw(vault_.sign(key, digest, signature)) != Status::kOk) return false;
  return run_.saw(verify_signature(point, digest, signature.bytes())) == Status::kOk &&
         verify_signature(point, counting_digest(2), signature.bytes()) == Status::kNotAuthentic;
}

void VaultTest::identity(IdentityKey key, SelfTestCheck check, EcPoint& point) {
  const Status status = run_.saw(vault_.public_key(key, point));
  if (status == Status::kNotFound && key == IdentityKey::kTls) {
    run_.skip(check);
    return;
  }
  run_.check(check, status == Status::kOk && signs(key, point));
}

void VaultTest::certificate(const EcPoint& point) {
  const Result<size_t> size = vault_.read_object(VaultObject::kE2eCertificate, run_.memory());
  if (run_.saw(size.status()) == Status::kNotFound) {
    run_.skip(SelfTestCheck::kVaultCertificate, SelfTestCheck::kVaultObjectSize);
    return;
  }
  run_.check(SelfTestCheck::kVaultCertificate,
             size.ok() && contains(run_.memory().first(size.value()), point.bytes()));
  const size_t less = size.value() > 0 ? size.value() - 1 : 0;
  run_.check(SelfTestCheck::kVaultObjectSize,
             run_.saw(vault_.read_object(VaultObject::kE2eCertificate, run_.memory().first(less)).status()) ==
                 Status::kBufferTooSmall);
}

bool VaultTest::ephemerals() {
  EphemeralKey first;
  EphemeralKey second;
  EcPoint points[2];
  if (run_.saw(vault_.make_ephemeral(first, points[0])) != Status::kOk) return false;
  if (run_.saw(vault_.make_ephemeral(second, points[1])) != Status::kOk) return false;
  const bool sound = check_point(points[0]) == Status::kOk && check_point(points[1]) == Status::kOk;
  SessionKeys keys;
  const Status former = run_.saw(vault_.derive(first, any_suite(), kPeerPoint, counting_digest(1), keys));
  vault_.destroy(keys);
  return sound && points[0] != points[1] && former == Status::kInvalidArgument;
}

bool VaultTest::bad_peer() {
  EcPoint off_curve = kPeerPoint;
  off_curve.data[EcPoint::kSize - 1] ^= 1U;
  EphemeralKey ephemeral;
  EcPoint point;
  SessionKeys keys;
  if (run_.saw(vault_.make_ephemeral(ephemeral, point)) != Status::kOk) return false;
  const Status refused = run_.saw(vault_.derive(ephemeral, any_suite(), off_curve, counting_digest(1), keys));
  vault_.destroy(keys);
  const Status gone = run_.saw(vault_.derive(ephemeral, any_suite(), kPeerPoint, counting_digest(1), keys));
  vault_.destroy(keys);
  return refused == Status::kNotAuthentic && gone == Status::kInvalidArgument;
}

bool VaultTest::once() {
  EphemeralKey ephemeral;
  EcPoint point;
  SessionKeys keys;
  SessionKeys again;
  if (run_.saw(vault_.make_ephemeral(ephemeral, point)) != Status::kOk) return false;
  const Status first = run_.saw(vault_.derive(ephemeral, any_suite(), kPeerPoint, counting_digest(1), keys));
  const Status second = run_.saw(vault_.derive(ephemeral, any_suite(), kPeerPoint, counting_digest(1), again));
  vault_.destroy(keys);
  vault_.destroy(again);
  return first == Status::kOk && second == Status::kInvalidArgument;
}

/// Two records, so that a vault that always takes one nonce is found out.
bool VaultTest::seals(Opened& session, const uint8_t (&key)[kKeySize]) {
  for (uint64_t sequence = 1; sequence <= 2; ++sequence) {
    uint8_t expected[kSealedSize];
    if (peer_seal(key, nonce_of(sequence), kAad, text_, expected) != Status::kOk) return false;
    const Status status =
        run_.saw(vault_.seal(session.keys.vehicle_to_backend, session.counter.take(), kAad, text_, out_));
    if (status != Status::kOk || !equal(out_, expected)) return false;
  }
  return true;
}

void VaultTest::opens(const Opened& session, const uint8_t (&key)[kKeySize], Findings& found) {
  constexpr uint64_t kSequence = 77;
  uint8_t sealed[kSealedSize];
  const SessionKey ours = session.keys.backend_to_vehicle;
  const bool computed = peer_seal(key, nonce_of(kSequence), kAad, text_, sealed) == Status::kOk;
  const bool opened = computed && open(ours, nonce_of(kSequence), kAad, sealed) == Status::kOk &&
                      equal(Bytes{out_}.first(kTextSize), text_);
  if (!opened) found.open = false;
  const auto refused = [&](const Nonce& nonce, Bytes aad) {
    if (open(ours, nonce, aad, sealed) != Status::kNotAuthentic) found.tamper = false;
  };
  refused(nonce_of(kSequence + 1), kAad);
  refused(nonce_of(kSequence), Bytes{kAad}.first(4));
  for (const size_t at : {size_t{0}, kSealedSize - 1}) {
    sealed[at] ^= 0x80U;
    refused(nonce_of(kSequence), kAad);
    sealed[at] ^= 0x80U;
  }
}

bool VaultTest::directions(Opened& session) {
  const bool seals = seal_is_refused(session.keys.backend_to_vehicle, session.counter);
  const uint8_t sealed[kSealedSize] = {};
  return seals && open(session.keys.vehicle_to_backend, nonce_of(1), kAad, sealed) == Status::kInvalidArgument;
}

bool VaultTest::seal_is_refused(SessionKey key, NonceCounter& counter) {
  return run_.saw(vault_.seal(key, counter.take(), kAad, text_, out_)) == Status::kInvalidArgument;
}

void VaultTest::session(Suite suite, Findings& found) {
  Opened session;
  const Digest transcript = counting_digest(static_cast<uint8_t>(suite));
  if (session.open(run_, vault_, suite, transcript) != Status::kOk) {
    found = {false, false, false, false, true};
    return;
  }
  uint8_t ours[kKeySize];
  uint8_t theirs[kKeySize];
  const Status computed = peer_key(suite, session.point, transcript, Toward::kBackend, ours);
  if (computed != Status::kUnsupported) {
    found.compared = true;
    if (computed != Status::kOk || !seals(session, ours)) found.seal = false;
    const bool known = peer_key(suite, session.point, transcript, Toward::kVehicle, theirs) == Status::kOk;
    if (known) opens(session, theirs, found);
    if (!known) found.open = false;
  }
  if (!directions(session)) found.direction = false;
  vault_.destroy(session.keys);
  wipe(ours);
  wipe(theirs);
}

bool VaultTest::destroyed() {
  Opened ended;
  Opened living;
  const bool opened = ended.open(run_, vault_, any_suite(), counting_digest(3)) == Status::kOk &&
                      living.open(run_, vault_, any_suite(), counting_digest(4)) == Status::kOk;
  const SessionKeys copy = ended.keys;
  vault_.destroy(ended.keys);
  const bool gone = opened && seal_is_refused(copy.vehicle_to_backend, ended.counter);
  const bool lives = opened && run_.saw(vault_.seal(living.keys.vehicle_to_backend, living.counter.take(), kAad,
                                                    text_, out_)) == Status::kOk;
  vault_.destroy(living.keys);
  return gone && lives;
}

void VaultTest::sessions() {
  Findings found;
  for (const Suite suite : {Suite::kP256HkdfSha256Aes256Gcm, Suite::kP256CmacKdfAes256Gcm}) {
    if (vault_.capabilities().suites.has(suite)) session(suite, found);
  }
  if (found.compared) {
    run_.check(SelfTestCheck::kVaultSeal, found.seal);
    run_.check(SelfTestCheck::kVaultOpen, found.open);
    run_.check(SelfTestCheck::kVaultTamper, found.tamper);
  } else {
    run_.skip(SelfTestCheck::kVaultSeal, SelfTestCheck::kVaultTamper);
  }
  run_.check(SelfTestCheck::kVaultDirection, found.direction);
  run_.check(SelfTestCheck::kVaultDestroyed, destroyed());
}

void VaultTest::counter() {
  const Result<uint64_t> first = vault_.monotonic_counter();
  const Result<uint64_t> second = vault_.monotonic_counter();
  static_cast<void>(run_.saw(second.status()));
  const bool has_one = vault_.capabilities().monotonic_counter;
  run_.check(SelfTestCheck::kVaultCounter, has_one
                                               ? first.ok() && second.ok() && first.value() == second.value()
                                               : first.status() == Status::kUnsupported);
}

void VaultTest::reopen(const EcPoint& identity) {
  Opened before;
  Opened after;
  const bool opened = before.open(run_, vault_, any_suite(), counting_digest(5)) == Status::kOk;
  const bool reopened = run_.saw(vault_.reopen()) == Status::kOk && vault_.epoch() > epoch_;
  if (!opened || !reopened) {
    run_.check(SelfTestCheck::kVaultReopen, false);
    return;
  }
  const bool gone = seal_is_refused(before.keys.vehicle_to_backend, before.counter);
  EcPoint same;
  const bool kept = run_.saw(vault_.public_key(IdentityKey::kE2e, same)) == Status::kOk && same == identity;
  const bool works = after.open(run_, vault_, any_suite(), counting_digest(6)) == Status::kOk;
  vault_.destroy(after.keys);
  run_.check(SelfTestCheck::kVaultReopen, gone && kept && works);
}

}  // namespace

void test_vault(Run& run, KeyVault& vault) {
  VaultTest test(run, vault);
  const bool suites = run.check(SelfTestCheck::kVaultSuites, !vault.capabilities().suites.empty());
  EcPoint point;
  run.check(SelfTestCheck::kVaultRandom, test.random());
  test.identity(IdentityKey::kTls, SelfTestCheck::kVaultTlsKey, point);
  test.identity(IdentityKey::kE2e, SelfTestCheck::kVaultE2eKey, point);
  test.certificate(point);
  if (suites) {
    run.check(SelfTestCheck::kVaultEphemeral, test.ephemerals());
    run.check(SelfTestCheck::kVaultPeer, test.bad_peer());
    run.check(SelfTestCheck::kVaultOnce, test.once());
    test.sessions();
  } else {
    run.skip(SelfTestCheck::kVaultEphemeral, SelfTestCheck::kVaultDestroyed);
  }
  test.counter();
  test.epoch();
  test.reopen(point);
}

}  // namespace wayseal::selftest
