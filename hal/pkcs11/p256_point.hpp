// SPDX-License-Identifier: Apache-2.0
#ifndef WAYSEAL_HAL_PKCS11_P256_POINT_HPP
#define WAYSEAL_HAL_PKCS11_P256_POINT_HPP

#include "wayseal/core/types.hpp"

namespace wayseal::pkcs11 {

/// Full public-key validation for P-256 (SP 800-56A Rev. 3, 5.6.2.3.4; the cofactor is 1): 0x04, both
/// coordinates below p, and y^2 = x^3 - 3x + b. Done here because tokens differ: some take any point. For
/// public values: its time depends on them.
bool is_p256_point(const EcPoint& point);

}  // namespace wayseal::pkcs11

#endif
