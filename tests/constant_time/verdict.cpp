// SPDX-License-Identifier: Apache-2.0
// Stands between the library's callers and equal_constant_time (-Wl,--wrap): its verdict is public, the bytes that
// it compared are not. So the callers can run to their end, and are caught when they look at the bytes themselves.
#include "constant_time/memcheck.hpp"

// The names are the linker's, not ours to choose.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" bool __real__ZN7wayseal19equal_constant_timeENS_4SpanIKhEES2_(wayseal::Bytes a, wayseal::Bytes b);

extern "C" bool __wrap__ZN7wayseal19equal_constant_timeENS_4SpanIKhEES2_(wayseal::Bytes a, wayseal::Bytes b) {
  return wayseal::test::made_public(__real__ZN7wayseal19equal_constant_timeENS_4SpanIKhEES2_(a, b));
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
