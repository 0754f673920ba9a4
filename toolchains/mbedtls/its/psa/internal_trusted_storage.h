/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Internal Trusted Storage of the PSA Secure Storage API 1.0 (Arm IHI 0087), for devices whose platform does not
 * bring the header. mbedTLS keeps persistent keys in it. `wayseal_hal_psa_its` implements it over a Storage; TF-M
 * implements it in its secure part. Without either, every call here fails and nothing is kept.
 */
#ifndef PSA_INTERNAL_TRUSTED_STORAGE_H
#define PSA_INTERNAL_TRUSTED_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include "psa/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PSA_ITS_API_VERSION_MAJOR 1
#define PSA_ITS_API_VERSION_MINOR 0

typedef uint64_t psa_storage_uid_t;
typedef uint32_t psa_storage_create_flags_t;

#define PSA_STORAGE_FLAG_NONE 0U
/** Neither replaced nor removed, ever. */
#define PSA_STORAGE_FLAG_WRITE_ONCE (1U << 0)
#define PSA_STORAGE_FLAG_NO_CONFIDENTIALITY (1U << 1)
#define PSA_STORAGE_FLAG_NO_REPLAY_PROTECTION (1U << 2)

struct psa_storage_info_t {
  size_t capacity; /**< Bytes reserved. */
  size_t size;     /**< Bytes held. */
  psa_storage_create_flags_t flags;
};

/** Creates or replaces a value; after a power cut, the old one or the new one is there.
 * \param uid not 0.
 * \return PSA_SUCCESS; PSA_ERROR_NOT_PERMITTED for a value that was written once; PSA_ERROR_NOT_SUPPORTED for flags
 *         or without storage; PSA_ERROR_INSUFFICIENT_STORAGE; PSA_ERROR_STORAGE_FAILURE;
 *         PSA_ERROR_INVALID_ARGUMENT. */
psa_status_t psa_its_set(psa_storage_uid_t uid, size_t data_length, const void* p_data,
                         psa_storage_create_flags_t create_flags);

/** Copies `data_size` bytes from `data_offset`, or as many as there are.
 * \return PSA_SUCCESS; PSA_ERROR_DOES_NOT_EXIST; PSA_ERROR_INVALID_ARGUMENT for an offset beyond the end;
 *         PSA_ERROR_DATA_CORRUPT; PSA_ERROR_STORAGE_FAILURE. */
psa_status_t psa_its_get(psa_storage_uid_t uid, size_t data_offset, size_t data_size, void* p_data,
                         size_t* p_data_length);

/** \return PSA_SUCCESS; PSA_ERROR_DOES_NOT_EXIST; PSA_ERROR_STORAGE_FAILURE. */
psa_status_t psa_its_get_info(psa_storage_uid_t uid, struct psa_storage_info_t* p_info);

/** \return PSA_SUCCESS; PSA_ERROR_DOES_NOT_EXIST; PSA_ERROR_NOT_PERMITTED; PSA_ERROR_STORAGE_FAILURE. */
psa_status_t psa_its_remove(psa_storage_uid_t uid);

#ifdef __cplusplus
}
#endif

#endif
