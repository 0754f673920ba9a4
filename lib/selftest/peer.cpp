// SPDX-License-Identifier: Apache-2.0
#include "selftest/peer.hpp"

#include <psa/crypto.h>

#include "wayseal/trust/signed.hpp"

namespace wayseal::selftest {
namespace {

constexpr size_t kLabelSize = 7;
constexpr uint8_t kSalt[] = {'w', 'a', 'y', 's', 'e', 'a', 'l', '/', '1', ' ', 'h',
                             'k', 'd', 'f', '-', 's', 'h', 'a', '2', '5', '6'};
constexpr uint8_t kLabels[2][kLabelSize] = {{'w', 's', '1', '.', 'v', '2', 'b'},
                                            {'w', 's', '1', '.', 'b', '2', 'v'}};

Status to_status(psa_status_t status) {
  if (status == PSA_SUCCESS) return Status::kOk;
  return status == PSA_ERROR_NOT_SUPPORTED ? Status::kUnsupported : Status::kBadState;
}

/// A key of PSA for one use.
class UsedKey {
 public:
  UsedKey(const uint8_t (&key)[kKeySize], psa_key_usage_t usage, psa_algorithm_t algorithm) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, algorithm);
    status_ = psa_import_key(&attributes, key, kKeySize, &id_);
  }
  ~UsedKey() {
    if (status_ == PSA_SUCCESS) static_cast<void>(psa_destroy_key(id_));
  }
  UsedKey(const UsedKey&) = delete;
  UsedKey& operator=(const UsedKey&) = delete;
  psa_status_t status() const { return status_; }
  psa_key_id_t id() const { return id_; }

 private:
  psa_key_id_t id_ = 0;
  psa_status_t status_;
};

/// HMAC-SHA256 (RFC 2104) of `first` then `second`, with a key of at most a hash block.
Status hmac(Bytes key, Bytes first, Bytes second, Digest& out) {
  constexpr size_t kBlock = 64;
  uint8_t pad[kBlock] = {};
  std::memcpy(pad, key.data(), key.size());
  for (uint8_t& byte : pad) byte = static_cast<uint8_t>(byte ^ 0x36);
  {
    Sha256 inner;
    inner.add(pad);
    inner.add(first);
    inner.add(second);
    WAYSEAL_TRY(inner.finish(out));
  }
  for (uint8_t& byte : pad) byte = static_cast<uint8_t>(byte ^ 0x36 ^ 0x5C);
  Sha256 outer;
  outer.add(pad);
  outer.add(out.bytes());
  return outer.finish(out);
}

/// HKDF-SHA256 (RFC 5869), one block of output: info is label, transcript, and the block's number 1.
Status hkdf(Bytes z, const uint8_t (&label)[kLabelSize], const Digest& transcript, uint8_t (&key)[kKeySize]) {
  Digest pseudo_random;
  WAYSEAL_TRY(hmac(kSalt, z, {}, pseudo_random));
  uint8_t tail[Digest::kSize + 1];
  std::memcpy(tail, transcript.data, Digest::kSize);
  tail[Digest::kSize] = 1;
  Digest out;
  WAYSEAL_TRY(hmac(pseudo_random.bytes(), label, tail, out));
  std::memcpy(key, out.data, kKeySize);
  return Status::kOk;
}

/// SP 800-108 in counter mode with CMAC-AES-256: [i], label, 0, transcript, [L] in bits; two blocks.
Status cmac_kdf(Bytes z, const uint8_t (&label)[kLabelSize], const Digest& transcript,
                uint8_t (&key)[kKeySize]) {
  uint8_t secret[kKeySize];
  std::memcpy(secret, z.data(), kKeySize);
  const UsedKey used(secret, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_CMAC);
  wipe(secret);
  if (used.status() != PSA_SUCCESS) return to_status(used.status());
  constexpr size_t kBlock = 16;
  uint8_t input[4 + kLabelSize + 1 + Digest::kSize + 4] = {};
  std::memcpy(input + 4, label, kLabelSize);
  std::memcpy(input + 4 + kLabelSize + 1, transcript.data, Digest::kSize);
  store_be32(input + sizeof input - 4, kKeySize * 8);
  for (uint32_t block = 0; block < kKeySize / kBlock; ++block) {
    store_be32(input, block + 1);
    size_t size = 0;
    const psa_status_t status =
        psa_mac_compute(used.id(), PSA_ALG_CMAC, input, sizeof input, key + block * kBlock, kBlock, &size);
    if (status != PSA_SUCCESS) return to_status(status);
  }
  return Status::kOk;
}

}  // namespace

const EcPoint kPeerPoint = {{0x04, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5,
                             0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4,
                             0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A,
                             0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33,
                             0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5}};

Status peer_key(Suite suite, const EcPoint& vehicle, const Digest& transcript, Toward toward,
                uint8_t (&key)[kKeySize]) {
  const Bytes z = vehicle.bytes().from(1).first(kKeySize);
  const auto& label = kLabels[static_cast<uint8_t>(toward)];
  return suite == Suite::kP256HkdfSha256Aes256Gcm ? hkdf(z, label, transcript, key)
                                                  : cmac_kdf(z, label, transcript, key);
}

Status peer_seal(const uint8_t (&key)[kKeySize], const Nonce& nonce, Bytes aad, Bytes plaintext,
                 MutableBytes out) {
  const UsedKey used(key, PSA_KEY_USAGE_ENCRYPT, PSA_ALG_GCM);
  if (used.status() != PSA_SUCCESS) return to_status(used.status());
  size_t size = 0;
  return to_status(psa_aead_encrypt(used.id(), PSA_ALG_GCM, nonce.data, Nonce::kSize, aad.data(), aad.size(),
                                    plaintext.data(), plaintext.size(), out.data(), out.size(), &size));
}

}  // namespace wayseal::selftest
