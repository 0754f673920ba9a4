// SPDX-License-Identifier: Apache-2.0
#include <new>
#include <type_traits>

#include "capi/convert.hpp"
#include "wayseal/signal/signal_table.hpp"
#include "wayseal/wayseal.h"

using namespace wayseal;

namespace {

static_assert(sizeof(SignalTable) <= WAYSEAL_TABLE_SIZE &&
                  alignof(SignalTable) <= alignof(wayseal_table_memory),
              "wayseal_table_memory holds a table");
static_assert(std::is_trivially_destructible_v<SignalTable>, "a table needs no end");

SignalTable* place(wayseal_table_memory* memory, const uint8_t* bytes, wayseal_table** table) {
  if (table != nullptr) *table = nullptr;
  if (memory == nullptr || bytes == nullptr || table == nullptr) return nullptr;
  return capi::aligned(memory, alignof(SignalTable)) ? new (memory) SignalTable : nullptr;
}

}  // namespace

wayseal_status wayseal_table_load(wayseal_table_memory* memory, const uint8_t* bytes, size_t size,
                                  wayseal_table** table) {
  SignalTable* const placed = place(memory, bytes, table);
  if (placed == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  const Status status = placed->load({bytes, size});
  if (status == Status::kOk) *table = reinterpret_cast<wayseal_table*>(placed);
  return capi::to_c(status);
}

wayseal_status wayseal_table_load_built_in(wayseal_table_memory* memory, const uint8_t* bytes, size_t size,
                                           wayseal_table** table) {
  SignalTable* const placed = place(memory, bytes, table);
  if (placed == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  const Status status = placed->load_built_in({bytes, size});
  if (status == Status::kOk) *table = reinterpret_cast<wayseal_table*>(placed);
  return capi::to_c(status);
}

wayseal_status wayseal_table_describe(const wayseal_table* table, wayseal_table_info* info) {
  if (table == nullptr || info == nullptr || info->size < sizeof(wayseal_table_info)) {
    return WAYSEAL_INVALID_ARGUMENT;
  }
  const auto& loaded = *reinterpret_cast<const SignalTable*>(table);
  info->id = loaded.id();
  info->version = loaded.version();
  info->buses = loaded.bus_count();
  info->messages = loaded.message_count();
  info->groups = loaded.group_count();
  info->signals = loaded.signal_count();
  return WAYSEAL_OK;
}
