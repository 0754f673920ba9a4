// SPDX-License-Identifier: Apache-2.0
// Stands for the device's PSA Crypto implementation (TF-M, a vendor's, or mbedTLS with its own memory), so that
// the link shows what the library itself refers to. It is never run.
#include <psa/crypto.h>

extern "C" {

psa_status_t psa_crypto_init() { return PSA_ERROR_NOT_SUPPORTED; }
psa_status_t psa_hash_compute(psa_algorithm_t, const uint8_t*, size_t, uint8_t*, size_t, size_t*) {
  return PSA_ERROR_NOT_SUPPORTED;
}
psa_status_t psa_hash_setup(psa_hash_operation_t*, psa_algorithm_t) { return PSA_ERROR_NOT_SUPPORTED; }
psa_status_t psa_hash_update(psa_hash_operation_t*, const uint8_t*, size_t) { return PSA_ERROR_NOT_SUPPORTED; }
psa_status_t psa_hash_finish(psa_hash_operation_t*, uint8_t*, size_t, size_t*) {
  return PSA_ERROR_NOT_SUPPORTED;
}
psa_status_t psa_hash_abort(psa_hash_operation_t*) { return PSA_ERROR_NOT_SUPPORTED; }
psa_status_t psa_import_key(const psa_key_attributes_t*, const uint8_t*, size_t, mbedtls_svc_key_id_t*) {
  return PSA_ERROR_NOT_SUPPORTED;
}
psa_status_t psa_destroy_key(mbedtls_svc_key_id_t) { return PSA_ERROR_NOT_SUPPORTED; }
psa_status_t psa_verify_hash(mbedtls_svc_key_id_t, psa_algorithm_t, const uint8_t*, size_t, const uint8_t*,
                             size_t) {
  return PSA_ERROR_NOT_SUPPORTED;
}
psa_status_t psa_mac_compute(mbedtls_svc_key_id_t, psa_algorithm_t, const uint8_t*, size_t, uint8_t*, size_t,
                             size_t*) {
  return PSA_ERROR_NOT_SUPPORTED;
}
psa_status_t psa_aead_encrypt(mbedtls_svc_key_id_t, psa_algorithm_t, const uint8_t*, size_t, const uint8_t*,
                              size_t, const uint8_t*, size_t, uint8_t*, size_t, size_t*) {
  return PSA_ERROR_NOT_SUPPORTED;
}

}  // extern "C"
