// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <new>
#include <type_traits>

#include "capi/convert.hpp"
#include "capi/ports.hpp"

using namespace wayseal;
using namespace wayseal::capi;

namespace {

// Every table is its size and then pointers to functions, so one loop looks at all of them.
static_assert(sizeof(size_t) == sizeof(void (*)()), "no padding after `size`");

Status check_table(const void* functions, size_t first_version, size_t known, uint32_t optional) {
  size_t given = 0;
  std::memcpy(&given, functions, sizeof given);
  WAYSEAL_TRY(check_size(given, first_version, known));
  for (size_t i = 1; i < first_version / sizeof given; ++i) {
    uintptr_t function = 0;
    std::memcpy(&function, static_cast<const char*>(functions) + i * sizeof given, sizeof function);
    if (function == 0 && ((optional >> i) & 1U) == 0) return Status::kInvalidArgument;
  }
  return Status::kOk;
}

// A bit for an optional member, as check_table counts them.
#define WAYSEAL_OPTIONAL(type, member) (1U << (offsetof(type, member) / sizeof(size_t)))

template <typename Adapter, typename Contract, typename Functions, typename Handle>
wayseal_status adapt(wayseal_port_memory* memory, const Functions* functions, void* context, uint32_t optional,
                     Handle** out) {
  static_assert(sizeof(Adapter) <= WAYSEAL_PORT_SIZE && alignof(Adapter) <= alignof(wayseal_port_memory),
                "wayseal_port_memory holds an adapter");
  static_assert(std::is_trivially_destructible_v<Adapter>, "an adapter needs no end");
  if (out != nullptr) *out = nullptr;
  if (memory == nullptr || functions == nullptr || out == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  if (!aligned(memory, alignof(Adapter))) return WAYSEAL_INVALID_ARGUMENT;
  const Status status = check_table(functions, sizeof(Functions), sizeof(Functions), optional);
  if (status != Status::kOk) return to_c(status);
  Contract& port = *new (memory) Adapter(Adapted<Functions>{functions, context});
  *out = handle(port);
  return WAYSEAL_OK;
}

}  // namespace

wayseal_status wayseal_can_bus_adapt(wayseal_port_memory* memory, const wayseal_can_bus_functions* functions,
                                     void* context, wayseal_can_bus** handle) {
  constexpr uint32_t kOptional = WAYSEAL_OPTIONAL(wayseal_can_bus_functions, set_filters) |
                                 WAYSEAL_OPTIONAL(wayseal_can_bus_functions, time_base);
  return adapt<TableCanBus, CanBus>(memory, functions, context, kOptional, handle);
}

wayseal_status wayseal_key_vault_adapt(wayseal_port_memory* memory,
                                       const wayseal_key_vault_functions* functions, void* context,
                                       wayseal_key_vault** handle) {
  constexpr uint32_t kOptional = WAYSEAL_OPTIONAL(wayseal_key_vault_functions, monotonic_counter) |
                                 WAYSEAL_OPTIONAL(wayseal_key_vault_functions, increment_monotonic_counter) |
                                 WAYSEAL_OPTIONAL(wayseal_key_vault_functions, diagnostic);
  const wayseal_status status = adapt<TableKeyVault, KeyVault>(memory, functions, context, kOptional, handle);
  if (status != WAYSEAL_OK) return status;
  const bool reads = functions->monotonic_counter != nullptr;
  const bool increments = functions->increment_monotonic_counter != nullptr;
  if (reads == increments) return WAYSEAL_OK;
  *handle = nullptr;
  return WAYSEAL_INVALID_ARGUMENT;
}

wayseal_status wayseal_cert_verifier_adapt(wayseal_port_memory* memory,
                                           const wayseal_cert_verifier_functions* functions, void* context,
                                           wayseal_cert_verifier** handle) {
  return adapt<TableCertVerifier, CertVerifier>(memory, functions, context, 0, handle);
}

wayseal_status wayseal_channel_adapt(wayseal_port_memory* memory, const wayseal_channel_functions* functions,
                                     void* context, wayseal_channel** handle) {
  constexpr uint32_t kOptional = WAYSEAL_OPTIONAL(wayseal_channel_functions, diagnostic) |
                                 WAYSEAL_OPTIONAL(wayseal_channel_functions, wire_bytes);
  return adapt<TableChannel, Channel>(memory, functions, context, kOptional, handle);
}

wayseal_status wayseal_transport_adapt(wayseal_port_memory* memory,
                                       const wayseal_transport_functions* functions, void* context,
                                       wayseal_transport** handle) {
  constexpr uint32_t kOptional = WAYSEAL_OPTIONAL(wayseal_transport_functions, diagnostic);
  return adapt<TableTransport, Transport>(memory, functions, context, kOptional, handle);
}

wayseal_status wayseal_clock_adapt(wayseal_port_memory* memory, const wayseal_clock_functions* functions,
                                   void* context, wayseal_clock** handle) {
  return adapt<TableClock, Clock>(memory, functions, context, 0, handle);
}

wayseal_status wayseal_storage_adapt(wayseal_port_memory* memory, const wayseal_storage_functions* functions,
                                     void* context, wayseal_storage** handle) {
  return adapt<TableStorage, Storage>(memory, functions, context, 0, handle);
}
