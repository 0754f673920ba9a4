// SPDX-License-Identifier: Apache-2.0
// The form of every protobuf message that a vehicle sends, in one table: sizes, ranges, counts (PROTOCOL.md, 3, 4, 6, 9, 11 and 14).
// ../openapi.yaml says the same in `x-fields`; a test holds the two together. Fields that no schema knows are ignored, as
// PROTOCOL.md wants; signatures, certificates and names are for those who verify them, whose refusal is "not authentic".
#ifndef WAYSEAL_CLOUD_CONTRACT_HPP
#define WAYSEAL_CLOUD_CONTRACT_HPP

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "log.hpp"

namespace cloud {

struct Peer;

enum class FieldKind {
  kNumber,  ///< Least and most are of its value.
  kBytes,   ///< Of its length in bytes; a string's as well.
  kCount,   ///< Of the number of elements.
};

struct FieldRule {
  const char* name;  ///< MESSAGE.FIELD: what the log says.
  const char* message;
  const char* field;
  uint64_t least;
  uint64_t most;
  FieldKind kind;
  bool required;  ///< Otherwise empty, or 0, is good as well.
};

struct FieldRules {
  const FieldRule* first;
  const FieldRule* last;
  const FieldRule* begin() const { return first; }
  const FieldRule* end() const { return last; }
};

/// All of them.
FieldRules field_rules();

/// The first rule that `message` breaks, by the order of the table; nullptr: it holds all of its rules. Messages within are
/// bytes to it: they are checked where they are parsed.
const FieldRule* broken_rule(const google::protobuf::Message& message);

/// Says in the log which rule a vehicle's message broke, for the first few of a request. \return whether it holds all of them.
bool in_form(const google::protobuf::Message& message, const Peer& peer, Log& log);

}  // namespace cloud

#endif
