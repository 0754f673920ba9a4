// SPDX-License-Identifier: Apache-2.0
/// \file
/// A PKCS#11 function list that goes to a real library and counts every call and the time inside. PKCS#11 functions
/// carry no context, so there is one in a process.
#ifndef WAYSEAL_TESTS_BENCH_COUNTED_FUNCTIONS_HPP
#define WAYSEAL_TESTS_BENCH_COUNTED_FUNCTIONS_HPP

#include <map>
#include <string>

#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::bench {

class CountedFunctions {
 public:
  explicit CountedFunctions(const CK_FUNCTION_LIST* real);
  CountedFunctions(const CountedFunctions&) = delete;
  CountedFunctions& operator=(const CountedFunctions&) = delete;

  const CK_FUNCTION_LIST* list() const { return &list_; }
  void clear();
  size_t calls(const std::string& function) const;
  size_t calls() const;
  double inside_us() const;

 private:
  CK_FUNCTION_LIST list_;
};

}  // namespace wayseal::bench

#endif
