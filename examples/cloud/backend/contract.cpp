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
    {"SignedPrekeysRequest.body", "SignedPrekeysRequest", "body", FieldKind::kBytes, 0, 512, false},
    {"SignedPrekeysRequest.chain", "SignedPrekeysRequest", "chain", FieldKind::kCount, 2, 2, true},
    {"PrekeysRequest.version", "PrekeysRequest", "version", FieldKind::kNumber, 1, 1, true},
    {"PrekeysRequest.vehicle_id", "PrekeysRequest", "vehicle_id", FieldKind::kBytes, 0, 32, false},
    {"PrekeysRequest.challenge", "PrekeysRequest", "challenge", FieldKind::kBytes, 32, 32, true},
    {"PrekeysRequest.wanted", "PrekeysRequest", "wanted", FieldKind::kNumber, 0, 64, false},
    {"PrekeysRequest.suites", "PrekeysRequest", "suites", FieldKind::kNumber, 1, UINT32_MAX, true},
    {"Upload.items", "Upload", "items", FieldKind::kCount, 0, 1024, false},
    {"Sealed.header", "Sealed", "header", FieldKind::kBytes, 26, 26, true},
    {"Sealed.ciphertext", "Sealed", "ciphertext", FieldKind::kBytes, 16, 65536, true},
    {"SessionOpen.version", "SessionOpen", "version", FieldKind::kNumber, 1, 1, true},
    {"SessionOpen.suite", "SessionOpen", "suite", FieldKind::kNumber, 1, 2, true},
    {"SessionOpen.offer", "SessionOpen", "offer", FieldKind::kNumber, 1, UINT32_MAX, true},
    {"SessionOpen.prekey_point", "SessionOpen", "prekey_point", FieldKind::kBytes, 65, 65, true},
    {"SessionOpen.bundle_digest", "SessionOpen", "bundle_digest", FieldKind::kBytes, 32, 32, true},
    {"SessionOpen.backend_certificate_digest", "SessionOpen", "backend_certificate_digest", FieldKind::kBytes,
     32, 32, true},
    {"SessionOpen.ephemeral", "SessionOpen", "ephemeral", FieldKind::kBytes, 65, 65, true},
    {"SessionOpen.nonce", "SessionOpen", "nonce", FieldKind::kBytes, 32, 32, true},
    {"SessionOpen.session_counter", "SessionOpen", "session_counter", FieldKind::kNumber, 0, INT64_MAX, false},
    {"SessionOpen.previous_session", "SessionOpen", "previous_session", FieldKind::kBytes, 16, 16, false},
    {"SessionOpen.previous_last_durable", "SessionOpen", "previous_last_durable", FieldKind::kNumber, 0,
     UINT32_MAX, false},
    {"SessionOpen.chain", "SessionOpen", "chain", FieldKind::kCount, 2, 2, true},
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
