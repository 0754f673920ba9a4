// SPDX-License-Identifier: Apache-2.0
// What a vault does with its keys.
#include <initializer_list>

#include "attributes.hpp"
#include "p256_point.hpp"
#include "session_keys.hpp"
#include "wayseal/pkcs11/pkcs11_vault.hpp"

namespace wayseal {

using pkcs11::KeyUse;

Status Pkcs11Vault::begin() {
  if (usable()) return Status::kOk;
  mark_lost();
  return Status::kTokenLost;
}

Status Pkcs11Vault::do_random(MutableBytes out) {
  WAYSEAL_TRY(begin());
  const pkcs11::Token token = signing();
  return check(token.functions->C_GenerateRandom(token.session, out.data(), static_cast<CK_ULONG>(out.size())));
}

Status Pkcs11Vault::do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  WAYSEAL_TRY(begin());
  return sign_with(identity_[static_cast<size_t>(key)], digest, signature);
}

Status Pkcs11Vault::sign_with(const TokenObjectName& name, const Digest& digest, EcSignature& signature) {
  CK_OBJECT_HANDLE object = 0;
  WAYSEAL_TRY(find_object(CKO_PRIVATE_KEY, name, object));
  return sign_with(object, digest, signature);
}

Status Pkcs11Vault::sign_with(CK_OBJECT_HANDLE key, const Digest& digest, EcSignature& signature) {
  if (key == 0) return Status::kNotFound;
  const pkcs11::Token token = signing();
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  WAYSEAL_TRY(check(token.functions->C_SignInit(token.session, &mechanism, key)));
  CK_ULONG size = EcSignature::kSize;
  WAYSEAL_TRY(check(token.functions->C_Sign(token.session, pkcs11::bytes_of(digest.data), Digest::kSize,
                                            signature.data, &size)));
  return size == EcSignature::kSize ? Status::kOk : fail(CKR_FUNCTION_FAILED);
}

Status Pkcs11Vault::do_public_key(IdentityKey key, EcPoint& point) {
  WAYSEAL_TRY(begin());
  return read_public(key == IdentityKey::kTls ? options_.tls_key : options_.e2e_key, point);
}

Status Pkcs11Vault::read_public(const TokenObjectName& name, EcPoint& point) {
  CK_OBJECT_HANDLE object = 0;
  WAYSEAL_TRY(find_object(CKO_PUBLIC_KEY, name, object));
  return check(pkcs11::read_point(signing(), object, point));
}

Result<size_t> Pkcs11Vault::do_read_object(VaultObject object, MutableBytes out) {
  const Status status = begin();
  if (status != Status::kOk) return status;
  return read_certificate(options_.objects[static_cast<size_t>(object)], out);
}

Result<size_t> Pkcs11Vault::read_certificate(const TokenObjectName& name, MutableBytes out) {
  CK_OBJECT_HANDLE handle = 0;
  Status status = find_object(CKO_CERTIFICATE, name, handle);
  if (status != Status::kOk) return status;
  const pkcs11::Token token = signing();
  // The size first: with a null pointer the value's length is asked for, which every token answers.
  CK_ATTRIBUTE value = {CKA_VALUE, nullptr, 0};
  status = check(token.functions->C_GetAttributeValue(token.session, handle, &value, 1));
  if (status != Status::kOk) return status;
  const size_t size = value.ulValueLen;
  if (size > out.size()) return Status::kBufferTooSmall;
  value.pValue = out.data();
  status = check(token.functions->C_GetAttributeValue(token.session, handle, &value, 1));
  if (status != Status::kOk) return status;
  return size;
}

Status Pkcs11Vault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  WAYSEAL_TRY(begin());
  destroy_ephemeral();
  pkcs11::KeyPair pair;
  WAYSEAL_TRY(check(pkcs11::make_key_pair(sealing(), pair)));
  const CK_RV rv = pkcs11::read_point(sealing(), pair.public_key, point);
  pkcs11::destroy(sealing(), pair.public_key);
  if (rv != CKR_OK) {
    pkcs11::destroy(sealing(), pair.private_key);
    return fail(rv);
  }
  ephemeral_ = pair.private_key;
  ephemeral_handle_ = next_handle();
  key.handle = ephemeral_handle_;
  return Status::kOk;
}

void Pkcs11Vault::destroy_ephemeral() {
  pkcs11::destroy(sealing(), ephemeral_);
  ephemeral_handle_ = 0;
}

Status Pkcs11Vault::do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                              SessionKeys& keys) {
  WAYSEAL_TRY(begin());
  const bool known = key.handle != 0 && key.handle == ephemeral_handle_;
  Status status = known ? agree(suite, peer, transcript, keys) : Status::kInvalidArgument;
  // After a loss there is nothing left to destroy, and no session to do it in.
  if (usable()) {
    destroy_ephemeral();
    if (status != Status::kOk) do_destroy(keys);
  }
  if (status != Status::kOk) keys = {};
  return status;
}

Status Pkcs11Vault::agree(Suite suite, const EcPoint& peer, const Digest& transcript, SessionKeys& keys) {
  if (!capabilities().suites.has(suite)) return Status::kUnsupported;
  if (!pkcs11::is_p256_point(peer)) return Status::kNotAuthentic;
  CK_OBJECT_HANDLE z = 0;
  WAYSEAL_TRY(check(pkcs11::make_z(sealing(), ephemeral_, peer, kdf(suite), z)));
  Status status = make_key(z, suite, KeyUse::kEncrypt, transcript, keys.vehicle_to_backend);
  if (status == Status::kOk) status = make_key(z, suite, KeyUse::kDecrypt, transcript, keys.backend_to_vehicle);
  if (usable()) pkcs11::destroy(sealing(), z);
  return status;
}

Status Pkcs11Vault::make_key(CK_OBJECT_HANDLE z, Suite suite, KeyUse use, const Digest& transcript,
                             SessionKey& key) {
  Slot* slot = free_slot();
  if (slot == nullptr) return Status::kFull;
  const char* label = use == KeyUse::kEncrypt ? pkcs11::kVehicleToBackend : pkcs11::kBackendToVehicle;
  CK_OBJECT_HANDLE object = 0;
  WAYSEAL_TRY(check(pkcs11::make_session_key(sealing(), z, kdf(suite), label, transcript, use, object)));
  *slot = {object, next_handle(), use};
  key.handle = slot->handle;
  return Status::kOk;
}

Pkcs11Vault::Slot* Pkcs11Vault::free_slot() {
  for (Slot& slot : slots_) {
    if (slot.handle == 0) return &slot;
  }
  return nullptr;
}

Pkcs11Vault::Slot* Pkcs11Vault::find_slot(SessionKey key) {
  if (key.handle == 0) return nullptr;
  for (Slot& slot : slots_) {
    if (slot.handle == key.handle) return &slot;
  }
  return nullptr;
}

// Handles are never 0, and come back only after 2^32 of them.
uint32_t Pkcs11Vault::next_handle() {
  const uint32_t handle = next_handle_++;
  return handle != 0 ? handle : next_handle_++;
}

Status Pkcs11Vault::do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  WAYSEAL_TRY(begin());
  const Slot* slot = find_slot(key);
  if (slot == nullptr || slot->use != KeyUse::kEncrypt) return Status::kInvalidArgument;
  const Status status = check(pkcs11::gcm_encrypt(sealing(), slot->object, nonce, aad, plaintext, out));
  if (status != Status::kOk) wipe(out);
  return status;
}

Status Pkcs11Vault::do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) {
  WAYSEAL_TRY(begin());
  const Slot* slot = find_slot(key);
  if (slot == nullptr || slot->use != KeyUse::kDecrypt) return Status::kInvalidArgument;
  if (ciphertext.size() > sizeof room_) return Status::kInvalidArgument;
  const CK_RV rv =
      pkcs11::gcm_decrypt(sealing(), slot->object, nonce, aad, ciphertext, MutableBytes{room_}, out);
  if (rv == CKR_OK) return Status::kOk;
  wipe(out);
  if (rv != cryptoki::kAeadDecryptFailed) return fail(rv);
  diagnostic_ = rv;
  return Status::kNotAuthentic;
}

void Pkcs11Vault::do_destroy(const SessionKeys& keys) {
  const bool reachable = begin() == Status::kOk;
  for (const SessionKey key : {keys.vehicle_to_backend, keys.backend_to_vehicle}) {
    Slot* slot = find_slot(key);
    if (slot == nullptr) continue;
    if (reachable) pkcs11::destroy(sealing(), slot->object);
    *slot = {};
  }
}

}  // namespace wayseal
