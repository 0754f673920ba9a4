// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/refusal.hpp"

#include "session.pb.h"
#include "trust/wire.hpp"
#include "wayseal/seal/opening.hpp"
#include "wayseal/trust/signed.hpp"

namespace wayseal {
namespace {

bool note_number(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
  return pb_decode_varint(stream, static_cast<uint64_t*>(*arg));
}

}  // namespace

Status verify_refusal(Bytes message, const TimeKeeper& time, const VehicleIdentity& identity, Refusal& out) {
  SignedMessage parts;
  WAYSEAL_TRY(split_signed(SignedLabel::kRefuse, message, parts));
  CertInfo signer;
  WAYSEAL_TRY(time.verify(parts, SignedLabel::kRefuse, Role::kPrekey, signer));
  wayseal_v1_SessionRefused body = {};
  uint64_t reason = 0;
  body.reason.funcs.decode = note_number;
  body.reason.arg = &reason;
  WAYSEAL_TRY(wire::decode(parts.body, wayseal_v1_SessionRefused_fields, &body));
  if (!wire::same_text(body.vehicle_id, identity.id())) return Status::kNotAuthentic;
  const bool known = reason <= static_cast<uint64_t>(RefusalReason::kVehicleRevoked);
  std::memcpy(out.th.data, body.th, Digest::kSize);
  out.reason = known ? static_cast<RefusalReason>(reason) : RefusalReason::kUnspecified;
  return Status::kOk;
}

Status refusal_fits(const Refusal& refusal, Bytes session_open, const VehicleId& vehicle) {
  Opening opening;
  CertChain chain;
  WAYSEAL_TRY(decode_session_open(session_open, opening, chain));
  Digest certificate;
  WAYSEAL_TRY(sha256(chain.certificates[0], certificate));
  Digest th;
  WAYSEAL_TRY(transcript_hash(opening, certificate, vehicle, th));
  return equal_constant_time(th.bytes(), refusal.th.bytes()) ? Status::kOk : Status::kNotAuthentic;
}

}  // namespace wayseal
