/* SPDX-License-Identifier: Apache-2.0 */
/* What the C firmware stands on: the board and the ports of ../image, which are in C++. One thread; only device_idle waits. */
#ifndef C_IMAGE_DEVICE_H
#define C_IMAGE_DEVICE_H

#include "wayseal/wayseal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens keys, network and UART, and sets the ports of `config` but the clock. Once.
 * Returns null, or what is wrong, in words. */
const char* device_open(wayseal_client_config* config);
/* The number behind "name=" in the arguments, after device_open; `otherwise` when there is none. */
uint32_t device_argument(const char* name, uint32_t otherwise);
/* Lets the UART go on that was held back, and the network receive. Returns whether it received something. */
bool device_poll(void);
/* Sleeps until the next interrupt, 1 ms at most. */
void device_idle(void);
/* Nanoseconds since reset; never step back. */
int64_t device_now_ns(void);
/* To the console: words, and " name=value". */
void device_print(const char* text);
void device_print_field(const char* name, uint64_t value);
/* The most of the stack that was in use, in bytes. */
size_t device_stack_used(void);
/* Closes the connection. */
void device_close(void);

#ifdef __cplusplus
}
#endif

#endif
