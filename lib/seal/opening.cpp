// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/opening.hpp"

#include "session.pb.h"
#include "trust/wire.hpp"
#include "wayseal/trust/signed.hpp"

namespace wayseal {
namespace {

constexpr uint8_t kVersion = 1;

void add_u8(Sha256& hash, uint8_t value) { hash.add_item({&value, 1}); }

void add_u32(Sha256& hash, uint32_t value) {
  uint8_t bytes[4];
  store_be32(bytes, value);
  hash.add_item(bytes);
}

void add_u64(Sha256& hash, uint64_t value) {
  uint8_t bytes[8];
  store_be64(bytes, value);
  hash.add_item(bytes);
}

Bytes previous_bytes(const PreviousSession& previous) {
  return previous.known == PreviousSession::Known::kYes ? previous.id.bytes() : Bytes{};
}

template <typename To, size_t N>
void copy_to(To& to, const uint8_t (&from)[N]) {
  static_assert(To::kSize == N, "same length");
  std::memcpy(to.data, from, N);
}

}  // namespace

Status transcript_hash(const Opening& opening, const Digest& certificate_digest, const VehicleId& vehicle,
                       Digest& th) {
  Sha256 hash;
  hash.add_item(label_text(SignedLabel::kOpen));
  add_u8(hash, kVersion);
  add_u8(hash, opening.suite);
  add_u32(hash, opening.offer);
  add_u64(hash, opening.prekey_id);
  hash.add_item(opening.prekey_point.bytes());
  hash.add_item(opening.bundle_digest.bytes());
  hash.add_item(opening.backend_certificate_digest.bytes());
  hash.add_item(certificate_digest.bytes());
  hash.add_item(vehicle.bytes());
  hash.add_item(opening.ephemeral.bytes());
  hash.add_item(opening.nonce.bytes());
  add_u64(hash, opening.counter);
  hash.add_item(previous_bytes(opening.previous));
  add_u64(hash, opening.previous.last_durable);
  return hash.finish(th);
}

SessionId session_id_of(const Digest& th) {
  SessionId id;
  std::memcpy(id.data, th.data, SessionId::kSize);
  return id;
}

Status encode_session_open(const Opening& opening, const CertChain& chain, const EcSignature& signature,
                           MutableBytes out, size_t& size) {
  wayseal_v1_SessionOpen message = {};
  message.version = kVersion;
  message.suite = opening.suite;
  message.offer = opening.offer;
  message.prekey_id = opening.prekey_id;
  std::memcpy(message.prekey_point, opening.prekey_point.data, EcPoint::kSize);
  std::memcpy(message.bundle_digest, opening.bundle_digest.data, Digest::kSize);
  std::memcpy(message.backend_certificate_digest, opening.backend_certificate_digest.data, Digest::kSize);
  std::memcpy(message.ephemeral, opening.ephemeral.data, EcPoint::kSize);
  std::memcpy(message.nonce, opening.nonce.data, Challenge::kSize);
  message.session_counter = opening.counter;
  const Bytes previous = previous_bytes(opening.previous);
  message.previous_session.size = static_cast<pb_size_t>(previous.size());
  if (!previous.empty()) std::memcpy(message.previous_session.bytes, previous.data(), previous.size());
  message.previous_last_durable = opening.previous.last_durable;
  message.chain = wire::from(chain);
  std::memcpy(message.signature, signature.data, EcSignature::kSize);
  return wire::encode(wayseal_v1_SessionOpen_fields, &message, out, size);
}

Status decode_session_open(Bytes bytes, Opening& opening, CertChain& chain) {
  wayseal_v1_SessionOpen message = {};
  chain = {};
  message.chain = wire::into(chain);
  WAYSEAL_TRY(wire::decode(bytes, wayseal_v1_SessionOpen_fields, &message));
  if (message.version != kVersion) return Status::kUnsupported;
  const size_t previous_size = message.previous_session.size;
  if (message.suite > UINT8_MAX || chain.count == 0) return Status::kMalformed;
  if (previous_size != 0 && previous_size != SessionId::kSize) return Status::kMalformed;
  opening.suite = static_cast<uint8_t>(message.suite);
  opening.offer = message.offer;
  opening.prekey_id = message.prekey_id;
  copy_to(opening.prekey_point, message.prekey_point);
  copy_to(opening.bundle_digest, message.bundle_digest);
  copy_to(opening.backend_certificate_digest, message.backend_certificate_digest);
  copy_to(opening.ephemeral, message.ephemeral);
  copy_to(opening.nonce, message.nonce);
  opening.counter = message.session_counter;
  opening.previous = {};
  opening.previous.last_durable = message.previous_last_durable;
  if (previous_size != 0) {
    opening.previous.known = PreviousSession::Known::kYes;
    copy_to(opening.previous.id, message.previous_session.bytes);
  }
  return Status::kOk;
}

}  // namespace wayseal
