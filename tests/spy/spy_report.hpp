// SPDX-License-Identifier: Apache-2.0
/// \file
/// Judges what the spy module has written: invariant 1, "keys stay".
#ifndef WAYSEAL_TESTS_SPY_SPY_REPORT_HPP
#define WAYSEAL_TESTS_SPY_SPY_REPORT_HPP

#include <string>
#include <vector>

namespace wayseal::test {

/// What a report says. Without violations and with at least one session key, invariant 1 holds for the program
/// that ran.
///
/// Each private and secret key that was made, copied or changed must be sensitive, non-extractable and good for
/// exactly one thing; made in the token, not brought in; its value never read and never wrapped. Z and
/// ephemerals (session objects that derive) must be destroyed before the session key made from them is first
/// used.
///
/// The one exception are suite 2's intermediates in tokens without SP 800-108: at most 32 bytes, generic
/// secrets, session objects derived by AES_ECB/CBC_ENCRYPT_DATA that can do nothing, read at most once and
/// destroyed before anything else happens.
struct SpyReport {
  size_t identities = 0;                ///< Private keys that stay in the token, made while the spy looked on.
  size_t ephemerals = 0;                ///< Private keys for one agreement.
  size_t shared_secrets = 0;            ///< Z.
  size_t session_keys = 0;              ///< AES keys that encrypt or decrypt.
  size_t intermediates = 0;             ///< Suite 2's readable ones.
  size_t refused_reads = 0;             ///< Attempts to read a key's value that the token refused.
  std::vector<std::string> violations;  ///< Each with its line number and what is wrong.
};

/// Reads a report. A file that cannot be read, or in which the spy never started, is a violation.
SpyReport read_spy_report(const std::string& path);

/// One line with the numbers, then one a violation, for people.
std::string describe(const SpyReport& report);

}  // namespace wayseal::test

#endif
