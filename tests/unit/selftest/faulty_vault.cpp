// SPDX-License-Identifier: Apache-2.0
#include "unit/selftest/faulty_vault.hpp"

#include <algorithm>

namespace wayseal::test {
namespace {

fakes::FakeVaultOptions options_of(VaultFault fault) {
  fakes::FakeVaultOptions options;
  if (fault == VaultFault::kNoSuites) options.suites = SuiteSet{0};
  if (fault == VaultFault::kCounterGrowsByItself) options.counter = 5;
  return options;
}

}  // namespace

FaultyVault::FaultyVault(VaultFault fault) : fault_(fault), inner_(options_of(fault)) {
  EcPoint point;
  const IdentityKey key = has(VaultFault::kOtherCertificate) ? IdentityKey::kTls : IdentityKey::kE2e;
  static_cast<void>(inner_.public_key(key, point));
  std::vector<uint8_t> certificate(200, 0x30);
  std::copy(point.data, point.data + EcPoint::kSize, certificate.begin() + 90);
  inner_.set_object(VaultObject::kE2eCertificate, {certificate.data(), certificate.size()});
}

VaultCapabilities FaultyVault::do_capabilities() const {
  VaultCapabilities out = inner_.capabilities();
  if (has(VaultFault::kClaimsCounter)) out.monotonic_counter = true;
  return out;
}

uint32_t FaultyVault::do_epoch() const {
  if (has(VaultFault::kEpochGrowsByItself)) return inner_.epoch() * 1000 + epoch_calls_++;
  if (has(VaultFault::kReopenKeepsEpoch)) return 1;
  return inner_.epoch() + reopenings_;
}

Status FaultyVault::do_reopen() {
  if (has(VaultFault::kReopenRefused)) return Status::kTokenLost;
  ++reopenings_;
  return has(VaultFault::kReopenKeepsKeys) ? Status::kOk : inner_.reopen();
}

Status FaultyVault::do_random(MutableBytes out) {
  const Status status = inner_.random(out);
  for (size_t i = 0; i < out.size(); ++i) {
    if (has(VaultFault::kConstantRandom)) out[i] = static_cast<uint8_t>(epoch_calls_);
    if (has(VaultFault::kRepeatedRandom)) out[i] = static_cast<uint8_t>(i);
  }
  if (has(VaultFault::kConstantRandom)) ++epoch_calls_;
  return status;
}

Status FaultyVault::do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  Digest other = digest;
  if (has(VaultFault::kE2eSignsAnotherDigest) && key == IdentityKey::kE2e) other.data[0] ^= 1U;
  return inner_.sign(has(VaultFault::kTlsSignsWithE2e) ? IdentityKey::kE2e : key, other, signature);
}

Status FaultyVault::do_public_key(IdentityKey key, EcPoint& point) {
  if (has(VaultFault::kNoE2eKey) && key == IdentityKey::kE2e) return Status::kNotFound;
  const bool another = has(VaultFault::kReopenMakesNewIdentity) && reopenings_ > 0;
  return inner_.public_key(another ? IdentityKey::kTls : key, point);
}

Result<size_t> FaultyVault::do_read_object(VaultObject object, MutableBytes out) {
  const Result<size_t> size = inner_.read_object(object, out);
  const bool cut = has(VaultFault::kCutsObjects) && size.status() == Status::kBufferTooSmall;
  return cut ? Result<size_t>(out.size()) : size;
}

Status FaultyVault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  if (!has(VaultFault::kSameEphemeral) || given_.handle == 0) scalar_ = fakes::random_scalar();
  real_ = inner_.import_ephemeral(scalar_);
  given_ = real_;
  key = given_;
  point = fakes::public_point(scalar_);
  if (has(VaultFault::kPointOffCurve)) point.data[64] ^= 1U;
  return Status::kOk;
}

EphemeralKey FaultyVault::usable(EphemeralKey key) {
  if (has(VaultFault::kFormerEphemeralLives) && key.handle != 0 && inner_.ephemeral_alive()) return real_;
  return key.handle == given_.handle ? real_ : key;
}

Status FaultyVault::do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                              SessionKeys& keys) {
  EcPoint taken = peer;
  if (has(VaultFault::kTakesAnyPeer) && !fakes::is_point(peer)) taken = fakes::public_point(scalar_);
  Digest context = transcript;
  if (has(VaultFault::kOtherLabels)) context.data[0] ^= 1U;
  const Status status = inner_.derive(usable(key), suite, taken, context, keys);
  if (status == Status::kOk) made_.push_back(keys);
  const bool kept = (has(VaultFault::kEphemeralServesTwice) && status == Status::kOk) ||
                    (has(VaultFault::kKeepsEphemeralOfBadPeer) && status == Status::kNotAuthentic);
  if (kept) real_ = inner_.import_ephemeral(scalar_);
  return status;
}

Status FaultyVault::do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  Nonce used = nonce;
  if (has(VaultFault::kOneNonce)) store_be64(used.data + 4, 1);
  if (has(VaultFault::kForgetsAadAtSeal)) aad = {};
  const Status status = inner_.seal_with_nonce(key, used, aad, plaintext, out);
  const bool opening = std::any_of(made_.begin(), made_.end(), [&](const SessionKeys& keys) {
    return keys.backend_to_vehicle.handle == key.handle;
  });
  return has(VaultFault::kSealsWithOpeningKey) && opening ? Status::kOk : status;
}

Status FaultyVault::do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) {
  const Status status = inner_.open(key, nonce, aad, ciphertext, out);
  if (status == Status::kOk && has(VaultFault::kOpensWrongly)) out[0] ^= 1U;
  if (status == Status::kNotAuthentic && has(VaultFault::kIgnoresTag)) return Status::kOk;
  if (status == Status::kNotAuthentic && has(VaultFault::kMalformedForTag)) return Status::kMalformed;
  if (status == Status::kInvalidArgument && has(VaultFault::kOpensWithSealingKey)) return Status::kOk;
  return status;
}

void FaultyVault::do_destroy(const SessionKeys& keys) {
  if (has(VaultFault::kNeverDestroys)) return;
  SessionKeys copy = keys;
  inner_.destroy(copy);
  if (!has(VaultFault::kDestroysAll)) return;
  for (SessionKeys& other : made_) inner_.destroy(other);
}

Result<uint64_t> FaultyVault::do_monotonic_counter() {
  const Result<uint64_t> value = inner_.monotonic_counter();
  return has(VaultFault::kCounterGrowsByItself) ? Result<uint64_t>(counter_reads_++) : value;
}

}  // namespace wayseal::test
