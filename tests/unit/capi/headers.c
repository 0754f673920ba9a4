/* SPDX-License-Identifier: Apache-2.0 */
/* wayseal.h alone, first and twice, as C99 with every warning; and what a program may do at compile time. */
#include "wayseal/wayseal.h"

typedef char a_client_has_a_size[WAYSEAL_CLIENT_SIZE > 0 ? 1 : -1];
typedef char it_is_aligned[sizeof(wayseal_client_memory) % sizeof(uint64_t) == 0 ? 1 : -1];
typedef char a_version_is_a_number[WAYSEAL_VERSION >= WAYSEAL_VERSION_OF(0, 1, 0) ? 1 : -1];

uint8_t headers_queue[WAYSEAL_QUEUE_MEMORY(2)];
uint8_t headers_cloud[WAYSEAL_CLOUD_MEMORY];
uint8_t headers_collector[WAYSEAL_COLLECTOR_MEMORY(1, 2, WAYSEAL_COLLECTOR_CHUNKS(1, 2))];
