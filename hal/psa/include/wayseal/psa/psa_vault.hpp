// SPDX-License-Identifier: Apache-2.0
/// \file
/// KeyVault over the PSA Crypto API 1.0 (Arm IHI 0086), for devices without PKCS#11: mbedTLS on a bare MCU, TF-M.
#ifndef WAYSEAL_PSA_PSA_VAULT_HPP
#define WAYSEAL_PSA_PSA_VAULT_HPP

#include <psa/crypto.h>

#include "wayseal/core/config.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/psa/psa_names.hpp"

namespace wayseal {

/// A counter of the platform that never goes back (fuses, an RPMC flash, a secure partition's NV counter).
struct PsaCounter {
  void* context = nullptr;  ///< Handed to both functions; borrowed for the vault's life.
  /// \return the value, or why there is none.
  Result<uint64_t> (*read)(void* context) = nullptr;
  /// Adds one. \return the new value, or why there is none.
  Result<uint64_t> (*increment)(void* context) = nullptr;
};

/// What the vault's keys are called. The defaults are what PsaProvisioning makes.
struct PsaVaultOptions {
  psa_key_id_t tls_key = kPsaTlsKey;
  psa_key_id_t e2e_key = kPsaE2eKey;
  PsaCounter counter;  ///< Without both functions: the vault has no monotonic counter.
};

/// A KeyVault in PSA Crypto.
///
/// What PSA's own policy gives, wherever PSA runs: identity keys have PSA_KEY_USAGE_SIGN_HASH and ECDSA with SHA-256
/// alone; the ephemeral has PSA_KEY_USAGE_DERIVE for ECDH into HKDF-SHA256 alone, so that Z is no value that a call
/// gives out; session keys have PSA_KEY_USAGE_ENCRYPT or PSA_KEY_USAGE_DECRYPT for AES-256-GCM alone. None has
/// PSA_KEY_USAGE_EXPORT or COPY. Ephemeral and session keys are volatile: they end with power. What is weaker than a
/// PKCS#11 token depends on where PSA runs:
///
///   * TF-M or a secure element: keys and Z are in a memory that this program cannot read. That is what a token gives,
///     except that there is no log-in: any code on the non-secure side of the same partition id can use the keys.
///   * mbedTLS linked into the program: keys are in the program's own RAM, and the identity keys in its own flash, as
///     readable as the platform's ITS leaves them (`wayseal_hal_psa_its` does not encrypt). The policy is then a
///     guard against mistakes, not against an attacker who runs code or reads the flash: see SECURITY.md.
///
/// Suite 1 only. Suite 2 needs CMAC under Z with the result as a key, and no PSA call up to 1.1 makes that without
/// giving out the key's bits. A backend whose token has suite 2 alone (SoftHSM2) has no common suite with this vault.
///
/// Certificates and roots are entries of PSA Internal Trusted Storage rather than PSA keys of type RAW_DATA: the
/// roots are written with PSA_STORAGE_FLAG_WRITE_ONCE, which keys do not have, and reading takes neither a
/// key slot nor memory of PSA.
///
/// `open` calls psa_crypto_init; the application may do so before. Random bytes come from psa_generate_random. Where
/// mbedTLS is built with MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG, as Wayseal builds it, give the board's generator to
/// wayseal_psa_set_platform_random (wayseal_vault_driver.h) first. TlsChannel works with this vault
/// as with any other; PSA then runs PSA inside (the channel's key, then the identity), which takes a second key slot
/// and no lock.
///
/// Loss: an answer of PSA without a better meaning gives kTokenLost, as does every call in a forked child. All session
/// keys are destroyed then (in the child: its copies), and nothing works until `reopen`.
///
/// Each call may also return kFull when PSA has no key slot or no memory: nothing has changed.
///
/// Threads: as KeyVault. Blocking: while PSA computes; `derive` multiplies a point twice, once for each key.
/// Memory: 12 bytes a session key and 80 more; no heap of its own (mbedTLS has its arena).
class PsaVault final : public KeyVault {
 public:
  /// Session keys that can be held at a time: two a session. PSA's key slots may set a lower limit.
  static constexpr size_t kSessionKeysMax = 2 * kLiveSessionsMax;

  PsaVault() = default;
  /// Destroys ephemeral and session keys; identities stay.
  ~PsaVault();
  PsaVault(const PsaVault&) = delete;
  PsaVault& operator=(const PsaVault&) = delete;

  /// Starts PSA, asks it for random bytes, and tries suite 1 by one agreement, a seal and a refused forgery.
  /// \return kOk, also when an identity or a certificate is missing (`sign` and `read_object` then give kNotFound)
  ///         or suite 1 does not work (see `capabilities`); kTokenLost when PSA does not start or has no random
  ///         bytes (see `diagnostic`: PSA_ERROR_INSUFFICIENT_ENTROPY without a source): mend that, then `reopen`;
  ///         kInvalidArgument for equal key ids or ids out of PSA_KEY_ID_USER_MIN to PSA_KEY_ID_USER_MAX; kBadState
  ///         when open.
  Status open(const PsaVaultOptions& options = {});
  using KeyVault::open;

 private:
  friend class PsaProvisioning;
  friend struct PsaVaultTestAccess;  // Imports keys for test vectors; defined in the tests only.

  struct Slot {
    psa_key_id_t key = 0;
    uint32_t handle = 0;  // 0: free
    psa_key_usage_t use = 0;
  };

  // Life (psa_vault.cpp).
  Status connect();
  Status probe();
  Status probe_session(const SessionKeys& keys);
  bool usable() const;
  Status begin();
  void mark_lost();
  Status fail(psa_status_t error);
  Status check(psa_status_t error) { return error == PSA_SUCCESS ? Status::kOk : fail(error); }
  psa_key_id_t identity(IdentityKey key) const;

  // Keys (vault_keys.cpp).
  Status agree(const EcPoint& peer, const Digest& transcript, SessionKeys& keys);
  Status make_key(psa_key_usage_t use, const EcPoint& peer, const Digest& transcript, SessionKey& key);
  void destroy_ephemeral();
  Slot* find_slot(uint32_t handle);
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
  Result<uint64_t> do_monotonic_counter() override;
  Result<uint64_t> do_increment_monotonic_counter() override;
  /// The last failed psa_status_t, sign-extended.
  uint64_t do_diagnostic() const override { return static_cast<uint64_t>(static_cast<int64_t>(diagnostic_)); }

  PsaVaultOptions options_;
  psa_status_t diagnostic_ = PSA_SUCCESS;
  int32_t process_ = 0;
  psa_key_id_t ephemeral_ = 0;
  uint32_t ephemeral_handle_ = 0;
  uint32_t next_handle_ = 1;
  uint32_t epoch_ = 1;
  SuiteSet suites_;
  bool configured_ = false;
  bool open_ = false;
  bool probed_ = false;
  bool in_random_ = false;
  Slot slots_[kSessionKeysMax];
};

}  // namespace wayseal

#endif
