// SPDX-License-Identifier: Apache-2.0
// The least that makes a bare-metal program link. It is never run.
extern "C" {

[[noreturn]] void reset();
[[noreturn]] void reset() {
  for (;;) {
  }
}

// newlib's own raises a signal, whose table is on the heap.
[[noreturn]] void abort();
[[noreturn]] void abort() { reset(); }

}  // extern "C"
