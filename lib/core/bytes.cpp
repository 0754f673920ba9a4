// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/bytes.hpp"

namespace wayseal {

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  // Volatile, so that the compiler cannot turn the loop into one that stops at the first difference.
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

void wipe(MutableBytes bytes) {
  volatile uint8_t* p = bytes.data();
  for (size_t i = 0; i < bytes.size(); ++i) p[i] = 0;
}

}  // namespace wayseal
