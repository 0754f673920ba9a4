// SPDX-License-Identifier: Apache-2.0
// NSS softoken databases as tokens of a fleet that was provisioned with SoftHSM2: new keys, certificates of the same
// authorities.
#ifndef WAYSEAL_TESTS_AGENT_NSS_TOKENS_HPP
#define WAYSEAL_TESTS_AGENT_NSS_TOKENS_HPP

#include <string>

namespace agent_test {

/// How a program opens a token.
struct TokenPlace {
  std::string module;
  std::string module_args;
  std::string label;
  std::string pin_file;
};

/// Why there is no NSS softoken here, for SKIP; empty when there is one.
std::string nss_missing();

/// Makes the token `vehicle` in `folder`, with all that `wayseal-oem provision` gives a vehicle.
/// \param authorities the fleet's folder `ca`.
TokenPlace make_nss_vehicle(const std::string& folder, const std::string& authorities,
                            const std::string& vehicle);
/// The same for the token `backend`.
TokenPlace make_nss_backend(const std::string& folder, const std::string& authorities);

}  // namespace agent_test

#endif
