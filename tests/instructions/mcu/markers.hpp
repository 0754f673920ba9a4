// SPDX-License-Identifier: Apache-2.0
/// \file
/// What count_instructions.c looks for, and what `measure` reads on the console.
#ifndef INSTRUCTIONS_MARKERS_HPP
#define INSTRUCTIONS_MARKERS_HPP

#include "board/board.hpp"

extern "C" {
/// Around what is counted. Their own instructions are counted too: the first case of a program is an empty window, whose
/// instructions `measure` takes off every other.
__attribute__((noinline, used, noclone)) void count_begin();
__attribute__((noinline, used, noclone)) void count_end();
/// After the windows of a case.
__attribute__((noinline, used, noclone)) void count_next();
}

/// Ends a case of `units` (frames, records) in all its windows together.
inline void end_case(const char* name, uint32_t units) {
  count_next();
  board::print("case ");
  board::print(name);
  board::print_field("units", units);
  board::print("\n");
}

#endif
