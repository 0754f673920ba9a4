// SPDX-License-Identifier: Apache-2.0
/// \file
/// The backend's signed word that it can never open a session. PROTOCOL.md, "Refusals".
#ifndef WAYSEAL_SEAL_REFUSAL_HPP
#define WAYSEAL_SEAL_REFUSAL_HPP

#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/trust/time_keeper.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {

/// Why. The numbers are the wire's; one that this build does not know is kUnspecified.
enum class RefusalReason : uint8_t {
  kUnspecified = 0,
  kPrekeyUnknown = 1,
  kPrekeyDestroyed = 2,
  kPrekeyExpired = 3,
  kSuiteNotAllowed = 4,
  kBadOpen = 5,
  kVehicleRevoked = 6,
};

/// A refusal whose chain, signature and vehicle are right.
struct Refusal {
  Digest th;
  RefusalReason reason = RefusalReason::kUnspecified;
};

/// Verifies a SignedRefusal. It frees a session only when that session's SessionOpen gives the same `th`: see
/// `refusal_fits`.
/// \return kOk; kMalformed; kNotAuthentic (chain, role, signature, another vehicle); kStale (certificate
///         dates).
Status verify_refusal(Bytes message, const TimeKeeper& time, const VehicleIdentity& identity, Refusal& out);

/// Whether the whole `th` of `refusal` is that of `session_open`, the bytes that the spool keeps for its
/// session.
/// \return kOk; kNotAuthentic when it is not; kMalformed; kUnsupported.
Status refusal_fits(const Refusal& refusal, Bytes session_open, const VehicleId& vehicle);

}  // namespace wayseal

#endif
