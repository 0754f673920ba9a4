// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_HAL_PKCS11_TOKEN_STATUS_HPP
#define WAYSEAL_HAL_PKCS11_TOKEN_STATUS_HPP

#include "wayseal/core/status.hpp"
#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::pkcs11 {

/// What the caller does after this answer of a token. Anything without a better meaning is kTokenLost: opening
/// the token again and starting a new session is always safe.
Status token_status(CK_RV rv);

}  // namespace wayseal::pkcs11

#endif
