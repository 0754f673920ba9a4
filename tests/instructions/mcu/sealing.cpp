// SPDX-License-Identifier: Apache-2.0
// What sealing costs beside mbedTLS's own GCM, of the same build and with the same key and additional data.
#include <mbedtls/memory_buffer_alloc.h>
#include <psa/crypto.h>
#include <wayseal_vault_driver.h>

#include "fixed_parts.hpp"
#include "markers.hpp"
#include "wayseal/seal/envelope.hpp"
#include "wayseal/seal/session.hpp"

namespace {

using wayseal::Status;

constexpr uint32_t kRecords = 16;
constexpr size_t kSizes[] = {256, 1024, 4096};
constexpr size_t kLargest = 4096;
static_assert(kLargest <= wayseal::kContentMax, "sealing_config.hpp is in use");
const char* const kGcmNames[] = {"gcm_256", "gcm_1024", "gcm_4096"};
const char* const kSealNames[] = {"seal_256", "seal_1024", "seal_4096"};

alignas(8) uint8_t arena[8 * 1024];
uint8_t content[kLargest];
uint8_t sealed[wayseal::kRecordMax];

psa_status_t no_random(void*, uint8_t* out, size_t size) {
  std::memset(out, 1, size);
  return PSA_SUCCESS;
}

bool count_seal(wayseal::Session& session, size_t index) {
  for (uint32_t i = 0; i < kRecords; ++i) {
    wayseal::SealedRecord record;
    count_begin();
    const Status status = session.seal({content, kSizes[index]}, sealed, record);
    count_end();
    if (status != Status::kOk || record.size != wayseal::sealed_size(kSizes[index])) return false;
  }
  end_case(kSealNames[index], kRecords);
  return true;
}

bool count_gcm(mbedtls_gcm_context& gcm, size_t aad_size, size_t index) {
  const uint8_t nonce[12] = {1};
  const uint8_t aad[64] = {2};
  if (aad_size > sizeof aad) return false;
  for (uint32_t i = 0; i < kRecords; ++i) {
    count_begin();
    const int error =
        mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, kSizes[index], nonce, sizeof nonce, aad, aad_size,
                                  content, sealed, wayseal::kGcmTagSize, sealed + kSizes[index]);
    count_end();
    if (error != 0) return false;
  }
  end_case(kGcmNames[index], kRecords);
  return true;
}

}  // namespace

int main() {
  const board::InterruptLock lock;
  mbedtls_memory_buffer_alloc_init(arena, sizeof arena);
  wayseal_psa_set_platform_random(no_random, nullptr);
  static mbedtls_gcm_context gcm;
  const uint8_t key[32] = {3};
  mbedtls_gcm_init(&gcm);
  if (psa_crypto_init() != PSA_SUCCESS || mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) != 0)
    return 1;
  count_begin();
  count_end();
  end_case("empty", 1);

  static cost::FixedVault vault(gcm);
  static cost::FixedVerifier verifier;
  static cost::FixedOpenings openings;
  static cost::FixedClock clock;
  static wayseal::VehicleIdentity identity;
  if (identity.load(vault, verifier) != Status::kOk) return 2;
  static wayseal::Session session(vault, clock, openings, identity);
  static uint8_t opening[wayseal::kSessionOpenBytesMax];
  size_t size = 0;
  if (session.open(wayseal::CryptoPolicy{}, wayseal::PreviousSession{}, opening, size) != Status::kOk) return 3;
  for (size_t i = 0; i < sizeof kSizes / sizeof kSizes[0]; ++i) {
    if (!count_seal(session, i)) return 4;
    if (!count_gcm(gcm, vault.aad_size(), i)) return 5;
  }
  return 0;
}
