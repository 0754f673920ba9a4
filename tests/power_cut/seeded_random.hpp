// SPDX-License-Identifier: Apache-2.0
/// \file
/// Lets OpenSSL's generator repeat, so that a life of keys and signatures has the same bytes in every run.
#ifndef WAYSEAL_TESTS_POWER_CUT_SEEDED_RANDOM_HPP
#define WAYSEAL_TESTS_POWER_CUT_SEEDED_RANDOM_HPP

#include <cstdint>

namespace wayseal::test {

/// While one lives, every random byte of OpenSSL comes from its seed. They nest: the outer one goes on where it was.
/// One thread.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed);
  ~SeededRandom();
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;

 private:
  uint64_t outer_state_;
  bool outermost_;
};

/// Numbers that belong together and to nothing else: a seed made of two.
uint64_t mix(uint64_t a, uint64_t b);

}  // namespace wayseal::test

#endif
