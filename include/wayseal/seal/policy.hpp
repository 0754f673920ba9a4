// SPDX-License-Identifier: Apache-2.0
/// \file
/// Which suites may be used and how long a session may live. PROTOCOL.md, "Suites" and "Limits".
#ifndef WAYSEAL_SEAL_POLICY_HPP
#define WAYSEAL_SEAL_POLICY_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal {

/// What a session may do before a new one follows it. Each from 1 to the default, which is the protocol's
/// limit.
struct SessionLimits {
  uint64_t records = kSessionRecordsMax;
  uint64_t bytes = kSessionBytesMax;  ///< Of plaintext; at least kContentMax.
  int64_t age_ms = kSessionAgeMaxMs;
};

/// The OEM's wish, within what the protocol allows.
struct CryptoPolicy {
  SuiteSet suites{3};
  SessionLimits limits;
};

/// Suites that this build has.
SuiteSet known_suites();

/// The strongest suite of a set: a row of the suite table, in order of strength.
/// \return kNotFound when this build has none of them.
Result<Suite> strongest_suite(SuiteSet suites);

/// Whether sessions are possible under `policy`.
/// \param token suites of the vault.
/// \return kOk; kUnsupported (no suite is left: refuse the policy and keep the old one); kInvalidArgument (a
///         limit out of range).
Status check_policy(const CryptoPolicy& policy, SuiteSet token);

}  // namespace wayseal

#endif
