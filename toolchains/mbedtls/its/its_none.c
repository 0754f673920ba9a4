/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of a program that has none. Weak: whoever has one gives the functions, in whatever order the archives are
 * linked. */
#include "psa/internal_trusted_storage.h"

__attribute__((weak)) psa_status_t psa_its_set(psa_storage_uid_t uid, size_t data_length, const void* p_data,
                                               psa_storage_create_flags_t create_flags) {
  (void)uid;
  (void)data_length;
  (void)p_data;
  (void)create_flags;
  return PSA_ERROR_NOT_SUPPORTED;
}

__attribute__((weak)) psa_status_t psa_its_get(psa_storage_uid_t uid, size_t data_offset, size_t data_size,
                                               void* p_data, size_t* p_data_length) {
  (void)uid;
  (void)data_offset;
  (void)data_size;
  (void)p_data;
  *p_data_length = 0;
  return PSA_ERROR_DOES_NOT_EXIST;
}

__attribute__((weak)) psa_status_t psa_its_get_info(psa_storage_uid_t uid, struct psa_storage_info_t* p_info) {
  (void)uid;
  (void)p_info;
  return PSA_ERROR_DOES_NOT_EXIST;
}

__attribute__((weak)) psa_status_t psa_its_remove(psa_storage_uid_t uid) {
  (void)uid;
  return PSA_ERROR_DOES_NOT_EXIST;
}
