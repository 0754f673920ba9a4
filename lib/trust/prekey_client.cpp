// SPDX-License-Identifier: Apache-2.0
#include "wayseal/trust/prekey_client.hpp"

#include "session.pb.h"
#include "trust/wire.hpp"

namespace wayseal {

Status PrekeyClient::make_request(SuiteSet suites, size_t wanted, MutableBytes out, size_t& size) {
  size = 0;
  waiting_ = false;
  if (wanted > kPrekeysMax || suites.empty()) return Status::kInvalidArgument;
  if (!identity_.loaded()) return Status::kBadState;
  begun_ = time_.moment();
  WAYSEAL_TRY(vault_.random(challenge_.mutable_bytes()));

  wayseal_v1_PrekeysRequest request = {};
  request.version = 1;
  std::memcpy(request.vehicle_id, identity_.id().text, identity_.id().size);
  std::memcpy(request.challenge, challenge_.data, Challenge::kSize);
  request.wanted = static_cast<uint32_t>(wanted);
  request.suites = suites.bits;
  uint8_t body_bytes[wayseal_v1_PrekeysRequest_size];
  size_t body_size = 0;
  WAYSEAL_TRY(wire::encode(wayseal_v1_PrekeysRequest_fields, &request, body_bytes, body_size));
  const Bytes body{body_bytes, body_size};

  Digest digest;
  WAYSEAL_TRY(signed_digest(SignedLabel::kPrekeysRequest, body, digest));
  EcSignature signature;
  WAYSEAL_TRY(vault_.sign(IdentityKey::kE2e, digest, signature));
  const Bytes signature_bytes = signature.bytes();
  wayseal_v1_SignedPrekeysRequest message = {};
  message.body = wire::from(body);
  message.signature = wire::from(signature_bytes);
  message.chain = wire::from(identity_.chain());
  WAYSEAL_TRY(wire::encode(wayseal_v1_SignedPrekeysRequest_fields, &message, out, size));
  waiting_ = true;
  return Status::kOk;
}

Status PrekeyClient::take_reply(Bytes reply, PrekeysOutcome& outcome) {
  outcome = {};
  if (!waiting_) return Status::kBadState;
  waiting_ = false;
  Bytes bundle;
  Bytes time;
  wayseal_v1_PrekeysReply fields = {};
  fields.bundle = wire::into(bundle);
  fields.time = wire::into(time);
  WAYSEAL_TRY(wire::decode(reply, wayseal_v1_PrekeysReply_fields, &fields));
  outcome.time = time.empty() ? Status::kNotFound : time_.take(time, challenge_, begun_);
  outcome.bundle = bundle.empty() ? Status::kNotFound : store_.store(bundle, challenge_);
  return outcome.time == Status::kOk ? Status::kOk : outcome.bundle;
}

}  // namespace wayseal
