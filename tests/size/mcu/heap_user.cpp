// SPDX-License-Identifier: Apache-2.0
// Must not link: shows that the proof in core_link can fail.
#include <cstdlib>

extern "C" [[noreturn]] void reset();
extern "C" [[noreturn]] void reset() {
  for (;;) {
    void* volatile memory = std::malloc(8);
    static_cast<void>(memory);
  }
}
