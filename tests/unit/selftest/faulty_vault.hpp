// SPDX-License-Identifier: Apache-2.0
/// \file
/// A vault that works, but for one mistake.
#ifndef WAYSEAL_TESTS_UNIT_SELFTEST_FAULTY_VAULT_HPP
#define WAYSEAL_TESTS_UNIT_SELFTEST_FAULTY_VAULT_HPP

#include <vector>

#include "fakes/fake_vault.hpp"

namespace wayseal::test {

enum class VaultFault : uint8_t {
  kNone,
  kNoSuites,
  kConstantRandom,
  kRepeatedRandom,
  kTlsSignsWithE2e,
  kE2eSignsAnotherDigest,
  kNoE2eKey,
  kOtherCertificate,
  kCutsObjects,
  kSameEphemeral,
  kFormerEphemeralLives,
  kPointOffCurve,
  kTakesAnyPeer,
  kKeepsEphemeralOfBadPeer,
  kEphemeralServesTwice,
  kOneNonce,
  kForgetsAadAtSeal,
  kOtherLabels,
  kOpensWrongly,
  kIgnoresTag,
  kMalformedForTag,
  kSealsWithOpeningKey,
  kOpensWithSealingKey,
  kNeverDestroys,
  kDestroysAll,
  kCounterGrowsByItself,
  kClaimsCounter,
  kEpochGrowsByItself,
  kReopenKeepsKeys,
  kReopenKeepsEpoch,
  kReopenRefused,
  kReopenMakesNewIdentity,
};

class FaultyVault final : public KeyVault {
 public:
  explicit FaultyVault(VaultFault fault);
  ~FaultyVault() = default;
  FaultyVault(const FaultyVault&) = delete;
  FaultyVault& operator=(const FaultyVault&) = delete;

  fakes::FakeVault& inner() { return inner_; }

 private:
  bool has(VaultFault fault) const { return fault_ == fault; }
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
  EphemeralKey usable(EphemeralKey key);

  const VaultFault fault_;
  fakes::FakeVault inner_;
  fakes::Scalar scalar_{};
  EphemeralKey given_;  // what the caller knows the living ephemeral by
  EphemeralKey real_;   // what the inner vault does
  std::vector<SessionKeys> made_;
  mutable uint32_t epoch_calls_ = 0;
  uint64_t counter_reads_ = 0;
  uint32_t reopenings_ = 0;
};

}  // namespace wayseal::test

#endif
