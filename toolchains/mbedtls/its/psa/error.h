/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * PSA status codes: for mbedTLS, which includes this name where no platform gives it. */
#ifndef PSA_ERROR_H
#define PSA_ERROR_H

#include "psa/crypto_types.h"
#include "psa/crypto_values.h"

#ifndef PSA_ERROR_DATA_CORRUPT
#define PSA_ERROR_DATA_CORRUPT ((psa_status_t)-152)
#endif

#endif
