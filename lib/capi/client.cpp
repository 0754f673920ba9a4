// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/client.hpp"

#include <cstring>
#include <new>
#include <type_traits>

#include "capi/convert.hpp"
#include "wayseal/access/access_token.hpp"
#include "wayseal/capi/handles.hpp"

using namespace wayseal;
using namespace wayseal::capi;

namespace {

// A handle is the address of the Client, which lies at the start of the caller's memory.
static_assert(sizeof(Client) <= WAYSEAL_CLIENT_SIZE,
              "WAYSEAL_CLIENT_SIZE in wayseal.h is too small for these limits: raise its constants");
static_assert(alignof(Client) <= alignof(wayseal_client_memory),
              "wayseal_client_memory is aligned for a client");
static_assert(kClientCloudMemory <= WAYSEAL_CLOUD_MEMORY,
              "WAYSEAL_CLOUD_MEMORY in wayseal.h is too small for these limits: raise its constants");

Client* of(wayseal_client* client) { return reinterpret_cast<Client*>(client); }
const Client* of(const wayseal_client* client) { return reinterpret_cast<const Client*>(client); }
SignalTable& of(const wayseal_table* table) {
  return *reinterpret_cast<SignalTable*>(const_cast<wayseal_table*>(table));
}

// The settings that have one form in both languages, each once for both directions.
template <typename C, typename Cpp, typename Copy>
void each_setting(C& c, Cpp& cpp, Copy copy) {
  copy(c.build_time_ms, cpp.build_time.ms);
  copy(c.batch_duration_ms, cpp.recorder.batch_duration_ms);
  copy(c.rounds_per_step, cpp.recorder.rounds_per_step);
  copy(c.when_full, cpp.recorder.when_full);
  copy(c.sync_interval_ms, cpp.sealer.sync_interval_ms);
  copy(c.sync_bytes, cpp.sealer.sync_bytes);
  copy(c.records_per_step, cpp.sealer.records_per_step);
  copy(c.loss_report_interval_ms, cpp.sealer.loss_report_interval_ms);
  copy(c.retry_min_ms, cpp.sealer.retry_min_ms);
  copy(c.retry_max_ms, cpp.sealer.retry_max_ms);
  copy(c.refused_wait_ms, cpp.sealer.refused_wait_ms);
  copy(c.upload_bytes, cpp.courier.upload_bytes);
  copy(c.prekeys_low, cpp.courier.prekeys_low);
  copy(c.linger_ms, cpp.courier.linger_ms);
  copy(c.back_off_min_ms, cpp.courier.back_off_min_ms);
  copy(c.back_off_max_ms, cpp.courier.back_off_max_ms);
  copy(c.retry_after_max_ms, cpp.courier.retry_after_max_ms);
  copy(c.resend_ms, cpp.courier.resend_ms);
  copy(c.idle_close_ms, cpp.courier.idle_close_ms);
  copy(c.refresh_ms, cpp.courier.refresh_ms);
  copy(c.http_idle_ms, cpp.courier.http.idle_ms);
  copy(c.http_total_ms, cpp.courier.http.total_ms);
}

template <typename To, typename From>
void set(To& to, From from) {
  to = static_cast<To>(from);
}

Status read_policy(const wayseal_policy& from, CryptoPolicy& to) {
  WAYSEAL_TRY(check_size(from.size, sizeof from, sizeof from));
  if (from.suites > UINT8_MAX) return Status::kInvalidArgument;
  to.suites.bits = static_cast<uint8_t>(from.suites);
  to.limits = {from.session_records, from.session_bytes, from.session_age_ms};
  return Status::kOk;
}

bool complete(const wayseal_client_config& config) {
  const bool ports = config.can_bus != nullptr && config.vault != nullptr && config.verifier != nullptr &&
                     config.channel != nullptr && config.clock != nullptr && config.spool != nullptr &&
                     config.state != nullptr;
  return ports && config.collector_memory != nullptr && config.queue_memory != nullptr &&
         config.cloud_memory != nullptr;
}

// What does not fit the narrower members of ClientConfig; the rest is judged by those who use it.
bool representable(const wayseal_client_config& config) {
  return config.rounds_per_step <= UINT8_MAX && config.prekeys_low <= UINT8_MAX &&
         config.when_full <= WAYSEAL_WHEN_FULL_WAIT;
}

Status read_config(const wayseal_client_config& from, ClientConfig& to) {
  WAYSEAL_TRY(check_size(from.size, sizeof from, sizeof from));
  WAYSEAL_TRY(from_c(wayseal_check_version(from.version)));
  if (!complete(from) || !representable(from)) return Status::kInvalidArgument;
  each_setting(from, to, [](auto in, auto& out) { set(out, in); });
  to.keep_alive = {from.keep_alive, from.keep_alive_context};
  return from.policy != nullptr ? read_policy(*from.policy, to.sealer.policy) : Status::kOk;
}

}  // namespace

size_t wayseal_client_size(void) { return sizeof(Client); }
size_t wayseal_cloud_memory_needed(void) { return kClientCloudMemory; }
size_t wayseal_own_content_max(void) { return kOwnContentMax - kContentHeaderSize; }

wayseal_status wayseal_policy_init(wayseal_policy* policy, size_t size) {
  if (policy == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  const Status status = check_size(size, sizeof *policy, sizeof *policy);
  if (status != Status::kOk) return to_c(status);
  const CryptoPolicy defaults;
  *policy = {size, defaults.suites.bits, defaults.limits.records, defaults.limits.bytes,
             defaults.limits.age_ms};
  return WAYSEAL_OK;
}

wayseal_status wayseal_client_config_init(wayseal_client_config* config, size_t size, uint32_t version) {
  if (config == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  Status status = check_size(size, sizeof *config, sizeof *config);
  if (status == Status::kOk) status = from_c(wayseal_check_version(version));
  if (status != Status::kOk) return to_c(status);
  *config = {};
  config->size = size;
  config->version = version;
  const ClientConfig defaults;
  each_setting(*config, defaults, [](auto& out, auto in) { set(out, in); });
  return WAYSEAL_OK;
}

wayseal_status wayseal_client_init(void* memory, size_t bytes, const wayseal_client_config* config,
                                   wayseal_client** client) {
  if (client != nullptr) *client = nullptr;
  if (memory == nullptr || config == nullptr || client == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  if (!aligned(memory, alignof(Client))) return WAYSEAL_INVALID_ARGUMENT;
  if (bytes < sizeof(Client)) return WAYSEAL_BUFFER_TOO_SMALL;
  ClientConfig settings;
  const Status status = read_config(*config, settings);
  if (status != Status::kOk) return to_c(status);
  const Ports ports = {port(config->can_bus),  port(config->vault),
                       port(config->verifier), port(config->channel),
                       port(config->clock),    port(config->spool),
                       port(config->state),    reinterpret_cast<AccessToken*>(config->access_token)};
  const ClientMemory borrowed = {{config->collector_memory, config->collector_bytes},
                                 {config->queue_memory, config->queue_bytes},
                                 {config->cloud_memory, config->cloud_bytes}};
  *client = reinterpret_cast<wayseal_client*>(new (memory) Client(ports, borrowed, settings));
  return WAYSEAL_OK;
}

void wayseal_client_end(wayseal_client* client) {
  if (client != nullptr) of(client)->~Client();
}

wayseal_status wayseal_client_start(wayseal_client* client, const wayseal_table* table) {
  if (client == nullptr || table == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  return to_c(of(client)->start(of(table)));
}

wayseal_status wayseal_client_step_bus(wayseal_client* client, int64_t now_ns) {
  return client != nullptr ? to_c(of(client)->step_bus({now_ns})) : WAYSEAL_INVALID_ARGUMENT;
}

wayseal_status wayseal_client_flush_bus(wayseal_client* client) {
  return client != nullptr ? to_c(of(client)->flush_bus()) : WAYSEAL_INVALID_ARGUMENT;
}

bool wayseal_client_bus_ended(const wayseal_client* client) {
  return client != nullptr && of(client)->bus_ended();
}

wayseal_status wayseal_client_apply_filters(wayseal_client* client, wayseal_can_filter* scratch, size_t count) {
  if (client == nullptr || (scratch == nullptr && count != 0)) return WAYSEAL_INVALID_ARGUMENT;
  return to_c(of(client)->apply_filters({reinterpret_cast<CanFilter*>(scratch), count}));
}

wayseal_status wayseal_client_step_cloud(wayseal_client* client, int64_t now_ns) {
  return client != nullptr ? to_c(of(client)->step_cloud({now_ns})) : WAYSEAL_INVALID_ARGUMENT;
}

int64_t wayseal_client_next_bus_due(wayseal_client* client, int64_t now_ns) {
  return client != nullptr ? of(client)->next_bus_due({now_ns}).ns : kNever.ns;
}

int64_t wayseal_client_next_cloud_due(const wayseal_client* client, int64_t now_ns) {
  return client != nullptr ? of(client)->next_cloud_due({now_ns}).ns : kNever.ns;
}

wayseal_status wayseal_client_prepare_sleep(wayseal_client* client, int64_t deadline_ns) {
  return client != nullptr ? to_c(of(client)->prepare_sleep({deadline_ns})) : WAYSEAL_INVALID_ARGUMENT;
}

wayseal_status wayseal_client_set_policy(wayseal_client* client, const wayseal_policy* policy) {
  if (client == nullptr || policy == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  CryptoPolicy wanted;
  const Status status = read_policy(*policy, wanted);
  return to_c(status == Status::kOk ? of(client)->set_policy(wanted) : status);
}

wayseal_status wayseal_client_add_content(wayseal_client* client, int type, const uint8_t* payload,
                                          size_t bytes) {
  if (client == nullptr || payload == nullptr || bytes == 0 || bytes > wayseal_own_content_max() ||
      type < WAYSEAL_CONTENT_SECURITY_EVENT || type > WAYSEAL_CONTENT_DIAGNOSTICS) {
    return WAYSEAL_INVALID_ARGUMENT;
  }
  RecordQueue& queue = of(client)->own_queue();
  const Result<MutableBytes> area = queue.reserve();
  if (!area.ok()) return to_c(area.status());
  std::memcpy(area.value().data(), payload, bytes);
  return to_c(queue.commit(static_cast<ContentType>(type), bytes, 0));
}

bool wayseal_client_all_delivered(const wayseal_client* client) {
  return client != nullptr && of(client)->all_delivered();
}

wayseal_status wayseal_client_get_bus(const wayseal_client* client, uint8_t bus, wayseal_bus_state* state,
                                      wayseal_bus_counters* counters) {
  if (client == nullptr || state == nullptr || counters == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  const Recorder& recorder = of(client)->recorder();
  if (bus >= recorder.bus_count()) return WAYSEAL_NOT_FOUND;
  BusSnapshot found;
  if (!recorder.bus(bus, found)) return WAYSEAL_WOULD_BLOCK;
  *state = static_cast<wayseal_bus_state>(found.state);
  std::memcpy(counters, &found.counters, sizeof *counters);
  return WAYSEAL_OK;
}

wayseal_status wayseal_client_vehicle_id(const wayseal_client* client, char* out, size_t bytes) {
  if (client == nullptr || out == nullptr) return WAYSEAL_INVALID_ARGUMENT;
  const Bytes id = of(client)->vehicle_id().bytes();
  if (id.empty()) return WAYSEAL_BAD_STATE;
  if (bytes < kVehicleIdMax + 1) return WAYSEAL_BUFFER_TOO_SMALL;
  std::memcpy(out, id.data(), id.size());
  out[id.size()] = '\0';
  return WAYSEAL_OK;
}
