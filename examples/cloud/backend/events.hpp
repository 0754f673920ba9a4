// SPDX-License-Identifier: Apache-2.0
// Security events (proto/event.proto): the backend's own alarms, and those that a gateway's log tells of.
#ifndef WAYSEAL_CLOUD_EVENTS_HPP
#define WAYSEAL_CLOUD_EVENTS_HPP

#include <optional>
#include <string>
#include <string_view>

#include "event.pb.h"
#include "sqlite.hpp"

namespace cloud {

using SecurityEvent = wayseal::v1::SecurityEvent;

/// Events that a database keeps; the oldest are dropped, and counted.
inline constexpr int64_t kEventsMax = 10000;

/// An alarm of the backend, by its name in the log. A name that has no kind of its own gives KIND_UNSPECIFIED.
/// \param subject token of the vehicle. \param session token; empty: not about one session.
SecurityEvent alarm_event(std::string_view name, std::string subject, std::string session);

/// What a line of the gateway's log means; nothing for one that is no security event, and for one that cannot be read.
std::optional<SecurityEvent> gateway_event(const std::string& line);

/// proto3's JSON mapping, in one line.
std::string event_json(const SecurityEvent& event);

/// Keeps an event, and at most kEventsMax of them. Within the caller's transaction.
void store_event(Database& database, const SecurityEvent& event);

}  // namespace cloud

#endif
