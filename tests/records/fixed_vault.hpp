// SPDX-License-Identifier: Apache-2.0
/// \file
/// A KeyVault that always gives the same: for comparing bytes between targets, and for nothing else.
#ifndef WAYSEAL_TESTS_RECORDS_FIXED_VAULT_HPP
#define WAYSEAL_TESTS_RECORDS_FIXED_VAULT_HPP

#include <psa/crypto.h>

#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/key_vault.hpp"

namespace wayseal::records {

/// Seals with real AES-256-GCM by PSA. Everything else is a digest of a label, a count and what goes in: random bytes,
/// points, signatures, certificates, and the session keys (of the transcript). No secrets anywhere.
class FixedVault final : public KeyVault {
 public:
  FixedVault() = default;
  ~FixedVault();
  FixedVault(const FixedVault&) = delete;
  FixedVault& operator=(const FixedVault&) = delete;

 private:
  VaultCapabilities do_capabilities() const override;
  uint32_t do_epoch() const override { return 1; }
  Status do_reopen() override { return Status::kOk; }
  Status do_random(MutableBytes out) override;
  Status do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, EcPoint& point) override;
  Result<size_t> do_read_object(VaultObject object, MutableBytes out) override;
  Status do_make_ephemeral(EphemeralKey& key, EcPoint& point) override;
  Status do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                   SessionKeys& keys) override;
  Status do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override;
  Status do_open(SessionKey, const Nonce&, Bytes, Bytes, MutableBytes) override { return Status::kUnsupported; }
  void do_destroy(const SessionKeys& keys) override;

  psa_key_id_t key_ = 0;
  uint8_t blocks_ = 0;
};

/// Takes every chain, as that of the vehicle "RECORDS-1" with the FixedVault's key.
class FixedVerifier final : public CertVerifier {
  Status do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) override;
};

/// Bytes that depend on `label` and `number` only.
Status fixed_bytes(const char* label, uint8_t number, MutableBytes out);
/// A point-like value: 0x04, then fixed bytes. The library compares and hashes points, the token alone computes with them.
Status fixed_point(const char* label, uint8_t number, EcPoint& point);

}  // namespace wayseal::records

#endif
