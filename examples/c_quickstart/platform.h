/* SPDX-License-Identifier: Apache-2.0 */
/* What the example stands on, for C: the ports of this device. On Linux they are those of ../quickstart, written in C++; a
 * firmware has its own, in C++ or as tables of functions. */
#ifndef WAYSEAL_EXAMPLES_C_QUICKSTART_PLATFORM_H
#define WAYSEAL_EXAMPLES_C_QUICKSTART_PLATFORM_H

#include "wayseal/wayseal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens token, files and TLS, and sets the ports of `config`; `table` is the signal table's bytes. Ends the program with a
 * word when something cannot be had. argv: MODULE TOKEN HOST PORT TABLE; the PIN comes on file descriptor 3, frames on
 * standard input. Once. */
void platform_open(char** argv, wayseal_client_config* config, wayseal_bytes* table);

/* The clock port's time. */
int64_t platform_now_ns(void);

/* Waits until the connection has something, 20 ms at most. */
void platform_wait(void);

#ifdef __cplusplus
}
#endif

#endif
