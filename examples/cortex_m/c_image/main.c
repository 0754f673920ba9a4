/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's loop in C99, by wayseal.h alone: a recording from the UART, sealed, spooled in flash, delivered. Its clock is a
 * table of functions, the other ports are those of ../image. README.md has its arguments. */
#include "c_image/device.h"

extern const uint8_t image_table_start[];
extern const uint8_t image_table_end[];

enum { kGroups = 24, kSignals = 96, kQueueRecords = 3 };

static wayseal_client_memory client_memory;
static wayseal_table_memory table_memory;
static wayseal_port_memory clock_memory;
static uint8_t
    collector[WAYSEAL_COLLECTOR_MEMORY(kGroups, kSignals, WAYSEAL_COLLECTOR_CHUNKS(kGroups, kSignals))];
static uint8_t queue[WAYSEAL_QUEUE_MEMORY(kQueueRecords)];
static uint8_t cloud[WAYSEAL_CLOUD_MEMORY];

/* Says what went wrong, and whether nothing did. */
static bool good(wayseal_status status, const char* what) {
  if (status == WAYSEAL_OK) return true;
  device_print("c_image: ");
  device_print(what);
  device_print(": ");
  device_print(wayseal_status_name((int)status));
  device_print("\n");
  return false;
}

static int64_t clock_now_ns(void* context) {
  (void)context;
  return device_now_ns();
}

/* A reset begins anew, and this program does not sleep with its RAM kept. */
static uint64_t clock_continuity(void* context) {
  (void)context;
  return 1;
}

static const wayseal_clock_functions clock_functions = {sizeof(wayseal_clock_functions), clock_now_ns,
                                                        clock_continuity};

static void configure(wayseal_client_config* config) {
  config->collector_memory = collector;
  config->collector_bytes = sizeof collector;
  config->queue_memory = queue;
  config->queue_bytes = sizeof queue;
  config->cloud_memory = cloud;
  config->cloud_bytes = sizeof cloud;
  config->build_time_ms = WAYSEAL_MCU_BUILD_TIME_MS;
  config->batch_duration_ms = device_argument("batch_ms", 1000);
  config->when_full = WAYSEAL_WHEN_FULL_WAIT;
  config->rounds_per_step = 2;
  config->records_per_step = 1;
  config->upload_bytes = 8 * 1024;
  config->linger_ms = 200;
  config->back_off_min_ms = 250;
  config->back_off_max_ms = device_argument("back_off_ms", 60000);
  config->resend_ms = 5000;
  config->prekeys_low = 2;
}

/* Makes a client on the device's ports; null when it cannot be. */
static wayseal_client* start(void) {
  static wayseal_client_config config;
  wayseal_client* client = NULL;
  wayseal_table* table = NULL;
  const char* trouble = NULL;
  const size_t table_bytes = (size_t)(image_table_end - image_table_start);
  if (!good(wayseal_check_version(WAYSEAL_VERSION), "library and header")) return NULL;
  if (!good(wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION), "configuration")) return NULL;
  trouble = device_open(&config);
  if (trouble != NULL) {
    device_print(trouble);
    return NULL;
  }
  if (!good(wayseal_clock_adapt(&clock_memory, &clock_functions, NULL, &config.clock), "clock")) return NULL;
  configure(&config);
  if (!good(wayseal_table_load_built_in(&table_memory, image_table_start, table_bytes, &table), "table"))
    return NULL;
  if (!good(wayseal_client_init(&client_memory, sizeof client_memory, &config, &client), "client")) return NULL;
  return good(wayseal_client_start(client, table), "start") ? client : NULL;
}

static void print_counts(const wayseal_client* client, const char* kind) {
  wayseal_client_stats stats;
  stats.size = sizeof stats;
  if (!good(wayseal_client_get_stats(client, &stats), "statistics")) return;
  device_print(kind);
  device_print_field("samples", stats.samples);
  device_print_field("samples_dropped", stats.samples_dropped);
  device_print_field("records_sealed", stats.records_sealed);
  device_print_field("records_waiting", stats.waiting_records);
  device_print_field("records_settled", stats.settled);
  device_print_field("connections", stats.connections);
  device_print_field("stack", device_stack_used());
  device_print("\n");
}

/* Until the recording has ended and all is delivered. What is full, down or not there yet is tried again in the next round. */
static void run(wayseal_client* client) {
  const int64_t interval_ns = (int64_t)device_argument("status_ms", 1000) * 1000000;
  int64_t next_ns = 0;
  while (!wayseal_client_bus_ended(client) || !wayseal_client_all_delivered(client)) {
    wayseal_status bus = wayseal_client_step_bus(client, device_now_ns());
    wayseal_status delivery = WAYSEAL_OK;
    const bool received = device_poll();
    if (wayseal_client_bus_ended(client)) bus = wayseal_client_flush_bus(client);
    delivery = wayseal_client_step_cloud(client, device_now_ns());
    if (device_now_ns() >= next_ns) {
      next_ns = device_now_ns() + interval_ns;
      print_counts(client, "status");
    }
    if (!received && bus != WAYSEAL_WOULD_BLOCK && delivery != WAYSEAL_WOULD_BLOCK) device_idle();
  }
}

int main(void) {
  wayseal_client* const client = start();
  if (client == NULL) return 1;
  run(client);
  print_counts(client, "summary");
  wayseal_client_end(client);
  device_close();
  return 0;
}
