// SPDX-License-Identifier: Apache-2.0
/// \file
/// Rotations of the OEM's own keys, in steps. Each step may be done again and then changes nothing, or goes on where it was broken
/// off; files are replaced whole. Each returns what is left to do, for a person, and throws std::runtime_error where it must not
/// be done yet.
#ifndef WAYSEAL_OEM_PROVISION_ROTATION_HPP
#define WAYSEAL_OEM_PROVISION_ROTATION_HPP

#include "provision/oem_pki.hpp"

namespace wayseal::oem {

inline constexpr int kServerDays = 365;
inline constexpr int kCrlDays = 90;

enum class RotationStep : uint8_t { kPrepare, kSwitch, kFinish };

/// A new key and certificate for the gateway, from the gateway authority that is current.
/// \param names empty: those of the certificate that is there.
std::string rotate_gateway_certificate(const Path& fleet, OemPki& pki, std::vector<std::string> names);

/// kPrepare: a new gateway authority, which vehicles learn from the enrolment server. kSwitch: the gateway's certificate is from
/// it. kFinish: the old one is handed out no more.
std::string rotate_gateway_ca(const Path& fleet, OemPki& pki, RotationStep step);

/// kPrepare: new intermediates for TLS and e2e certificates of vehicles, accepted beside the old ones. kSwitch: vehicles enrol
/// under the new ones. kFinish: the old ones are revoked; not before no vehicle uses a certificate of theirs, unless `force`.
enum class Force : uint8_t { kNo, kYes };
std::string rotate_vehicle_ca(const Path& fleet, OemPki& pki, RotationStep step, Force force);

}  // namespace wayseal::oem

#endif
