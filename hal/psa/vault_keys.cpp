// SPDX-License-Identifier: Apache-2.0
// What a vault does with its keys.
#include <initializer_list>

#include "wayseal/psa/psa_vault.hpp"

namespace wayseal {
namespace {

constexpr psa_algorithm_t kAgreement = PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256));
constexpr size_t kP256Bits = 256;
constexpr size_t kSessionKeyBits = 256;
constexpr size_t kLabelSize = 7;
constexpr uint8_t kVehicleToBackend[kLabelSize] = {'w', 's', '1', '.', 'v', '2', 'b'};
constexpr uint8_t kBackendToVehicle[kLabelSize] = {'w', 's', '1', '.', 'b', '2', 'v'};
constexpr char kSalt[] = "wayseal/1 hkdf-sha256";

bool is_absent(psa_status_t error) {
  return error == PSA_ERROR_DOES_NOT_EXIST || error == PSA_ERROR_INVALID_HANDLE;
}

// PSA may take a null pointer for an empty input, or not.
const uint8_t* data_of(Bytes bytes) {
  static constexpr uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

// Suite 1, RFC 5869: extract with the fixed salt, expand with label and transcript; Z stays in PSA.
psa_status_t feed(psa_key_derivation_operation_t& kdf, psa_key_id_t ephemeral, const EcPoint& peer,
                  Bytes info) {
  psa_status_t error = psa_key_derivation_setup(&kdf, kAgreement);
  if (error != PSA_SUCCESS) return error;
  error = psa_key_derivation_input_bytes(&kdf, PSA_KEY_DERIVATION_INPUT_SALT,
                                         reinterpret_cast<const uint8_t*>(kSalt), sizeof kSalt - 1);
  if (error != PSA_SUCCESS) return error;
  error = psa_key_derivation_key_agreement(&kdf, PSA_KEY_DERIVATION_INPUT_SECRET, ephemeral, peer.data,
                                           EcPoint::kSize);
  // The one argument that is not ours is the peer.
  if (error == PSA_ERROR_INVALID_ARGUMENT) return PSA_ERROR_INVALID_SIGNATURE;
  if (error != PSA_SUCCESS) return error;
  return psa_key_derivation_input_bytes(&kdf, PSA_KEY_DERIVATION_INPUT_INFO, info.data(), info.size());
}

psa_status_t output(psa_key_derivation_operation_t& kdf, psa_key_usage_t use, psa_key_id_t& key) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_bits(&attributes, kSessionKeyBits);
  psa_set_key_usage_flags(&attributes, use);
  psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
  return psa_key_derivation_output_key(&attributes, &kdf, &key);
}

}  // namespace

// PSA asks for its random bytes where it was told to. If that is a channel that asks this vault, nobody has any.
Status PsaVault::do_random(MutableBytes out) {
  WAYSEAL_TRY(begin());
  if (in_random_) {
    diagnostic_ = PSA_ERROR_INSUFFICIENT_ENTROPY;
    return Status::kBadState;
  }
  in_random_ = true;
  const psa_status_t error = psa_generate_random(out.data(), out.size());
  in_random_ = false;
  return check(error);
}

// A software PSA keeps a copy of a persistent key in RAM after its use: it is given up at once.
Status PsaVault::do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  WAYSEAL_TRY(begin());
  size_t size = 0;
  const psa_status_t error = psa_sign_hash(identity(key), PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data,
                                           Digest::kSize, signature.data, EcSignature::kSize, &size);
  if (is_absent(error)) {
    diagnostic_ = error;
    return Status::kNotFound;
  }
  (void)psa_purge_key(identity(key));
  if (error == PSA_SUCCESS && size != EcSignature::kSize) return fail(PSA_ERROR_GENERIC_ERROR);
  return check(error);
}

Status PsaVault::do_public_key(IdentityKey key, EcPoint& point) {
  WAYSEAL_TRY(begin());
  size_t size = 0;
  const psa_status_t error = psa_export_public_key(identity(key), point.data, EcPoint::kSize, &size);
  if (is_absent(error)) {
    diagnostic_ = error;
    return Status::kNotFound;
  }
  (void)psa_purge_key(identity(key));
  if (error == PSA_SUCCESS && size != EcPoint::kSize) return fail(PSA_ERROR_GENERIC_ERROR);
  return check(error);
}

Result<size_t> PsaVault::do_read_object(VaultObject object, MutableBytes out) {
  Status status = begin();
  if (status != Status::kOk) return status;
  psa_storage_info_t info = {};
  psa_status_t error = psa_its_get_info(psa_uid_of(object), &info);
  if (is_absent(error)) return Status::kNotFound;
  if (error == PSA_SUCCESS && info.size > out.size()) return Status::kBufferTooSmall;
  size_t size = 0;
  if (error == PSA_SUCCESS) error = psa_its_get(psa_uid_of(object), 0, info.size, out.data(), &size);
  status = check(error);
  if (status != Status::kOk) return status;
  return size;
}

Status PsaVault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  WAYSEAL_TRY(begin());
  destroy_ephemeral();
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, kP256Bits);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
  psa_set_key_algorithm(&attributes, kAgreement);
  WAYSEAL_TRY(check(psa_generate_key(&attributes, &ephemeral_)));
  size_t size = 0;
  psa_status_t error = psa_export_public_key(ephemeral_, point.data, EcPoint::kSize, &size);
  if (error == PSA_SUCCESS && size != EcPoint::kSize) error = PSA_ERROR_GENERIC_ERROR;
  if (error != PSA_SUCCESS) {
    destroy_ephemeral();
    return fail(error);
  }
  ephemeral_handle_ = next_handle();
  key.handle = ephemeral_handle_;
  return Status::kOk;
}

void PsaVault::destroy_ephemeral() {
  if (ephemeral_ != 0) (void)psa_destroy_key(ephemeral_);
  ephemeral_ = 0;
  ephemeral_handle_ = 0;
}

Status PsaVault::do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                           SessionKeys& keys) {
  WAYSEAL_TRY(begin());
  Status status = Status::kInvalidArgument;
  if (key.handle != 0 && key.handle == ephemeral_handle_) {
    const bool known = suite == Suite::kP256HkdfSha256Aes256Gcm && suites_.has(suite);
    status = known ? agree(peer, transcript, keys) : Status::kUnsupported;
  }
  destroy_ephemeral();
  if (status != Status::kOk) {
    do_destroy(keys);
    keys = {};
  }
  return status;
}

Status PsaVault::agree(const EcPoint& peer, const Digest& transcript, SessionKeys& keys) {
  WAYSEAL_TRY(make_key(PSA_KEY_USAGE_ENCRYPT, peer, transcript, keys.vehicle_to_backend));
  return make_key(PSA_KEY_USAGE_DECRYPT, peer, transcript, keys.backend_to_vehicle);
}

// An agreement for each key: PSA 1.0 cannot expand one Z twice with two labels, and Z is never given out.
Status PsaVault::make_key(psa_key_usage_t use, const EcPoint& peer, const Digest& transcript, SessionKey& key) {
  Slot* slot = find_slot(0);
  if (slot == nullptr) return Status::kFull;
  uint8_t info[kLabelSize + Digest::kSize];
  std::memcpy(info, use == PSA_KEY_USAGE_ENCRYPT ? kVehicleToBackend : kBackendToVehicle, kLabelSize);
  std::memcpy(info + kLabelSize, transcript.data, Digest::kSize);
  psa_key_derivation_operation_t kdf = PSA_KEY_DERIVATION_OPERATION_INIT;
  psa_key_id_t made = 0;
  psa_status_t error = feed(kdf, ephemeral_, peer, Bytes{info});
  if (error == PSA_SUCCESS) error = output(kdf, use, made);
  (void)psa_key_derivation_abort(&kdf);
  WAYSEAL_TRY(check(error));
  *slot = {made, next_handle(), use};
  key.handle = slot->handle;
  return Status::kOk;
}

// A handle of 0 finds a free slot.
PsaVault::Slot* PsaVault::find_slot(uint32_t handle) {
  for (Slot& slot : slots_) {
    if (slot.handle == handle) return &slot;
  }
  return nullptr;
}

// Handles are never 0, and come back only after 2^32 of them; PSA's own ids come back at once.
uint32_t PsaVault::next_handle() {
  const uint32_t handle = next_handle_++;
  return handle != 0 ? handle : next_handle_++;
}

Status PsaVault::do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  WAYSEAL_TRY(begin());
  const Slot* slot = key.handle != 0 ? find_slot(key.handle) : nullptr;
  if (slot == nullptr || slot->use != PSA_KEY_USAGE_ENCRYPT) return Status::kInvalidArgument;
  size_t size = 0;
  psa_status_t error =
      psa_aead_encrypt(slot->key, PSA_ALG_GCM, nonce.data, Nonce::kSize, data_of(aad), aad.size(),
                       data_of(plaintext), plaintext.size(), out.data(), out.size(), &size);
  if (error == PSA_SUCCESS && size != out.size()) error = PSA_ERROR_GENERIC_ERROR;
  if (error != PSA_SUCCESS) wipe(out);
  return check(error);
}

Status PsaVault::do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) {
  WAYSEAL_TRY(begin());
  const Slot* slot = key.handle != 0 ? find_slot(key.handle) : nullptr;
  if (slot == nullptr || slot->use != PSA_KEY_USAGE_DECRYPT) return Status::kInvalidArgument;
  uint8_t nothing = 0;
  const MutableBytes room = out.empty() ? MutableBytes{&nothing, 1} : out;
  size_t size = 0;
  psa_status_t error =
      psa_aead_decrypt(slot->key, PSA_ALG_GCM, nonce.data, Nonce::kSize, data_of(aad), aad.size(),
                       ciphertext.data(), ciphertext.size(), room.data(), room.size(), &size);
  if (error == PSA_SUCCESS && size != out.size()) error = PSA_ERROR_GENERIC_ERROR;
  if (error != PSA_SUCCESS) wipe(out);
  return check(error);
}

void PsaVault::do_destroy(const SessionKeys& keys) {
  if (begin() != Status::kOk) return;
  for (const SessionKey& key : {keys.vehicle_to_backend, keys.backend_to_vehicle}) {
    Slot* slot = key.handle != 0 ? find_slot(key.handle) : nullptr;
    if (slot == nullptr) continue;
    (void)psa_destroy_key(slot->key);
    *slot = {};
  }
}

}  // namespace wayseal
