/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Opaque PSA driver `wayseal_vault`: lets mbedTLS's TLS sign with a key that it can never read.
 *
 * The "key material" that an application imports is a wayseal_vault_key: a context and two functions that reach
 * the token. It holds no secret. The driver copies it and calls the functions; it has no state of its own.
 *
 *     wayseal_vault_key reference = {context, sign, public_key};
 *     psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
 *     psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
 *     psa_set_key_bits(&attributes, 256);
 *     psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
 *     psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
 *     psa_set_key_lifetime(&attributes, WAYSEAL_VAULT_LIFETIME);
 *     psa_import_key(&attributes, (const uint8_t*)&reference, sizeof reference, &id);
 *     mbedtls_pk_setup_opaque(&pk, id);
 *
 * What `context` points to must outlive the PSA key. Threads: calls arrive on the thread that uses the key.
 */
#ifndef WAYSEAL_VAULT_DRIVER_H
#define WAYSEAL_VAULT_DRIVER_H

#include "psa/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Location of keys behind this driver; in the range that PSA reserves for vendors. */
#define WAYSEAL_VAULT_LOCATION ((psa_key_location_t)0x805753)
#define WAYSEAL_VAULT_LIFETIME \
  PSA_KEY_LIFETIME_FROM_PERSISTENCE_AND_LOCATION(PSA_KEY_PERSISTENCE_VOLATILE, WAYSEAL_VAULT_LOCATION)

/** A P-256 private key that lives elsewhere. Both functions must be set. */
typedef struct wayseal_vault_key {
  void* context; /**< Handed to both functions; borrowed. */
  /** Signs a 32-byte SHA-256 digest with ECDSA; writes r then s, 32 bytes each, big-endian.
   * \return PSA_SUCCESS, or what the PSA call then returns, e.g. PSA_ERROR_HARDWARE_FAILURE. */
  psa_status_t (*sign)(void* context, const uint8_t digest[32], uint8_t signature[64]);
  /** Writes the uncompressed point: 0x04, X, Y. \return as above. */
  psa_status_t (*public_key)(void* context, uint8_t point[65]);
} wayseal_vault_key;

/** Where mbedTLS gets its random bytes (MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG): fills `out` whole. */
typedef psa_status_t (*wayseal_random_source)(void* context, uint8_t* out, size_t size);

/** Sets the process's random source for PSA and TLS; NULL takes it away again: every request for random bytes then
 * fails. One for the whole process, because mbedTLS asks without a context. Call it while no thread uses PSA. */
void wayseal_psa_set_random_source(wayseal_random_source source, void* context);

/** The same for a platform that has a source of its own: it goes before the other one. A vault that takes its random
 * bytes from PSA (hal/psa) needs it, for a channel would ask the vault, the vault PSA, and PSA the channel. Call it
 * before psa_crypto_init. The source must be fit for keys: a hardware generator, or a DRBG seeded by one. */
void wayseal_psa_set_platform_random(wayseal_random_source source, void* context);

/* Entry points of the driver, called by mbedTLS's generated wrappers only. */
psa_status_t wayseal_vault_opaque_import_key(const psa_key_attributes_t* attributes, const uint8_t* data,
                                             size_t data_size, uint8_t* key_buffer, size_t key_buffer_size,
                                             size_t* key_buffer_length, size_t* bits);
psa_status_t wayseal_vault_opaque_export_public_key(const psa_key_attributes_t* attributes,
                                                    const uint8_t* key_buffer, size_t key_buffer_size,
                                                    uint8_t* data, size_t data_size, size_t* data_length);
psa_status_t wayseal_vault_opaque_sign_hash(const psa_key_attributes_t* attributes, const uint8_t* key_buffer,
                                            size_t key_buffer_size, psa_algorithm_t alg, const uint8_t* hash,
                                            size_t hash_size, uint8_t* signature, size_t signature_size,
                                            size_t* signature_length);

#ifdef __cplusplus
}
#endif

#endif
