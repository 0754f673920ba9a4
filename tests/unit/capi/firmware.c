/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/capi/firmware.h"

#include <string.h>

enum { kBlock = 4096, kBlocks = 64, kStepMs = 20, kStepsMax = 5000, kNsPerMs = 1000000 };

/* Clock ---------------------------------------------------------------------------------------------------------------- */

typedef struct firmware_clock {
  int64_t ns;
} firmware_clock;

static int64_t clock_now(void* context) { return ((firmware_clock*)context)->ns; }
static uint64_t clock_continuity(void* context) {
  (void)context;
  return 1;
}
static const wayseal_clock_functions kClock = {sizeof(kClock), clock_now, clock_continuity};

/* A bus that plays a counter -------------------------------------------------------------------------------------------- */

typedef struct firmware_bus {
  int left;
  int filters;
  int64_t time_ns;
  wayseal_bus_counters counters;
} firmware_bus;

static wayseal_status bus_set_filters(void* context, const wayseal_can_filter* filters, size_t count) {
  firmware_bus* bus = (firmware_bus*)context;
  if (count == 1 && filters[0].id == 0x100 && filters[0].mask == 0x7FF && filters[0].extended == 0)
    bus->filters++;
  return WAYSEAL_OK;
}
static wayseal_status bus_receive(void* context, wayseal_can_frame* frames, size_t max, size_t* count) {
  firmware_bus* bus = (firmware_bus*)context;
  for (*count = 0; *count < max && bus->left > 0; ++*count, --bus->left) {
    wayseal_can_frame* frame = &frames[*count];
    memset(frame, 0, sizeof *frame);
    bus->time_ns += kNsPerMs;
    frame->time_ns = bus->time_ns;
    frame->id = 0x100;
    frame->length = 8;
    frame->data[0] = (uint8_t)bus->left;
    bus->counters.frames++;
  }
  return WAYSEAL_OK;
}
static uint8_t bus_count(void* context) {
  (void)context;
  return 1;
}
static wayseal_bus_state bus_state(void* context, uint8_t index) {
  (void)index;
  return ((firmware_bus*)context)->left > 0 ? WAYSEAL_BUS_ACTIVE : WAYSEAL_BUS_ENDED;
}
static void bus_counters(void* context, uint8_t index, wayseal_bus_counters* counters) {
  (void)index;
  *counters = ((firmware_bus*)context)->counters;
}
static wayseal_time_base bus_time_base(void* context) {
  (void)context;
  return WAYSEAL_TIME_RECORDED;
}
static const wayseal_can_bus_functions kBus = {sizeof(kBus), bus_set_filters, bus_receive,  bus_count,
                                               bus_state,    bus_counters,    bus_time_base};

/* Flash in memory ------------------------------------------------------------------------------------------------------- */

typedef struct firmware_flash {
  uint8_t bytes[kBlocks * kBlock];
  int violations;
} firmware_flash;

static void flash_geometry(void* context, wayseal_storage_geometry* geometry) {
  (void)context;
  geometry->block_size = kBlock;
  geometry->block_count = kBlocks;
  geometry->program_size = 4;
}
static wayseal_status flash_read(void* context, uint64_t offset, uint8_t* out, size_t bytes) {
  memcpy(out, ((firmware_flash*)context)->bytes + offset, bytes);
  return WAYSEAL_OK;
}
static wayseal_status flash_program(void* context, uint64_t offset, const uint8_t* data, size_t bytes) {
  firmware_flash* flash = (firmware_flash*)context;
  size_t i;
  for (i = 0; i < bytes; ++i) {
    if (flash->bytes[offset + i] != 0xFF) flash->violations++;
    flash->bytes[offset + i] = (uint8_t)(flash->bytes[offset + i] & data[i]);
  }
  return WAYSEAL_OK;
}
static wayseal_status flash_erase(void* context, uint32_t block) {
  memset(((firmware_flash*)context)->bytes + (size_t)block * kBlock, 0xFF, kBlock);
  return WAYSEAL_OK;
}
static wayseal_status flash_sync(void* context) {
  (void)context;
  return WAYSEAL_OK;
}
static const wayseal_storage_functions kFlash = {sizeof(kFlash), flash_geometry, flash_read,
                                                 flash_program,  flash_erase,    flash_sync};

/* The firmware ----------------------------------------------------------------------------------------------------------- */

/* All that it needs, in memory of its own. */
static struct firmware {
  firmware_clock clock;
  firmware_bus bus;
  firmware_flash spool;
  firmware_flash state;
  wayseal_port_memory ports[4];
  wayseal_table_memory table;
  wayseal_client_memory client;
  uint8_t collector[WAYSEAL_COLLECTOR_MEMORY(1, 2, WAYSEAL_COLLECTOR_CHUNKS(1, 2))];
  uint8_t queue[WAYSEAL_QUEUE_MEMORY(4)];
  uint8_t cloud[WAYSEAL_CLOUD_MEMORY];
} self;

/* Notes the first failure. */
static int good(firmware_report* report, wayseal_status status, const char* what) {
  if (status == WAYSEAL_OK) return 1;
  if (report->status == WAYSEAL_OK) {
    report->status = status;
    report->what = what;
  }
  return 0;
}

static int make_ports(const firmware_world* world, wayseal_client_config* config, firmware_report* report) {
  config->vault = world->vault;
  config->verifier = world->verifier;
  config->channel = world->channel;
  return good(report, wayseal_clock_adapt(&self.ports[0], &kClock, &self.clock, &config->clock), "clock") &&
         good(report, wayseal_can_bus_adapt(&self.ports[1], &kBus, &self.bus, &config->can_bus), "bus") &&
         good(report, wayseal_storage_adapt(&self.ports[2], &kFlash, &self.spool, &config->spool), "spool") &&
         good(report, wayseal_storage_adapt(&self.ports[3], &kFlash, &self.state, &config->state), "state");
}

static wayseal_client* start(const firmware_world* world, firmware_report* report) {
  wayseal_client_config config;
  wayseal_client* client = NULL;
  wayseal_table* table = NULL;
  wayseal_can_filter filters[1];
  if (!good(report, wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION), "config")) return NULL;
  if (!make_ports(world, &config, report)) return NULL;
  config.collector_memory = self.collector;
  config.collector_bytes = sizeof self.collector;
  config.queue_memory = self.queue;
  config.queue_bytes = sizeof self.queue;
  config.cloud_memory = self.cloud;
  config.cloud_bytes = sizeof self.cloud;
  config.build_time_ms = world->build_time_ms;
  config.batch_duration_ms = kStepMs;
  config.when_full = WAYSEAL_WHEN_FULL_WAIT;
  if (!good(report, wayseal_table_load(&self.table, world->table, world->table_bytes, &table), "table"))
    return NULL;
  if (!good(report, wayseal_client_init(&self.client, sizeof self.client, &config, &client), "init"))
    return NULL;
  if (good(report, wayseal_client_start(client, table), "start") &&
      good(report, wayseal_client_apply_filters(client, filters, 1), "filters")) {
    return client;
  }
  wayseal_client_end(client);
  return NULL;
}

static void run(const firmware_world* world, wayseal_client* client, firmware_report* report) {
  int steps;
  for (steps = 0; steps < kStepsMax; ++steps) {
    (void)!wayseal_client_step_bus(client, self.clock.ns);
    if (wayseal_client_bus_ended(client)) {
      if (wayseal_client_flush_bus(client) == WAYSEAL_OK && wayseal_client_all_delivered(client)) return;
    }
    if (wayseal_client_step_cloud(client, self.clock.ns) != WAYSEAL_WOULD_BLOCK) {
      self.clock.ns += (int64_t)kStepMs * kNsPerMs;
      world->time_passed(world->context, kStepMs);
    }
  }
  (void)good(report, WAYSEAL_TIMEOUT, "delivery");
}

static void finish(wayseal_client* client, firmware_report* report) {
  wayseal_bus_state state;
  report->stats.size = sizeof report->stats;
  (void)good(report, wayseal_client_prepare_sleep(client, self.clock.ns + (int64_t)kNsPerMs), "prepare_sleep");
  (void)good(report, wayseal_client_get_stats(client, &report->stats), "stats");
  (void)good(report, wayseal_client_get_bus(client, 0, &state, &report->bus), "bus state");
  (void)good(report, wayseal_client_vehicle_id(client, report->vehicle_id, sizeof report->vehicle_id), "id");
  report->filters_set = self.bus.filters;
  report->storage_violations = self.spool.violations + self.state.violations;
  wayseal_client_end(client);
}

void firmware_run(const firmware_world* world, int frames, firmware_report* report) {
  static const uint8_t kEvent[] = {'b', 'o', 'o', 't'};
  wayseal_client* client;
  memset(report, 0, sizeof *report);
  memset(&self, 0, sizeof self);
  memset(self.spool.bytes, 0xFF, sizeof self.spool.bytes);
  memset(self.state.bytes, 0xFF, sizeof self.state.bytes);
  self.clock.ns = (int64_t)1000 * kNsPerMs;
  self.bus.left = frames;
  client = start(world, report);
  if (client == NULL) return;
  (void)good(report, wayseal_client_add_content(client, WAYSEAL_CONTENT_SECURITY_EVENT, kEvent, sizeof kEvent),
             "event");
  run(world, client, report);
  finish(client, report);
}
