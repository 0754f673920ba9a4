/* SPDX-License-Identifier: Apache-2.0 */
/* A small firmware in C on the C API: its clock, bus and flash are C, token, verifier and line are given. */
#ifndef WAYSEAL_TESTS_UNIT_CAPI_FIRMWARE_H
#define WAYSEAL_TESTS_UNIT_CAPI_FIRMWARE_H

#include "wayseal/wayseal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Given by the test. */
typedef struct firmware_world {
  wayseal_key_vault* vault;
  wayseal_cert_verifier* verifier;
  wayseal_channel* channel;
  const uint8_t* table;
  size_t table_bytes;
  int64_t build_time_ms;
  void (*time_passed)(void* context, int64_t ms); /* The firmware's clock has moved. */
  void* context;
} firmware_world;

/* What the firmware has to say at its end. */
typedef struct firmware_report {
  wayseal_status status; /* Of the first call that went wrong. */
  const char* what;      /* Which one. */
  int filters_set;
  int storage_violations; /* Bytes programmed twice without an erasure. */
  char vehicle_id[WAYSEAL_VEHICLE_ID_MAX + 1];
  wayseal_client_stats stats;
  wayseal_bus_counters bus;
} firmware_report;

/* Plays `frames` frames of identifier 0x100 and one event, delivers all, sleeps, and ends the client. */
void firmware_run(const firmware_world* world, int frames, firmware_report* report);

#ifdef __cplusplus
}
#endif

#endif
