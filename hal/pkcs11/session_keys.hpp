// SPDX-License-Identifier: Apache-2.0
/// The token operations that a session consists of, without any state: used by the vault and by the probe.
#ifndef WAYSEAL_HAL_PKCS11_SESSION_KEYS_HPP
#define WAYSEAL_HAL_PKCS11_SESSION_KEYS_HPP

#include "wayseal/core/types.hpp"
#include "wayseal/pkcs11/pkcs11_vault.hpp"

namespace wayseal::pkcs11 {

/// `ws1.v2b` and `ws1.b2v` (DESIGN 6.4), 7 bytes.
inline constexpr size_t kLabelSize = 7;
inline constexpr char kVehicleToBackend[] = "ws1.v2b";
inline constexpr char kBackendToVehicle[] = "ws1.b2v";

struct KeyPair {
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
};

/// Session key pair that can do nothing but derive.
CK_RV make_key_pair(const Token& token, KeyPair& pair);
CK_RV read_point(const Token& token, CK_OBJECT_HANDLE public_key, EcPoint& point);
/// Z of an agreement, sensitive, as a key that can only be derived from by `kdf`. `peer` was validated.
CK_RV make_z(const Token& token, CK_OBJECT_HANDLE private_key, const EcPoint& peer, Kdf kdf,
             CK_OBJECT_HANDLE& z);
/// One AES-256 key of a session.
CK_RV make_session_key(const Token& token, CK_OBJECT_HANDLE z, Kdf kdf, const char* label,
                       const Digest& transcript, KeyUse use, CK_OBJECT_HANDLE& key);

/// `out` has room for the tag.
CK_RV gcm_encrypt(const Token& token, CK_OBJECT_HANDLE key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                  MutableBytes out);
/// What a token says to a wrong tag comes back as `kAeadDecryptFailed`, whatever it was.
/// \param room at least as large as `ciphertext`, because SoftHSM2 insists on it: `out` has no room for the
/// tag.
CK_RV gcm_decrypt(const Token& token, CK_OBJECT_HANDLE key, const Nonce& nonce, Bytes aad, Bytes ciphertext,
                  MutableBytes room, MutableBytes out);

/// Destroys an object unless it is 0, and forgets it.
void destroy(const Token& token, CK_OBJECT_HANDLE& object);
inline void destroy(const Token& token, KeyPair& pair) {
  destroy(token, pair.private_key);
  destroy(token, pair.public_key);
}

/// The way to make keys for `suite` in the token of `slot`, by what it says of its mechanisms.
Kdf find_kdf(const CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, Suite suite);
/// Whether `kdf` really works: one whole session between two scratch key pairs.
CK_RV probe_kdf(const Token& token, Kdf kdf);

}  // namespace wayseal::pkcs11

#endif
