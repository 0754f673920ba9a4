/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * What lwIP wants to know of the compiler and the board.
 */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>

#define BYTE_ORDER LITTLE_ENDIAN
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "lu"
#define S32_F "ld"
#define X32_F "lx"
#define SZT_F "u"

#define LWIP_PLATFORM_DIAG(message) ((void)0)
#define LWIP_PLATFORM_ASSERT(message) ((void)0)

#ifdef __cplusplus
extern "C" {
#endif
uint32_t board_random(void);
#ifdef __cplusplus
}
#endif
#define LWIP_RAND() board_random()

#endif
