// SPDX-License-Identifier: Apache-2.0
#include "markers.hpp"

// Each differs from the others, so that none is folded into another.
void count_begin() { __asm__ volatile("nop" ::: "memory"); }
void count_end() { __asm__ volatile("nop\n nop" ::: "memory"); }
void count_next() { __asm__ volatile("nop\n nop\n nop" ::: "memory"); }
