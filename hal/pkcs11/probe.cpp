// SPDX-License-Identifier: Apache-2.0
#include "session_keys.hpp"

namespace wayseal::pkcs11 {
namespace {

// What a token says it can do, and what it does, differ; so a suite counts only when a whole session worked.
// Both sides run in the token: the second plays the backend, with the uses of its keys the other way round.
struct Side {
  KeyPair pair;
  EcPoint point;
  CK_OBJECT_HANDLE vehicle_to_backend = 0;
  CK_OBJECT_HANDLE backend_to_vehicle = 0;
};

CK_RV make_side(const Token& token, Side& side) {
  const CK_RV rv = make_key_pair(token, side.pair);
  return rv == CKR_OK ? read_point(token, side.pair.public_key, side.point) : rv;
}

CK_RV derive_side(const Token& token, Kdf kdf, Side& side, const EcPoint& peer, KeyUse vehicle_to_backend) {
  const KeyUse other = vehicle_to_backend == KeyUse::kEncrypt ? KeyUse::kDecrypt : KeyUse::kEncrypt;
  Digest transcript;
  for (size_t i = 0; i < Digest::kSize; ++i) transcript.data[i] = static_cast<uint8_t>(i);
  CK_OBJECT_HANDLE z = 0;
  CK_RV rv = make_z(token, side.pair.private_key, peer, kdf, z);
  if (rv == CKR_OK) {
    rv = make_session_key(token, z, kdf, kVehicleToBackend, transcript, vehicle_to_backend,
                          side.vehicle_to_backend);
  }
  if (rv == CKR_OK) {
    rv = make_session_key(token, z, kdf, kBackendToVehicle, transcript, other, side.backend_to_vehicle);
  }
  destroy(token, z);
  destroy(token, side.pair);
  return rv;
}

void destroy(const Token& token, Side& side) {
  pkcs11::destroy(token, side.backend_to_vehicle);
  pkcs11::destroy(token, side.vehicle_to_backend);
  pkcs11::destroy(token, side.pair);
}

// Seals with one key, opens with the other, and sees a changed bit refused.
CK_RV try_keys(const Token& token, CK_OBJECT_HANDLE sealing, CK_OBJECT_HANDLE opening) {
  static constexpr uint8_t kAad[] = {'a', 'a', 'd'};
  static constexpr uint8_t kText[] = {'w', 'a', 'y', 's', 'e', 'a', 'l', ' ', 'p', 'r', 'o', 'b', 'e'};
  const Nonce nonce;
  uint8_t sealed[sizeof kText + kGcmTagSize];
  uint8_t opened[sizeof kText];
  uint8_t room[sizeof sealed];
  CK_RV rv = gcm_encrypt(token, sealing, nonce, Bytes{kAad}, Bytes{kText}, MutableBytes{sealed});
  if (rv == CKR_OK)
    rv = gcm_decrypt(token, opening, nonce, Bytes{kAad}, Bytes{sealed}, MutableBytes{room},
                     MutableBytes{opened});
  if (rv != CKR_OK) return rv;
  if (!equal(Bytes{opened}, Bytes{kText})) return CKR_FUNCTION_FAILED;
  sealed[0] ^= 1;
  rv = gcm_decrypt(token, opening, nonce, Bytes{kAad}, Bytes{sealed}, MutableBytes{room}, MutableBytes{opened});
  return rv == cryptoki::kAeadDecryptFailed ? CKR_OK : CKR_FUNCTION_FAILED;
}

bool has_mechanism(const CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_FLAGS use) {
  CK_MECHANISM_INFO info = {};
  return functions->C_GetMechanismInfo(slot, type, &info) == CKR_OK && (info.flags & use) == use;
}

}  // namespace

Kdf find_kdf(const CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, Suite suite) {
  if (!has_mechanism(functions, slot, CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT) ||
      !has_mechanism(functions, slot, CKM_ECDH1_DERIVE, CKF_DERIVE)) {
    return Kdf::kNone;
  }
  if (suite == Suite::kP256HkdfSha256Aes256Gcm) {
    return has_mechanism(functions, slot, cryptoki::kHkdfDerive, CKF_DERIVE) ? Kdf::kHkdf : Kdf::kNone;
  }
  if (has_mechanism(functions, slot, cryptoki::kSp800108CounterKdf, CKF_DERIVE)) return Kdf::kCmacNative;
  return has_mechanism(functions, slot, CKM_AES_ECB_ENCRYPT_DATA, CKF_DERIVE) &&
                 has_mechanism(functions, slot, CKM_AES_CBC_ENCRYPT_DATA, CKF_DERIVE)
             ? Kdf::kCmacFromEncrypt
             : Kdf::kNone;
}

CK_RV probe_kdf(const Token& token, Kdf kdf) {
  Side vehicle;
  Side backend;
  CK_RV rv = make_side(token, vehicle);
  if (rv == CKR_OK) rv = make_side(token, backend);
  if (rv == CKR_OK) rv = derive_side(token, kdf, vehicle, backend.point, KeyUse::kEncrypt);
  if (rv == CKR_OK) rv = derive_side(token, kdf, backend, vehicle.point, KeyUse::kDecrypt);
  if (rv == CKR_OK) rv = try_keys(token, vehicle.vehicle_to_backend, backend.vehicle_to_backend);
  if (rv == CKR_OK) rv = try_keys(token, backend.backend_to_vehicle, vehicle.backend_to_vehicle);
  destroy(token, vehicle);
  destroy(token, backend);
  return rv;
}

}  // namespace wayseal::pkcs11
