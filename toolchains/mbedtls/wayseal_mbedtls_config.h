/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * mbedTLS 3.6 as Wayseal uses it: a TLS 1.3 client with P-256 and TLS_AES_256_GCM_SHA384, X.509 and CRL
 * parsing, and the PSA Crypto API for public operations. Nothing else: what is not here cannot be negotiated,
 * parsed or attacked.
 *
 * Deliberately absent:
 *   MBEDTLS_HAVE_TIME_DATE  the machine's clock is not trusted; hal/mbedtls judges dates against trusted time in its
 *                           verify callback.
 *   MBEDTLS_FS_IO, NET_C    no files and no sockets below the HAL.
 *   TLS 1.2, PSK, tickets, ChaCha20-Poly1305, RSA, other curves.
 *   ENTROPY, CTR_DRBG       random bytes come from the token or the board, through MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG.
 */

/* Platform */
#define MBEDTLS_PLATFORM_C
#if defined(__x86_64__) || defined(__arm__) || defined(__aarch64__)
#define MBEDTLS_HAVE_ASM
#endif
#if defined(__x86_64__)
#define MBEDTLS_AESNI_C
#endif
#if defined(__unix__)
/* PSA's key store is one for the process; hosted programs may have more than one thread that uses it. */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
#else
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SSL_IN_CONTENT_LEN 4096
/* One program, one memory: PSA need not copy what it is given before it reads it. */
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS
#endif

/* Keys that PSA holds itself, for hal/psa; psa_its_* come from wayseal_hal_psa_its or from the platform. A slot is a
 * key: two a session and one more while it opens, up to six of a TLS handshake, two identities. */
#if defined(WAYSEAL_PSA_STORAGE)
#define MBEDTLS_PSA_CRYPTO_STORAGE_C
#endif
#if !defined(MBEDTLS_PSA_KEY_SLOT_COUNT)
#if defined(WAYSEAL_PSA_STORAGE) && defined(__unix__)
#define MBEDTLS_PSA_KEY_SLOT_COUNT 96
#elif defined(WAYSEAL_PSA_STORAGE)
#define MBEDTLS_PSA_KEY_SLOT_COUNT 16
#elif !defined(__unix__)
#define MBEDTLS_PSA_KEY_SLOT_COUNT 8
#endif
#endif

/* PSA Crypto, with the opaque driver of toolchains/mbedtls/driver */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_USE_PSA_CRYPTO
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define PSA_CRYPTO_ACCELERATOR_DRIVER_PRESENT

/* Primitives */
#define MBEDTLS_AES_C
#define MBEDTLS_GCM_C
#define MBEDTLS_CMAC_C /* suite 2 in a software vault */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA224_C /* mbedTLS ties it to SHA-256 */
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_HKDF_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_LMS_C /* verification of firmware signatures (RFC 8554) */

/* X.509 */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CRL_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO

/* TLS 1.3 client (RFC 8446) */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
