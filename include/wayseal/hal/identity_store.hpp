// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: the places of a token where identities are made, kept and replaced.
#ifndef WAYSEAL_HAL_IDENTITY_STORE_HPP
#define WAYSEAL_HAL_IDENTITY_STORE_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/hal/key_vault.hpp"

namespace wayseal {

/// A P-256 key in a token, whatever it is called there.
///
/// Threads and blocking: as KeyVault, whose thread it shares.
class SigningKey {
 public:
  /// Signs a SHA-256 digest with ECDSA (FIPS 186-5). \return kOk; kNotFound; kTokenLost.
  Status sign(const Digest& digest, EcSignature& signature) { return do_sign(digest, signature); }
  /// \return as `sign`.
  Status public_key(EcPoint& point) { return do_public_key(point); }

 protected:
  ~SigningKey() = default;

 private:
  virtual Status do_sign(const Digest& digest, EcSignature& signature) = 0;
  virtual Status do_public_key(EcPoint& point) = 0;
};

/// Each identity key has two places: one is in use while its successor is made in the other.
enum class IdentitySlot : uint8_t { kA, kB };

constexpr IdentitySlot other_slot(IdentitySlot slot) {
  return slot == IdentitySlot::kA ? IdentitySlot::kB : IdentitySlot::kA;
}

/// One of the two certificates of a place.
enum class IdentityPart : uint8_t { kLeaf, kIntermediate };

/// The writing side of a token, beside the KeyVault that uses what is there. A port offers it when its token can make keys in
/// the field; without one, identities stay as they were provisioned.
///
/// What is written is durable when a call returns kOk. A power cut inside a call leaves the place of that call in any state:
/// whoever replaces identities (Enrolment) begins it anew, and never touches the place in use.
///
/// Threads and blocking: as KeyVault, whose thread it shares. Every call may return kTokenLost (reopen the vault) and kDenied
/// (the token lets nobody write).
class IdentityStore {
 public:
  /// Makes a fresh P-256 key pair that never leaves the token, in place of whatever the place held: key, certificates.
  /// \return kOk; kFull: no room in the token; kUnsupported.
  Status make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) { return do_make_key(key, slot, point); }

  /// Signs a SHA-256 digest with the key of a place (FIPS 186-5). \return kOk; kNotFound: no key there.
  Status sign(IdentityKey key, IdentitySlot slot, const Digest& digest, EcSignature& signature) {
    return do_sign(key, slot, digest, signature);
  }

  /// \return kOk; kNotFound: no key there.
  Status public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) {
    return do_public_key(key, slot, point);
  }

  /// Writes the chain of a place, DER, in place of the one it had.
  /// \param leaf 1 to kCertificateMax bytes. \param intermediate 0 to kCertificateMax bytes.
  /// \return kOk; kInvalidArgument for a size; kFull.
  Status write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate);

  /// Copies a certificate. \return its size; kNotFound; kBufferTooSmall.
  Result<size_t> read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part, MutableBytes out) {
    return do_read_certificate(key, slot, part, out);
  }

  /// Destroys key and certificates of a place. \return kOk, also when there was nothing.
  Status erase(IdentityKey key, IdentitySlot slot) { return do_erase(key, slot); }

  /// The KeyVault beside it signs with this place's key from now on, and gives out its certificates, until it is told
  /// otherwise; not durable. After `reopen` of the vault it is so still.
  /// \return kOk; kNotFound: no key or no leaf there, and nothing has changed.
  Status use(IdentityKey key, IdentitySlot slot) { return do_use(key, slot); }

 protected:
  ~IdentityStore() = default;

 private:
  virtual Status do_make_key(IdentityKey key, IdentitySlot slot, EcPoint& point) = 0;
  virtual Status do_sign(IdentityKey key, IdentitySlot slot, const Digest& digest, EcSignature& signature) = 0;
  virtual Status do_public_key(IdentityKey key, IdentitySlot slot, EcPoint& point) = 0;
  virtual Status do_write_chain(IdentityKey key, IdentitySlot slot, Bytes leaf, Bytes intermediate) = 0;
  virtual Result<size_t> do_read_certificate(IdentityKey key, IdentitySlot slot, IdentityPart part,
                                             MutableBytes out) = 0;
  virtual Status do_erase(IdentityKey key, IdentitySlot slot) = 0;
  virtual Status do_use(IdentityKey key, IdentitySlot slot) = 0;
};

/// The key of a place, for the connection that tries it.
class IdentityPlaceKey final : public SigningKey {
 public:
  /// \param store outlives this.
  IdentityPlaceKey(IdentityStore& store, IdentityKey key, IdentitySlot slot)
      : store_(store), key_(key), slot_(slot) {}

 private:
  Status do_sign(const Digest& digest, EcSignature& signature) override {
    return store_.sign(key_, slot_, digest, signature);
  }
  Status do_public_key(EcPoint& point) override { return store_.public_key(key_, slot_, point); }

  IdentityStore& store_;
  IdentityKey key_;
  IdentitySlot slot_;
};

}  // namespace wayseal

#endif
