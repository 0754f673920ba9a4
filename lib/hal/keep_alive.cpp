// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/keep_alive.hpp"

namespace wayseal {

// Called from many places: once in flash.
[[gnu::noinline]] void KeepsAlive::alive() const {
  if (keep_alive_.call != nullptr) keep_alive_.call(keep_alive_.context);
}

}  // namespace wayseal
