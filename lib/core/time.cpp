// SPDX-License-Identifier: Apache-2.0
#include "wayseal/core/time.hpp"

namespace wayseal {

#ifdef __OPTIMIZE_SIZE__
[[gnu::noinline]]
#endif
int64_t
ms_between(MonotonicTime from, MonotonicTime to) {
  return (to.ns - from.ns) / kNsPerMs;
}

}  // namespace wayseal
