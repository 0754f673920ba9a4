// SPDX-License-Identifier: Apache-2.0
// One object a public class, as long as the class: mcu_link reads their sizes from the symbol table.
#include "wayseal/core/types.hpp"
#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/key_vault.hpp"

#define WAYSEAL_SIZE_OF(name, type)                                 \
  extern "C" const unsigned char wayseal_size_##name[sizeof(type)]; \
  extern "C" __attribute__((used, section(".wayseal_sizes")))       \
  const unsigned char wayseal_size_##name[sizeof(type)] = {}

WAYSEAL_SIZE_OF(CanFrame, wayseal::CanFrame);
WAYSEAL_SIZE_OF(NonceCounter, wayseal::NonceCounter);
