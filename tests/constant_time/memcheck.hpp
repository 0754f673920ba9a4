// SPDX-License-Identifier: Apache-2.0
/// \file
/// Valgrind's undefined-memory method: a secret is marked undefined, and memcheck complains about every branch
/// and every address that depends on it. What is computed from it without a branch stays undefined, silently.
#ifndef WAYSEAL_TESTS_CONSTANT_TIME_MEMCHECK_HPP
#define WAYSEAL_TESTS_CONSTANT_TIME_MEMCHECK_HPP

#include <valgrind/memcheck.h>

#include "wayseal/core/bytes.hpp"

namespace wayseal::test {

inline bool under_valgrind() { return RUNNING_ON_VALGRIND != 0; }

inline void make_secret(Bytes bytes) {
  static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()));
}

/// The value may be looked at from here on.
template <typename T>
T made_public(T value) {
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value));
  return value;
}

inline void make_public(Bytes bytes) {
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()));
}

/// Complaints that memcheck makes while `action` runs.
template <typename Action>
unsigned complaints(Action action) {
  const unsigned before = VALGRIND_COUNT_ERRORS;
  action();
  return VALGRIND_COUNT_ERRORS - before;
}

}  // namespace wayseal::test

#endif
