/* SPDX-License-Identifier: Apache-2.0 */
#include "wayseal_vault_driver.h"

#include <string.h>

enum { kDigestSize = 32, kSignatureSize = 64, kPointSize = 65 };

/* Forced by mbedTLS: mbedtls_psa_external_get_random is one function for the whole process. */
static wayseal_random_source random_source;
static void* random_context;
static wayseal_random_source platform_source;
static void* platform_context;

void wayseal_psa_set_random_source(wayseal_random_source source, void* context) {
  random_source = source;
  random_context = context;
}

void wayseal_psa_set_platform_random(wayseal_random_source source, void* context) {
  platform_source = source;
  platform_context = context;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t* context, uint8_t* output,
                                             size_t output_size, size_t* output_length);

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t* context, uint8_t* output,
                                             size_t output_size, size_t* output_length) {
  (void)context;
  *output_length = 0;
  const wayseal_random_source source = platform_source != NULL ? platform_source : random_source;
  if (source == NULL) return PSA_ERROR_INSUFFICIENT_ENTROPY;
  const psa_status_t status =
      source(platform_source != NULL ? platform_context : random_context, output, output_size);
  if (status != PSA_SUCCESS) return status;
  *output_length = output_size;
  return PSA_SUCCESS;
}

/* The buffer comes from mbedTLS's allocator and need not be aligned for pointers. */
static psa_status_t load_key(const uint8_t* key_buffer, size_t key_buffer_size, wayseal_vault_key* key) {
  if (key_buffer_size < sizeof *key) return PSA_ERROR_CORRUPTION_DETECTED;
  memcpy(key, key_buffer, sizeof *key);
  return PSA_SUCCESS;
}

static int is_p256_pair(const psa_key_attributes_t* attributes) {
  const size_t bits = psa_get_key_bits(attributes);
  return psa_get_key_type(attributes) == PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1) &&
         (bits == 256 || bits == 0);
}

psa_status_t wayseal_vault_opaque_import_key(const psa_key_attributes_t* attributes, const uint8_t* data,
                                             size_t data_size, uint8_t* key_buffer, size_t key_buffer_size,
                                             size_t* key_buffer_length, size_t* bits) {
  wayseal_vault_key key;
  if (!is_p256_pair(attributes)) return PSA_ERROR_NOT_SUPPORTED;
  if (data_size != sizeof key) return PSA_ERROR_INVALID_ARGUMENT;
  if (key_buffer_size < sizeof key) return PSA_ERROR_BUFFER_TOO_SMALL;
  memcpy(&key, data, sizeof key);
  if (key.sign == NULL || key.public_key == NULL) return PSA_ERROR_INVALID_ARGUMENT;
  memcpy(key_buffer, &key, sizeof key);
  *key_buffer_length = sizeof key;
  *bits = 256;
  return PSA_SUCCESS;
}

psa_status_t wayseal_vault_opaque_export_public_key(const psa_key_attributes_t* attributes,
                                                    const uint8_t* key_buffer, size_t key_buffer_size,
                                                    uint8_t* data, size_t data_size, size_t* data_length) {
  wayseal_vault_key key;
  if (!is_p256_pair(attributes)) return PSA_ERROR_NOT_SUPPORTED;
  if (data_size < kPointSize) return PSA_ERROR_BUFFER_TOO_SMALL;
  psa_status_t status = load_key(key_buffer, key_buffer_size, &key);
  if (status != PSA_SUCCESS) return status;
  status = key.public_key(key.context, data);
  if (status == PSA_SUCCESS) *data_length = kPointSize;
  return status;
}

psa_status_t wayseal_vault_opaque_sign_hash(const psa_key_attributes_t* attributes, const uint8_t* key_buffer,
                                            size_t key_buffer_size, psa_algorithm_t alg, const uint8_t* hash,
                                            size_t hash_size, uint8_t* signature, size_t signature_size,
                                            size_t* signature_length) {
  wayseal_vault_key key;
  if (!is_p256_pair(attributes) || !PSA_ALG_IS_ECDSA(alg)) return PSA_ERROR_NOT_SUPPORTED;
  /* The token signs SHA-256 digests only; TLS 1.3 with a P-256 key never asks for another. */
  if (hash_size != kDigestSize) return PSA_ERROR_NOT_SUPPORTED;
  if (signature_size < kSignatureSize) return PSA_ERROR_BUFFER_TOO_SMALL;
  psa_status_t status = load_key(key_buffer, key_buffer_size, &key);
  if (status != PSA_SUCCESS) return status;
  status = key.sign(key.context, hash, signature);
  if (status == PSA_SUCCESS) *signature_length = kSignatureSize;
  return status;
}
