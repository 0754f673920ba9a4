// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

#include <iterator>
#include <string>

#include "core.hpp"

namespace cloud {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr FieldRule kRules[] = {
    {"SignedPrekeysRequest.body", "SignedPrekeysRequest", "body", 0, 512, FieldKind::kBytes, false},
    {"SignedPrekeysRequest.chain", "SignedPrekeysRequest", "chain", 2, 2, FieldKind::kCount, true},
    {"PrekeysRequest.version", "PrekeysRequest", "version", 1, 1, FieldKind::kNumber, true},
    {"PrekeysRequest.vehicle_id", "PrekeysRequest", "vehicle_id", 0, 32, FieldKind::kBytes, false},
    {"PrekeysRequest.challenge", "PrekeysRequest", "challenge", 32, 32, FieldKind::kBytes, true},
    {"PrekeysRequest.wanted", "PrekeysRequest", "wanted", 0, 64, FieldKind::kNumber, false},
    {"PrekeysRequest.suites", "PrekeysRequest", "suites", 1, UINT32_MAX, FieldKind::kNumber, true},
    {"Upload.items", "Upload", "items", 0, 1024, FieldKind::kCount, false},
    {"Sealed.header", "Sealed", "header", 26, 26, FieldKind::kBytes, true},
    {"Sealed.ciphertext", "Sealed", "ciphertext", 16, 65536, FieldKind::kBytes, true},
    {"SessionOpen.version", "SessionOpen", "version", 1, 1, FieldKind::kNumber, true},
    {"SessionOpen.suite", "SessionOpen", "suite", 1, 2, FieldKind::kNumber, true},
    {"SessionOpen.offer", "SessionOpen", "offer", 1, UINT32_MAX, FieldKind::kNumber, true},
    {"SessionOpen.prekey_point", "SessionOpen", "prekey_point", 65, 65, FieldKind::kBytes, true},
    {"SessionOpen.bundle_digest", "SessionOpen", "bundle_digest", 32, 32, FieldKind::kBytes, true},
    {"SessionOpen.backend_certificate_digest", "SessionOpen", "backend_certificate_digest", 32, 32,
     FieldKind::kBytes, true},
    {"SessionOpen.ephemeral", "SessionOpen", "ephemeral", 65, 65, FieldKind::kBytes, true},
    {"SessionOpen.nonce", "SessionOpen", "nonce", 32, 32, FieldKind::kBytes, true},
    {"SessionOpen.session_counter", "SessionOpen", "session_counter", 0, INT64_MAX, FieldKind::kNumber, false},
    {"SessionOpen.previous_session", "SessionOpen", "previous_session", 16, 16, FieldKind::kBytes, false},
    {"SessionOpen.previous_last_durable", "SessionOpen", "previous_last_durable", 0, UINT32_MAX,
     FieldKind::kNumber, false},
    {"SessionOpen.chain", "SessionOpen", "chain", 2, 2, FieldKind::kCount, true},
};

uint64_t number_of(const Message& message, const FieldDescriptor* field) {
  const auto* const reflection = message.GetReflection();
  return field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ? reflection->GetUInt32(message, field)
                                                              : reflection->GetUInt64(message, field);
}

bool within(uint64_t value, const FieldRule& rule) {
  return (value >= rule.least && value <= rule.most) || (value == 0 && !rule.required);
}

bool holds(const Message& message, const FieldRule& rule) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(rule.field);
  if (field == nullptr) return false;  // a table that names no field lets nothing through
  const auto* const reflection = message.GetReflection();
  std::string scratch;
  switch (rule.kind) {
    case FieldKind::kNumber: return within(number_of(message, field), rule);
    case FieldKind::kBytes:
      return within(reflection->GetStringReference(message, field, &scratch).size(), rule);
    case FieldKind::kCount: return within(static_cast<uint64_t>(reflection->FieldSize(message, field)), rule);
  }
  return false;
}

}  // namespace

FieldRules field_rules() { return {std::begin(kRules), std::end(kRules)}; }

const FieldRule* broken_rule(const Message& message) {
  const std::string& name = message.GetDescriptor()->name();
  for (const FieldRule& rule : kRules) {
    if (name == rule.message && !holds(message, rule)) return &rule;
  }
  return nullptr;
}

bool in_form(const Message& message, const Peer& peer, Log& log) {
  const FieldRule* const broken = broken_rule(message);
  if (broken == nullptr) return true;
  if (peer.form_lines_left-- > 0) log.line("form", {{"vehicle", log.token(peer.name)}, {"rule", broken->name}});
  return false;
}

}  // namespace cloud
