// SPDX-License-Identifier: Apache-2.0
/// \file
/// A CertVerifier and its authority without X.509: certificates are a few plain fields and a keyed hash.
#ifndef WAYSEAL_TESTS_FAKES_FAKE_CERT_VERIFIER_HPP
#define WAYSEAL_TESTS_FAKES_FAKE_CERT_VERIFIER_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal::fakes {

/// What FakeCertVerifier::issue makes a chain from.
struct FakeIdentity {
  Role role = Role::kVehicle;
  std::string name;
  EcPoint public_key;
  UtcTime not_before;
  UtcTime not_after;
};

/// Owns the bytes of a chain.
struct FakeChain {
  std::vector<uint8_t> leaf;
  std::vector<uint8_t> intermediate;
  CertChain view() const;
};

/// Stands for one data root: accepts exactly what an object with the same root name issued. Changing any bit of
/// a certificate makes it not authentic.
class FakeCertVerifier final : public CertVerifier {
 public:
  explicit FakeCertVerifier(std::string root = "data root") : root_(std::move(root)) {}

  FakeChain issue(const FakeIdentity& identity) const;
  /// As `issue`, with an intermediate of another role: what a careless authority might do.
  FakeChain issue_mixed(const FakeIdentity& identity, Role intermediate_role) const;

  /// Chains looked at so far.
  unsigned verified() const { return verified_; }

 private:
  enum class Kind : uint8_t { kLeaf = 1, kIntermediate = 2 };
  std::vector<uint8_t> certificate(Kind kind, const FakeIdentity& identity) const;
  Status read(Bytes certificate, Kind kind, Role role, CertInfo& info) const;
  Status do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) override;

  std::string root_;
  unsigned verified_ = 0;
};

}  // namespace wayseal::fakes

#endif
