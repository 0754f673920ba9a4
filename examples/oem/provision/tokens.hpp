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

struct TokenPlan {
  Path folder;                     ///< Gets softhsm2.conf, tokens/, so-pin and, unless `pin` is given, pin.
  std::string module;              ///< Path of the PKCS#11 module.
  std::string label;               ///< Of the token.
  std::optional<std::string> pin;  ///< Given by a person; else one is generated into `folder`/pin, mode 0600.
};

/// Initialises the token `vehicle`: keys `tls` and `e2e` are made inside it, and the certificates that it
/// needs for the whole
/// of its life are written as objects that cannot be modified.
void make_vehicle_token(const TokenPlan& plan, OemPki& pki, const std::string& vehicle_id);

/// Initialises the token `backend`: keys `prekey` and `time`, and their certificates.
void make_backend_token(const TokenPlan& plan, OemPki& pki);

/// Gives the backend a new `time` certificate for the same key.
void renew_time_certificate(const TokenPlan& plan, OemPki& pki);

}  // namespace wayseal::oem

#endif
