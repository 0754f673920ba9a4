// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: the token that holds the keys. No private or session key ever crosses this interface.
#ifndef WAYSEAL_HAL_KEY_VAULT_HPP
#define WAYSEAL_HAL_KEY_VAULT_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/keep_alive.hpp"

namespace wayseal {

/// The vehicle's two identity keys (DESIGN 5). Both P-256, made in the token, never leaving it.
enum class IdentityKey : uint8_t {
  kTls,  ///< Client key of mutual TLS.
  kE2e,  ///< Signs SessionOpen and requests; certificate under the OEM's data root.
};

/// Public objects that provisioning wrote into the token, immutable afterwards.
enum class VaultObject : uint8_t {
  kTlsCertificate,
  kTlsIntermediate,
  kE2eCertificate,
  kE2eIntermediate,
  kDataRoot,
  kGatewayCa,
};

/// Handle of an ephemeral P-256 key pair. 0 is none.
struct EphemeralKey {
  uint32_t handle = 0;
};

/// Handle of one AES-256-GCM key of a session. 0 is none.
struct SessionKey {
  uint32_t handle = 0;
};

/// The two keys of a session. Labels are the wire's (DESIGN 6.4).
struct SessionKeys {
  SessionKey vehicle_to_backend;  ///< `ws1.v2b`: the vehicle seals.
  SessionKey backend_to_vehicle;  ///< `ws1.b2v`: the vehicle opens.
};

/// Sequence number that has been taken from a counter: the only way to seal. Move-only and used once, so that
/// no nonce can be used twice even when the token fails in the middle (invariant 3).
class SealNonce {
 public:
  SealNonce(SealNonce&& other) noexcept : nonce_(other.nonce_), fresh_(other.fresh_) { other.fresh_ = false; }
  SealNonce(const SealNonce&) = delete;
  SealNonce& operator=(const SealNonce&) = delete;
  SealNonce& operator=(SealNonce&&) = delete;

 private:
  friend class NonceCounter;
  friend class KeyVault;
  explicit SealNonce(const Nonce& nonce) : nonce_(nonce), fresh_(true) {}
  Nonce nonce_;
  bool fresh_;
};

/// Gives sequence numbers 1, 2, 3, ... of one session, each once. 16 bytes.
class NonceCounter {
 public:
  NonceCounter() = default;
  NonceCounter(const NonceCounter&) = delete;
  NonceCounter& operator=(const NonceCounter&) = delete;

  /// Starts a new session whose last sequence number may be `limit` (at most kSessionRecordsMax).
  void restart(uint64_t limit) {
    last_ = 0;
    limit_ = limit;
  }
  /// The last sequence number taken; 0 before the first.
  uint64_t last() const { return last_; }
  bool exhausted() const { return last_ >= limit_; }
  /// Takes the next number. Call only when not exhausted(); an exhausted counter gives a nonce that `seal` refuses.
  SealNonce take();

 private:
  uint64_t last_ = 0;
  uint64_t limit_ = 0;
};

/// What a token can do, found by probing.
struct VaultCapabilities {
  SuiteSet suites;                 ///< Suites whose whole derivation and AEAD were seen to work.
  bool monotonic_counter = false;  ///< See `monotonic_counter`.
};

/// A token, opened and logged in by the port before it is handed to the library.
///
/// Threads: one thread at a time, the cloud side's; the Channel may use another session of the same token
/// from the same thread. Blocking: a call takes as long as the token does (50 ms a signature and 10 ms a seal are usual);
/// hence the bus side never calls it.
///
/// Every call may return kTokenLost (reset, removal, log-out, fork): all handles are gone then; call `reopen`.
class KeyVault : public KeepsAlive {
 public:
  VaultCapabilities capabilities() const { return do_capabilities(); }

  /// Number that grows with every loss of session keys (reopen, reset, fork). Handles belong to one epoch.
  uint32_t epoch() const { return do_epoch(); }

  /// Opens the token again after kTokenLost. Logs in once only: a wrong PIN is kDenied and is never repeated.
  /// \return kOk; kTokenLost while the token is absent (try later); kDenied.
  Status reopen();

  /// Random bytes from the token.
  Status random(MutableBytes out);

  /// Signs a SHA-256 digest with ECDSA (FIPS 186-5).
  Status sign(IdentityKey key, const Digest& digest, EcSignature& signature);

  /// The public point of an identity key.
  Status public_key(IdentityKey key, EcPoint& point);

  /// Copies a provisioned object.
  /// \return the bytes used; kNotFound; kBufferTooSmall.
  Result<size_t> read_object(VaultObject object, MutableBytes out);

  /// Makes an ephemeral key pair for one agreement. At most one exists; a former one is destroyed.
  Status make_ephemeral(EphemeralKey& key, EcPoint& point);

  /// ECDH with `peer`, then both session keys by `suite` and `transcript` (DESIGN 6.4, 6.5). The ephemeral,
  /// Z and every intermediate value are destroyed before it returns, whatever it returns. Former
  /// session keys stay until `destroy`.
  /// \return kOk; kNotAuthentic when `peer` is no point of the curve; kUnsupported for a suite that the token lacks;
  ///         kInvalidArgument for an unknown handle.
  Status derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                SessionKeys& keys);

  /// AES-256-GCM encryption in the token.
  /// \param nonce used up, also when the call fails.
  /// \param out exactly plaintext.size() + kGcmTagSize bytes: ciphertext, then tag. Must not overlap `plaintext`.
  /// \return kOk; kInvalidArgument for a used nonce, wrong size or unknown key; kTokenLost.
  Status seal(SessionKey key, SealNonce nonce, Bytes aad, Bytes plaintext, MutableBytes out);

  /// AES-256-GCM decryption in the token.
  /// \param out exactly ciphertext.size() - kGcmTagSize bytes; holds zeros unless kOk.
  /// \return kOk; kNotAuthentic; kInvalidArgument; kTokenLost.
  Status open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out);

  /// Destroys both keys. Handles of 0 are ignored. A token that is lost has destroyed them already.
  void destroy(SessionKeys& keys) {
    do_destroy(keys);
    keys = {};
  }

  /// A counter in the token that never goes back, for binding stored state to it.
  /// \return its value; kUnsupported when the token has none.
  Result<uint64_t> monotonic_counter() { return do_monotonic_counter(); }
  /// Adds one and returns the new value.
  Result<uint64_t> increment_monotonic_counter() { return do_increment_monotonic_counter(); }

  /// The port's last native code (PKCS#11 CK_RV) for people who search for a cause.
  uint64_t diagnostic() const { return do_diagnostic(); }

 protected:
  ~KeyVault() = default;

 private:
  virtual VaultCapabilities do_capabilities() const = 0;
  virtual uint32_t do_epoch() const = 0;
  virtual Status do_reopen() = 0;
  virtual Status do_random(MutableBytes out) = 0;
  virtual Status do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) = 0;
  virtual Status do_public_key(IdentityKey key, EcPoint& point) = 0;
  virtual Result<size_t> do_read_object(VaultObject object, MutableBytes out) = 0;
  virtual Status do_make_ephemeral(EphemeralKey& key, EcPoint& point) = 0;
  virtual Status do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                           SessionKeys& keys) = 0;
  virtual Status do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) = 0;
  virtual Status do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) = 0;
  virtual void do_destroy(const SessionKeys& keys) = 0;
  virtual Result<uint64_t> do_monotonic_counter() { return Status::kUnsupported; }
  virtual Result<uint64_t> do_increment_monotonic_counter() { return Status::kUnsupported; }
  virtual uint64_t do_diagnostic() const { return 0; }
};

}  // namespace wayseal

#endif
