// SPDX-License-Identifier: Apache-2.0
/// \file
/// What becomes of a vehicle and its identities after it was made. All functions take the fleet's folder, return what was done and
/// what is left to do, for a person, and throw std::runtime_error where they fail.
#ifndef WAYSEAL_OEM_PROVISION_IDENTITY_LIFE_HPP
#define WAYSEAL_OEM_PROVISION_IDENTITY_LIFE_HPP

#include <istream>
#include <string>

#include "provision/oem_pki.hpp"

namespace wayseal::oem {

enum class ListFormat : uint8_t { kTable, kJson };
/// Every certificate of a vehicle, or of all; without keys or certificates themselves.
std::string list_identities(const Path& fleet, const std::string& vehicle, ListFormat format);

/// Reads lines of a gateway's log and notes which certificates were used: those of requests that were answered with 200. Wants the
/// gateway's WAYSEAL_LOG_KEY in the environment.
std::string note_use(const Path& fleet, std::istream& log);

/// Revokes certificates that a newer one has replaced for at least `grace_days`, and writes new lists.
/// \param label kTlsLabel or kE2eLabel. \param vehicle empty: of all.
std::string supersede_identities(const Path& fleet, const std::string& label, const std::string& vehicle,
                                 int grace_days);

/// Ends a vehicle for good: every identity is revoked, it gets no tokens, may not enrol, and nobody is given its data any more.
std::string decommission_vehicle(const Path& fleet, const std::string& vehicle);

/// Begins a new ownership of a vehicle that stays what it is.
std::string change_owner(const Path& fleet, const std::string& vehicle);

}  // namespace wayseal::oem

#endif
