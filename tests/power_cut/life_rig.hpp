// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the tests of a whole life share: which cuts are made, what they came to, and how a life is judged.
#ifndef WAYSEAL_TESTS_POWER_CUT_LIFE_RIG_HPP
#define WAYSEAL_TESTS_POWER_CUT_LIFE_RIG_HPP

#include <string>
#include <vector>

#include "power_cut/life_watch.hpp"

namespace wayseal::test {

inline constexpr CutMode kCutModes[] = {CutMode::kClean, CutMode::kTorn, CutMode::kLoseUnsynced};
inline constexpr uint64_t kCutsPerSeed = 100000;  ///< Cuts are numbered seed * kCutsPerSeed + n.

/// Every stride-th cut is made (WAYSEAL_CUT_STRIDE), or one alone (WAYSEAL_CUT_ONLY).
struct CutChoice {
  CutChoice();
  uint64_t stride;
  uint64_t only;

  bool takes(uint64_t cut) const { return only != 0 ? cut == only : cut % stride == 0; }
  bool takes_seed(uint64_t seed) const { return only == 0 || only / kCutsPerSeed == seed; }
};

/// Cuts that were made, and what went wrong after them.
struct CutTally {
  static constexpr size_t kFailuresMax = 3;
  uint64_t cuts = 0;
  uint64_t torn = 0;
  uint64_t passed_over = 0;
  uint64_t phases[kPhases] = {};
  std::vector<std::string> failures;

  bool enough() const { return failures.size() >= kFailuresMax; }
  void add(CutMode mode, size_t phase);
  /// Notes a failure, unless `wrong` is empty.
  void note(uint64_t seed, const std::string& what, const std::string& wrong);
  /// One line.
  void print(const char* what, const CutChoice& choice) const;
  /// Fails the test if something was noted.
  void check() const;
};

/// A vehicle on fakes and its root.
struct FakeProvisioning {
  FakeProvisioning();
  fakes::FakeCertVerifier verifier;
  LifeIdentity identity;
};

/// What both ends look like after a life. Empty, or what is wrong.
std::string judge(const ClientLife& life, const LifeWorld& world, LifeBackend& backend);

}  // namespace wayseal::test

#endif
