// SPDX-License-Identifier: Apache-2.0
#include "records/fixed_vault.hpp"

namespace wayseal::records {
namespace {

constexpr size_t kCertificateBytes = 421;  // an odd number that fits every profile
constexpr uint32_t kHandle = 1;
constexpr char kName[] = "RECORDS-1";

Status hash(Bytes input, Digest& digest) {
  size_t size = 0;
  const psa_status_t status =
      psa_hash_compute(PSA_ALG_SHA_256, input.data(), input.size(), digest.data, Digest::kSize, &size);
  return status == PSA_SUCCESS && size == Digest::kSize ? Status::kOk : Status::kBadState;
}

}  // namespace

Status fixed_bytes(const char* label, uint8_t number, MutableBytes out) {
  uint8_t block[24] = {};
  const size_t length = std::strlen(label);
  if (length > sizeof block - 2) return Status::kInvalidArgument;
  std::memcpy(block, label, length);
  block[sizeof block - 2] = number;
  while (!out.empty()) {
    Digest digest;
    WAYSEAL_TRY(hash(block, digest));
    const size_t count = out.first(Digest::kSize).size();
    std::memcpy(out.data(), digest.data, count);
    out = out.from(count);
    ++block[sizeof block - 1];
  }
  return Status::kOk;
}

Status fixed_point(const char* label, uint8_t number, EcPoint& point) {
  point.data[0] = 0x04;
  return fixed_bytes(label, number, point.mutable_bytes().from(1));
}

FixedVault::~FixedVault() { do_destroy({}); }

VaultCapabilities FixedVault::do_capabilities() const {
  VaultCapabilities capabilities;
  capabilities.suites.add(Suite::kP256HkdfSha256Aes256Gcm);
  return capabilities;
}

Status FixedVault::do_random(MutableBytes out) { return fixed_bytes("random", blocks_++, out); }

Status FixedVault::do_sign(IdentityKey, const Digest& digest, EcSignature& signature) {
  Digest half;
  WAYSEAL_TRY(hash(digest.bytes(), half));
  std::memcpy(signature.data, half.data, Digest::kSize);
  std::memcpy(signature.data + Digest::kSize, digest.data, Digest::kSize);
  return Status::kOk;
}

Status FixedVault::do_public_key(IdentityKey, EcPoint& point) { return fixed_point("identity", 0, point); }

Result<size_t> FixedVault::do_read_object(VaultObject object, MutableBytes out) {
  if (out.size() < kCertificateBytes) return Status::kBufferTooSmall;
  WAYSEAL_TRY(fixed_bytes("certificate", static_cast<uint8_t>(object), out.first(kCertificateBytes)));
  return size_t{kCertificateBytes};
}

Status FixedVault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  key.handle = kHandle;
  return fixed_point("ephemeral", blocks_++, point);
}

Status FixedVault::do_derive(EphemeralKey, Suite, const EcPoint&, const Digest& transcript, SessionKeys& keys) {
  do_destroy({});
  Digest value;
  WAYSEAL_TRY(hash(transcript.bytes(), value));
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_ENCRYPT);
  psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
  if (psa_import_key(&attributes, value.data, Digest::kSize, &key_) != PSA_SUCCESS) return Status::kFull;
  keys.vehicle_to_backend.handle = kHandle;
  keys.backend_to_vehicle.handle = kHandle;
  return Status::kOk;
}

Status FixedVault::do_seal(SessionKey, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  size_t size = 0;
  const psa_status_t status =
      psa_aead_encrypt(key_, PSA_ALG_GCM, nonce.data, Nonce::kSize, aad.data(), aad.size(), plaintext.data(),
                       plaintext.size(), out.data(), out.size(), &size);
  return status == PSA_SUCCESS && size == out.size() ? Status::kOk : Status::kTokenLost;
}

void FixedVault::do_destroy(const SessionKeys&) {
  if (key_ != 0) static_cast<void>(psa_destroy_key(key_));
  key_ = 0;
}

Status FixedVerifier::do_verify(const CertChain&, Role, CertificateDates, CertInfo& info) {
  info = {};
  std::memcpy(info.subject.text, kName, sizeof kName - 1);
  info.subject.size = sizeof kName - 1;
  return fixed_point("identity", 0, info.public_key);
}

}  // namespace wayseal::records
