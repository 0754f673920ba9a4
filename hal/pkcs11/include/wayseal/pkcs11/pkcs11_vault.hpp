// SPDX-License-Identifier: Apache-2.0
/// \file
/// KeyVault over any PKCS#11 2.40 or 3.0 token.
#ifndef WAYSEAL_PKCS11_PKCS11_VAULT_HPP
#define WAYSEAL_PKCS11_PKCS11_VAULT_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/pkcs11/module.hpp"
#include "wayseal/pkcs11/pin_source.hpp"

namespace wayseal {

/// Name of an object in the token.
struct TokenObjectName {
  const char* label = nullptr;  ///< CKA_LABEL. Borrowed for the vault's life.
  Bytes id = {};                ///< CKA_ID; empty: any. Borrowed for the vault's life.
};

/// Which token, and what its objects are called. The defaults are what `wayseal-oem provision` writes.
struct Pkcs11VaultOptions {
  const char* token_label = nullptr;  ///< 1 to 32 characters, without the token's padding. Borrowed.
  TokenObjectName tls_key = {"tls"};
  TokenObjectName e2e_key = {"e2e"};
  /// Certificates (CKO_CERTIFICATE), in the order of VaultObject.
  TokenObjectName objects[6] = {{"tls"},       {"tls-intermediate"}, {"e2e"}, {"e2e-intermediate"},
                                {"data-root"}, {"gateway-ca"}};
};

namespace pkcs11 {
/// How a suite's keys are made in this token.
enum class Kdf : uint8_t {
  kNone,             ///< The token can't.
  kHkdf,             ///< Suite 1: CKM_HKDF_DERIVE.
  kCmacNative,       ///< Suite 2: CKM_SP800_108_COUNTER_KDF.
  kCmacFromEncrypt,  ///< Suite 2: CMAC built of CKM_AES_ECB_ENCRYPT_DATA and CKM_AES_CBC_ENCRYPT_DATA.
};
/// What one session key may do.
enum class KeyUse : uint8_t { kEncrypt, kDecrypt };
/// Where a call goes.
struct Token {
  const CK_FUNCTION_LIST* functions = nullptr;
  CK_SESSION_HANDLE session = 0;
};
}  // namespace pkcs11

/// A KeyVault in a PKCS#11 token.
///
/// Keys: ephemeral and session keys are session objects, sensitive and non-extractable; `ws1.v2b` may only
/// encrypt, `ws1.b2v` only decrypt; Z and the ephemeral may only derive and are destroyed before `derive`
/// returns. With Kdf::kCmacFromEncrypt, CMAC chaining values (no key bits) pass through this process and are
/// wiped at once. Peers' points are checked here, not left to the token.
///
/// Sessions: two read-only ones, for signing and for sealing, because a token runs one operation a session.
///
/// Loss: every answer of the token that says session, key, token or library are gone gives kTokenLost, as does
/// every call in a forked child and every failure that has no better meaning; nothing works then until
/// `reopen`.
///
/// `open` takes at most kRecordMax bytes of ciphertext; more is kInvalidArgument.
///
/// Threads: as KeyVault. Memory: kRecordMax and about 1.8 KiB in the object, no heap but the library's own.
class Pkcs11Vault final : public KeyVault {
 public:
  /// Session keys that can be held at a time: two a session.
  static constexpr size_t kSessionKeysMax = 2 * kLiveSessionsMax;

  /// \param module loaded by the caller; outlives the vault.
  /// \param pin outlives the vault; asked at `open` and `reopen` only.
  Pkcs11Vault(Pkcs11Module& module, PinSource& pin) : module_(module), pin_(pin) {}
  ~Pkcs11Vault();
  Pkcs11Vault(const Pkcs11Vault&) = delete;
  Pkcs11Vault& operator=(const Pkcs11Vault&) = delete;

  /// Finds the token by its label, logs in once, finds the identity keys, and probes every suite by a whole
  /// agreement between two scratch key pairs, with sealing, opening and a refused forgery under both keys.
  /// Takes some ten token operations a suite.
  /// A token that is not found makes the library initialise once more (Pkcs11Module::restart), which ends the
  /// sessions of other vaults of the same module.
  /// \return kOk, also when an identity key or a certificate is missing (`sign` and `read_object` then give
  ///         kNotFound) or no suite works (see `capabilities`); kTokenLost when the token is absent: call
  ///         `reopen` later; kDenied when the token refused the PIN (this object will never try again), or,
  ///         without a try, when there is no PIN, or the token says that it is locked or has one try left;
  ///         kInvalidArgument for a label of no or more than 32 characters; kBadState when open.
  Status open(const Pkcs11VaultOptions& options);
  using KeyVault::open;

  /// How a suite's keys are made, for people and statistics.
  pkcs11::Kdf kdf(Suite suite) const { return kdf_[static_cast<size_t>(suite) - 1]; }

 private:
  friend class Pkcs11Identities;  // The writing side of the same token, and other keys in it.
  friend class Pkcs11SigningKey;
  friend struct Pkcs11VaultTestAccess;  // Imports keys for test vectors; defined in the tests only.

  struct Slot {
    CK_OBJECT_HANDLE object = 0;
    uint32_t handle = 0;  // 0: free
    pkcs11::KeyUse use = pkcs11::KeyUse::kEncrypt;
  };

  struct TokenIdentity {
    uint8_t model[16];
    uint8_t serial[16];
    uint8_t firmware[2];
  };

  // Life (pkcs11_vault.cpp).
  Status connect();
  Status find_token(CK_SLOT_ID& slot, CK_TOKEN_INFO& info);
  Status look_for_token(CK_SLOT_ID& slot, CK_TOKEN_INFO& info);
  Status open_sessions(CK_SLOT_ID slot);
  Status login(const CK_TOKEN_INFO& info);
  Status find_identities();
  Status probe(CK_SLOT_ID slot, const CK_TOKEN_INFO& info);
  Status find_object(CK_OBJECT_CLASS type, const TokenObjectName& name, CK_OBJECT_HANDLE& object);
  void close_sessions();
  void mark_lost();
  bool usable() const;
  Status fail(CK_RV rv);
  Status check(CK_RV rv) { return rv == CKR_OK ? Status::kOk : fail(rv); }

  // Keys (vault_keys.cpp).
  Status begin();
  Status sign_with(CK_OBJECT_HANDLE key, const Digest& digest, EcSignature& signature);
  Status sign_with(const TokenObjectName& name, const Digest& digest, EcSignature& signature);
  Status read_public(const TokenObjectName& name, EcPoint& point);
  Result<size_t> read_certificate(const TokenObjectName& name, MutableBytes out);
  Status agree(Suite suite, const EcPoint& peer, const Digest& transcript, SessionKeys& keys);
  Status make_key(CK_OBJECT_HANDLE z, Suite suite, pkcs11::KeyUse use, const Digest& transcript,
                  SessionKey& key);
  void destroy_ephemeral();
  Slot* free_slot();
  Slot* find_slot(SessionKey key);
  uint32_t next_handle();

  VaultCapabilities do_capabilities() const override;
  uint32_t do_epoch() const override;
  Status do_reopen() override;
  Status do_random(MutableBytes out) override;
  Status do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, EcPoint& point) override;
  Result<size_t> do_read_object(VaultObject object, MutableBytes out) override;
  Status do_make_ephemeral(EphemeralKey& key, EcPoint& point) override;
  Status do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                   SessionKeys& keys) override;
  Status do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override;
  Status do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) override;
  void do_destroy(const SessionKeys& keys) override;
  uint64_t do_diagnostic() const override { return diagnostic_; }

  pkcs11::Token sealing() const { return {module_.functions(), sealing_session_}; }
  pkcs11::Token signing() const { return {module_.functions(), signing_session_}; }

  Pkcs11Module& module_;
  PinSource& pin_;
  Pkcs11VaultOptions options_;
  CK_RV diagnostic_ = CKR_OK;
  CK_SESSION_HANDLE signing_session_ = 0;
  CK_SESSION_HANDLE sealing_session_ = 0;
  CK_SLOT_ID slot_ = 0;
  CK_OBJECT_HANDLE identity_[2] = {};
  CK_OBJECT_HANDLE ephemeral_ = 0;
  uint32_t ephemeral_handle_ = 0;
  uint32_t next_handle_ = 1;
  uint32_t generation_ = 0;
  uint32_t epoch_ = 1;
  bool configured_ = false;
  bool open_ = false;
  bool denied_ = false;
  bool probed_ = false;
  TokenIdentity probed_token_ = {};  // kdf_ was found out with this one
  pkcs11::Kdf kdf_[2] = {pkcs11::Kdf::kNone, pkcs11::Kdf::kNone};
  Slot slots_[kSessionKeysMax];
  uint8_t room_[kRecordMax];  // Where the token decrypts to; wiped after each use.
};

}  // namespace wayseal

#endif
