// SPDX-License-Identifier: Apache-2.0
/// \file
/// Project Wycheproof's test vectors (schema v1) against the vaults and against the verification that the
/// library uses.
#ifndef WAYSEAL_TESTS_VECTORS_WYCHEPROOF_HPP
#define WAYSEAL_TESTS_VECTORS_WYCHEPROOF_HPP

#include <string>
#include <vector>

#include "tally.hpp"

namespace wayseal::vectors {

/// Runs files of the kinds AeadTest (AES-GCM), EcdhTest, EcdhEcpointTest (P-256), EcdsaVerify and
/// EcdsaP1363Verify (P-256 with SHA-256). Keys go into each vault through its import for tests: the fake vault
/// always, SoftHSM2 and NSS softoken where they are installed. Prints failures, and for each file and vault how
/// many cases passed, failed, and were skipped and why.
/// \return the sum; a file that cannot be read counts as a failed case.
Tally run_wycheproof(const std::vector<std::string>& files);

}  // namespace wayseal::vectors

#endif
