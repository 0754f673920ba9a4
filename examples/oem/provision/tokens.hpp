// SPDX-License-Identifier: Apache-2.0
/// \file
/// Tokens with identities: one folder each, with a SoftHSM2 store of its own, so that whoever has the one
/// folder does
/// not have the other's keys.
#ifndef WAYSEAL_OEM_PROVISION_TOKENS_HPP
#define WAYSEAL_OEM_PROVISION_TOKENS_HPP

#include <optional>
#include <string>

#include "provision/oem_pki.hpp"

namespace wayseal::oem {

/// A vehicle's certificates are for the whole of its life.
inline constexpr int kVehicleDays = 3650;

/// The bootstrap certificate outlives them: it is what a vehicle comes back with after years in a barn.
inline constexpr int kBootstrapDays = 5475;

struct TokenPlan {
  Path folder;                     ///< Gets softhsm2.conf, tokens/, so-pin and, unless `pin` is given, pin.
  std::string module;              ///< Path of the PKCS#11 module.
  std::string label;               ///< Of the token.
  std::optional<std::string> pin;  ///< Given by a person; else one is generated into `folder`/pin, mode 0600.
};

/// Initialises the token `vehicle`: keys `tls`, `e2e` and, when the fleet has a bootstrap authority, `bootstrap` are made inside
/// it, and their certificates are written as objects that cannot be modified.
void make_vehicle_token(const TokenPlan& plan, OemPki& pki, const std::string& vehicle_id);

/// Initialises the token `backend`: keys `prekey` and `time`, and their certificates.
void make_backend_token(const TokenPlan& plan, OemPki& pki);

/// Gives the backend a new `time` certificate for the same key.
void renew_time_certificate(const TokenPlan& plan, OemPki& pki);

/// Gives the backend a new key and certificate `prekey` or `time`. The old key stays in the token as `retired-NAME-SERIAL`, SERIAL
/// being that of its certificate, and is used no more; a backend that runs goes on with it until it is started again. Broken off
/// anywhere and done again, it goes on where it was. Prekeys in the token are left as they are.
void rotate_backend_identity(const TokenPlan& plan, OemPki& pki, Role role);

}  // namespace wayseal::oem

#endif
