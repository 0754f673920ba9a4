// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/key_vault.hpp"

namespace wayseal {
namespace {

constexpr uint8_t kUncompressedPoint = 0x04;

// Called with lengths that were checked, so that end pointers do not wrap.
bool overlap(Bytes a, Bytes b) {
  const auto a_begin = reinterpret_cast<uintptr_t>(a.data());
  const auto b_begin = reinterpret_cast<uintptr_t>(b.data());
  return !a.empty() && !b.empty() && a_begin < b_begin + b.size() && b_begin < a_begin + a.size();
}

}  // namespace

SealNonce NonceCounter::take() {
  Nonce nonce;
  const bool fresh = !exhausted();
  if (fresh) ++last_;
  store_be64(nonce.data + 4, last_);
  SealNonce taken(nonce);
  taken.fresh_ = fresh;
  return taken;
}

Status KeyVault::reopen() {
  alive();
  return do_reopen();
}

Status KeyVault::random(MutableBytes out) {
  if (out.empty()) return Status::kOk;
  alive();
  return do_random(out);
}

Status KeyVault::sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  alive();
  return do_sign(key, digest, signature);
}

Status KeyVault::public_key(IdentityKey key, EcPoint& point) {
  alive();
  return do_public_key(key, point);
}

Result<size_t> KeyVault::read_object(VaultObject object, MutableBytes out) {
  alive();
  return do_read_object(object, out);
}

Status KeyVault::make_ephemeral(EphemeralKey& key, EcPoint& point) {
  alive();
  return do_make_ephemeral(key, point);
}

Status KeyVault::derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                        SessionKeys& keys) {
  keys = {};
  // The port is called whatever the arguments are: it has an ephemeral to destroy.
  alive();
  const bool acceptable = key.handle != 0 && peer.data[0] == kUncompressedPoint;
  const Status status = do_derive(acceptable ? key : EphemeralKey{}, suite, peer, transcript, keys);
  if (acceptable && status == Status::kOk) return Status::kOk;
  keys = {};
  if (acceptable || status == Status::kTokenLost) return status;
  return key.handle == 0 ? Status::kInvalidArgument : Status::kNotAuthentic;
}

Status KeyVault::seal(SessionKey key, SealNonce nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  const bool fresh = nonce.fresh_;
  nonce.fresh_ = false;
  if (!fresh || key.handle == 0) return Status::kInvalidArgument;
  if (out.size() < kGcmTagSize || out.size() - kGcmTagSize != plaintext.size()) return Status::kInvalidArgument;
  if (overlap(plaintext, out)) return Status::kInvalidArgument;
  alive();
  return do_seal(key, nonce.nonce_, aad, plaintext, out);
}

Status KeyVault::open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) {
  const bool sizes_match = ciphertext.size() >= kGcmTagSize && ciphertext.size() - kGcmTagSize == out.size();
  Status status = Status::kInvalidArgument;
  if (sizes_match && key.handle != 0 && !overlap(ciphertext, out)) {
    alive();
    status = do_open(key, nonce, aad, ciphertext, out);
  }
  // Whatever the token wrote before it found the tag wrong is not for anybody's eyes.
  if (status != Status::kOk && !overlap(ciphertext, out)) wipe(out);
  return status;
}

}  // namespace wayseal
