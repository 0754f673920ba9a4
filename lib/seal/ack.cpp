// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/ack.hpp"

#include "delivery.pb.h"
#include "trust/wire.hpp"

namespace wayseal {
namespace {

Status decode_entry(Bytes bytes, SessionAck& out) {
  wayseal_v1_SessionAck entry = {};
  WAYSEAL_TRY(wire::decode(bytes, wayseal_v1_SessionAck_fields, &entry));
  if (entry.contiguous > kSessionRecordsMax) return Status::kMalformed;
  std::memcpy(out.session.data, entry.session_id, SessionId::kSize);
  out.contiguous = entry.contiguous;
  out.beyond_size = entry.beyond.size;
  std::memcpy(out.beyond, entry.beyond.bytes, entry.beyond.size);
  return Status::kOk;
}

}  // namespace

uint64_t SessionAck::highest() const {
  for (size_t bit = beyond_size * 8; bit > 0; --bit) {
    const size_t index = bit - 1;
    if ((beyond[index / 8] >> (index % 8)) & 1U) return contiguous + 2 + index;
  }
  return contiguous;
}

Status AckReader::next(SessionAck& out) {
  pb_istream_t stream = pb_istream_from_buffer(rest_.data(), rest_.size());
  for (;;) {
    pb_wire_type_t type = PB_WT_VARINT;
    uint32_t tag = 0;
    bool end = false;
    if (!pb_decode_tag(&stream, &type, &tag, &end)) {
      rest_ = {};
      return end ? Status::kNotFound : Status::kMalformed;
    }
    if (tag == 0) return Status::kMalformed;  // no field has this number
    if (tag == wayseal_v1_Ack_sessions_tag && type == PB_WT_STRING) break;
    if (!pb_skip_field(&stream, type)) return Status::kMalformed;
  }
  pb_istream_t entry;
  if (++count_ > kAckSessionsMax || !pb_make_string_substream(&stream, &entry)) return Status::kMalformed;
  const Bytes bytes = wire::rest_of(&entry);
  if (!pb_close_string_substream(&stream, &entry)) return Status::kMalformed;
  rest_ = wire::rest_of(&stream);
  return decode_entry(bytes, out);
}

}  // namespace wayseal
