/* SPDX-License-Identifier: Apache-2.0 */
/* Uses header and library as a stranger's firmware in C would, up to the first call that needs a device. */
#include <stdio.h>
#include <string.h>

#include "wayseal/wayseal.h"

static wayseal_client_memory memory;

int main(void) {
  wayseal_client_config config;
  wayseal_client* client = NULL;
  const bool same =
      wayseal_check_version(WAYSEAL_VERSION) == WAYSEAL_OK && wayseal_client_size() <= sizeof memory;
  const bool begun = wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION) == WAYSEAL_OK;
  const bool told =
      begun && wayseal_client_init(&memory, sizeof memory, &config, &client) == WAYSEAL_INVALID_ARGUMENT;
  const bool named = strcmp(wayseal_status_name(WAYSEAL_NOT_AUTHENTIC), "not-authentic") == 0;
  printf("consumer in C: %s\n", same && told && named ? "works" : "does not work");
  return same && told && named ? 0 : 1;
}
