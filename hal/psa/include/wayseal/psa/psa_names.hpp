// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a device without PKCS#11 keeps what provisioning made: key ids of PSA Crypto, uids of PSA ITS. All are
/// stored: never give one another meaning.
#ifndef WAYSEAL_PSA_PSA_NAMES_HPP
#define WAYSEAL_PSA_PSA_NAMES_HPP

#include <psa/crypto.h>
#include <psa/internal_trusted_storage.h>

#include "wayseal/hal/key_vault.hpp"

namespace wayseal {

/// Persistent P-256 pairs, in the range that PSA leaves to applications.
inline constexpr psa_key_id_t kPsaTlsKey = 0x00575301;
inline constexpr psa_key_id_t kPsaE2eKey = 0x00575302;

/// The ITS entry of a certificate or root (DER), above every uid that a PSA implementation in the same program makes of
/// a key id.
constexpr psa_storage_uid_t psa_uid_of(VaultObject object) {
  return 0x5753000000000001ULL + static_cast<psa_storage_uid_t>(object);
}

}  // namespace wayseal

#endif
