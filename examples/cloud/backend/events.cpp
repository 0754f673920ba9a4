// SPDX-License-Identifier: Apache-2.0
#include "events.hpp"

#include <google/protobuf/util/json_util.h>
#include <openssl/rand.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace cloud {
namespace {

constexpr uint32_t kSchema = 1;

struct Alarm {
  std::string_view name;
  SecurityEvent::Kind kind;
};
constexpr Alarm kAlarms[] = {{"prekey-reused", SecurityEvent::PREKEY_REUSED},
                             {"counter-reused", SecurityEvent::COUNTER_REUSED},
                             {"forked", SecurityEvent::SESSION_FORKED},
                             {"two-records-one-number", SecurityEvent::TWO_RECORDS_ONE_NUMBER},
                             {"record-not-authentic", SecurityEvent::RECORD_NOT_AUTHENTIC},
                             {"open-not-authentic", SecurityEvent::OPEN_NOT_AUTHENTIC},
                             {"prekeys-not-authentic", SecurityEvent::PREKEYS_NOT_AUTHENTIC},
                             {"wrong-vehicle", SecurityEvent::WRONG_VEHICLE},
                             {"after-settled", SecurityEvent::RECORD_AFTER_SETTLED},
                             {"prekey-missing", SecurityEvent::PREKEY_MISSING},
                             {"prekey-unrecorded", SecurityEvent::PREKEY_UNRECORDED},
                             {"session-id-collision", SecurityEvent::SESSION_ID_COLLISION},
                             {"too-many-sessions", SecurityEvent::TOO_MANY_SESSIONS},
                             {"acks-exhausted", SecurityEvent::ACKS_EXHAUSTED}};

struct Verdict {
  SecurityEvent::Kind kind;
  SecurityEvent::Severity severity;
};

Verdict verdict_of(const std::string& event, const std::string& why, int status) {
  if (event == "handshake") return {SecurityEvent::HANDSHAKE_REFUSED, SecurityEvent::NOTICE};
  if (event == "unreadable") return {SecurityEvent::REQUEST_MALFORMED, SecurityEvent::NOTICE};
  if (why == "revoked") return {SecurityEvent::REVOKED_IDENTITY_USED, SecurityEvent::WARNING};
  if (why == "rate") return {SecurityEvent::RATE_LIMITED, SecurityEvent::NOTICE};
  // A token of somebody else: no honest vehicle sends one.
  if (why == "cnf" || why == "client") return {SecurityEvent::AUTHENTICATION_REFUSED, SecurityEvent::ALARM};
  if (status == 401 || why == "name") return {SecurityEvent::AUTHENTICATION_REFUSED, SecurityEvent::NOTICE};
  if (status == 403) return {SecurityEvent::AUTHORISATION_REFUSED, SecurityEvent::NOTICE};
  return {SecurityEvent::REQUEST_MALFORMED, SecurityEvent::NOTICE};
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}
bool is_token(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A field of a line; what is absent or of another type is as good as empty.
std::string text_of(const nlohmann::json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}
int64_t number_of(const nlohmann::json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

}  // namespace

SecurityEvent alarm_event(std::string_view name, std::string subject, std::string session) {
  SecurityEvent event;
  Blob event_id(16, '\0');
  if (RAND_bytes(octets(event_id), 16) != 1) throw std::runtime_error("no random bytes");
  event.set_event_id(event_id);
  event.set_schema(kSchema);
  event.set_time_ms(now_ms());
  event.set_clock_trusted(true);
  event.set_source(SecurityEvent::BACKEND);
  event.set_subject(std::move(subject));
  event.set_severity(SecurityEvent::ALARM);
  for (const Alarm& alarm : kAlarms) {
    if (alarm.name == name) event.set_kind(alarm.kind);
  }
  event.mutable_session()->set_session(std::move(session));
  return event;
}

std::optional<SecurityEvent> gateway_event(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const std::string name = text_of(json, "event");
  const std::string why = text_of(json, "why");
  if (name != "handshake" && name != "unreadable" && !(name == "request" && is_word(why) && why != "-")) {
    return std::nullopt;
  }
  const auto status = static_cast<int>(number_of(json, "status"));
  const Verdict verdict = verdict_of(name, why, status);
  SecurityEvent event;
  event.set_event_id(sha256(line).substr(0, 16));
  event.set_schema(kSchema);
  event.set_time_ms(number_of(json, "time_ms"));
  event.set_clock_trusted(true);
  event.set_source(SecurityEvent::GATEWAY);
  const std::string subject = text_of(json, "vehicle");
  if (is_token(subject)) event.set_subject(subject);
  event.set_severity(verdict.severity);
  event.set_kind(verdict.kind);
  event.mutable_refusal()->set_status(static_cast<uint32_t>(status));
  event.mutable_refusal()->set_reason(name == "request" ? why : name);
  return event;
}

std::string event_json(const SecurityEvent& event) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(event, &text).ok()) {
    throw std::runtime_error("an event that JSON cannot hold");
  }
  return text;
}

void store_event(Database& database, const SecurityEvent& event) {
  database.run("INSERT OR IGNORE INTO events(event_id, at_ms, kind, severity, message) VALUES(?, ?, ?, ?, ?)",
               Blob(event.event_id()), int64_t{event.time_ms()}, int64_t{event.kind()},
               int64_t{event.severity()}, Blob(event.SerializeAsString()));
  const int64_t more = database.integer("SELECT COUNT(*) FROM events").value_or(0) - kEventsMax;
  if (more <= 0) return;
  database.run("DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", more);
  database.run(
      "INSERT INTO counters(name, value) VALUES('events_dropped', ?1) ON CONFLICT DO UPDATE SET value = value "
      "+ ?1",
      more);
}

}  // namespace cloud
