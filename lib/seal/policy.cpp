// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/policy.hpp"

#include "wayseal/record/content.hpp"

namespace wayseal {
namespace {

// Strongest first. A new suite is a row here and in the vaults' derivation.
constexpr Suite kSuites[] = {
    Suite::kP256HkdfSha256Aes256Gcm,
    Suite::kP256CmacKdfAes256Gcm,
};

}  // namespace

SuiteSet known_suites() {
  SuiteSet known;
  for (const Suite suite : kSuites) known.add(suite);
  return known;
}

Result<Suite> strongest_suite(SuiteSet suites) {
  for (const Suite suite : kSuites) {
    if (suites.has(suite)) return suite;
  }
  return Status::kNotFound;
}

Status check_policy(const CryptoPolicy& policy, SuiteSet token) {
  const SessionLimits& limits = policy.limits;
  const bool in_range = limits.records >= 1 && limits.records <= kSessionRecordsMax &&
                        limits.bytes >= kContentMax && limits.bytes <= kSessionBytesMax && limits.age_ms >= 1 &&
                        limits.age_ms <= kSessionAgeMaxMs;
  if (!in_range) return Status::kInvalidArgument;
  return (policy.suites & token & known_suites()).empty() ? Status::kUnsupported : Status::kOk;
}

}  // namespace wayseal
