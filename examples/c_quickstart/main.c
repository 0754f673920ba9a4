/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way in C: `candump -L can0 | c_quickstart MODULE TOKEN HOST PORT TABLE 3<pin`. As ../quickstart, by wayseal.h. */
#include <inttypes.h>
#include <stdio.h>

#include "platform.h"

enum { kCollectorBytes = 256 * 1024, kQueueRecords = 16 };

static wayseal_client_memory client_memory;
static wayseal_table_memory table_memory;
static uint8_t collector[kCollectorBytes];
static uint8_t queue[WAYSEAL_QUEUE_MEMORY(kQueueRecords)];
static uint8_t cloud[WAYSEAL_CLOUD_MEMORY];

/* Says what went wrong, and whether nothing did. */
static bool good(wayseal_status status, const char* what) {
  if (status != WAYSEAL_OK) fprintf(stderr, "c_quickstart: %s: %s\n", what, wayseal_status_name((int)status));
  return status == WAYSEAL_OK;
}

/* Makes a client on the device's ports; null when it cannot be. */
static wayseal_client* start(char** argv) {
  wayseal_client_config config;
  wayseal_client* client = NULL;
  wayseal_table* table = NULL;
  wayseal_bytes bytes;
  if (!good(wayseal_check_version(WAYSEAL_VERSION), "library and header")) return NULL;
  if (!good(wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION), "configuration")) return NULL;
  platform_open(argv, &config, &bytes);
  config.collector_memory = collector;
  config.collector_bytes = sizeof collector;
  config.queue_memory = queue;
  config.queue_bytes = sizeof queue;
  config.cloud_memory = cloud;
  config.cloud_bytes = sizeof cloud;
  config.when_full = WAYSEAL_WHEN_FULL_WAIT; /* a recording can wait; a live bus cannot */
  if (!good(wayseal_table_load(&table_memory, bytes.data, bytes.size, &table), "signal table")) return NULL;
  if (!good(wayseal_client_init(&client_memory, sizeof client_memory, &config, &client), "client")) return NULL;
  if (good(wayseal_client_start(client, table), "start")) return client;
  wayseal_client_end(client);
  return NULL;
}

/* Nothing that a later round could mend. */
static bool for_good(wayseal_status status) {
  return status == WAYSEAL_DENIED || wayseal_status_next_step((int)status) == WAYSEAL_NEXT_FIX_CALL;
}

/* Until all is delivered. What is full, down or not there yet is tried again in the next round. */
static bool run(wayseal_client* client) {
  while (!wayseal_client_bus_ended(client) || !wayseal_client_all_delivered(client)) {
    wayseal_status status = wayseal_client_step_bus(client, platform_now_ns()); /* reads, decodes, collects */
    if (wayseal_client_bus_ended(client)) status = wayseal_client_flush_bus(client);
    if (for_good(status)) return good(status, "bus side");
    status = wayseal_client_step_cloud(client, platform_now_ns()); /* seals, stores, delivers */
    if (for_good(status)) return good(status, "cloud side");
    if (status != WAYSEAL_WOULD_BLOCK) platform_wait();
  }
  return true;
}

int main(int argc, char** argv) {
  wayseal_client_stats stats;
  wayseal_client* client = NULL;
  bool delivered = false;
  if (argc != 6) return 2;
  client = start(argv);
  if (client == NULL) return 1;
  delivered = run(client);
  stats.size = sizeof stats;
  if (good(wayseal_client_get_stats(client, &stats), "statistics") && delivered) {
    printf("%" PRIu64 " records sealed and delivered\n", stats.records_sealed);
  }
  wayseal_client_end(client);
  return delivered ? 0 : 1;
}
