// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/session.hpp"

#include "wayseal/record/content.hpp"
#include "wayseal/seal/envelope.hpp"

namespace wayseal {

Status Session::open(const CryptoPolicy& policy, const PreviousSession& previous, MutableBytes out,
                     size_t& size) {
  close();
  size = 0;
  const SuiteSet token = vault_.capabilities().suites;
  WAYSEAL_TRY(check_policy(policy, token));
  if (!identity_.loaded()) return Status::kBadState;
  if (out.size() < kSessionOpenBytesMax) return Status::kBufferTooSmall;
  // Before the token is used, so that a change in between is noticed.
  epoch_ = vault_.epoch();
  continuity_ = clock_.continuity();
  opened_ = clock_.now();
  Opening opening;
  opening.previous = previous;
  WAYSEAL_TRY(agree(token & policy.suites & known_suites(), opening));

  // Z and the ephemeral are gone by now; the keys go as well when the rest fails.
  EcSignature signature;
  Status status = vault_.sign(IdentityKey::kE2e, th_, signature);
  if (status == Status::kOk) {
    status = encode_session_open(opening, identity_.chain(), signature, out, size);
  }
  if (status != Status::kOk) {
    vault_.destroy(keys_);
    size = 0;
    return status;
  }
  limits_ = policy.limits;
  counter_.restart(limits_.records);
  bytes_ = 0;
  open_ = true;
  return Status::kOk;
}

// The steps up to both keys, in the order of PROTOCOL.md.
Status Session::agree(SuiteSet offer, Opening& opening) {
  opening.offer = offer.bits;
  WAYSEAL_TRY(openings_.next_counter(opening.counter));
  EphemeralKey ephemeral;
  WAYSEAL_TRY(vault_.make_ephemeral(ephemeral, opening.ephemeral));
  WAYSEAL_TRY(vault_.random(opening.nonce.mutable_bytes()));
  // Verifies the bundle's chain again and marks the prekey, before anything is derived from it.
  TakenPrekey prekey;
  WAYSEAL_TRY(openings_.take(offer, prekey));
  const Result<Suite> suite = strongest_suite(prekey.suites);
  if (!suite.ok()) return suite.status();
  suite_ = suite.value();
  opening.suite = static_cast<uint8_t>(suite_);
  opening.prekey_id = prekey.id;
  opening.prekey_point = prekey.point;
  opening.bundle_digest = prekey.bundle_digest;
  opening.backend_certificate_digest = prekey.certificate_digest;
  WAYSEAL_TRY(transcript_hash(opening, identity_.certificate_digest(), identity_.id(), th_));
  id_ = session_id_of(th_);
  return vault_.derive(ephemeral, suite_, opening.prekey_point, th_, keys_);
}

SessionState Session::state() const {
  if (!open_) return SessionState::kNone;
  if (forked()) return SessionState::kForked;
  if (keys_gone()) return SessionState::kTokenLost;
  const bool spent = counter_.exhausted() || limits_.bytes - bytes_ < kContentMax ||
                     ms_between(opened_, clock_.now()) >= limits_.age_ms;
  return spent ? SessionState::kSpent : SessionState::kAlive;
}

Status Session::seal(Bytes content, MutableBytes out, SealedRecord& record) {
  record = {};
  switch (state()) {
    case SessionState::kNone: return Status::kBadState;
    case SessionState::kSpent: return Status::kExhausted;
    case SessionState::kTokenLost:
    case SessionState::kForked: return Status::kTokenLost;
    case SessionState::kAlive: break;
  }
  if (content.size() < kContentHeaderSize || content.size() > kContentMax) return Status::kInvalidArgument;
  if (out.size() < sealed_size(content.size())) return Status::kBufferTooSmall;

  SealNonce nonce = counter_.take();
  record.sequence = counter_.last();
  bytes_ += content.size();
  SealedLayout layout;
  const EnvelopeHeader header{static_cast<uint8_t>(suite_), id_, record.sequence, {}};
  WAYSEAL_TRY(lay_out_sealed(header, content.size(), out, layout));
  WAYSEAL_TRY(vault_.seal(keys_.vehicle_to_backend, static_cast<SealNonce&&>(nonce), layout.header, content,
                          layout.ciphertext));
  record.size = layout.size;
  return Status::kOk;
}

Status Session::open_ack(Bytes sealed, MutableBytes plaintext, Bytes& ack) {
  if (!open_) return Status::kBadState;
  if (forked() || keys_gone()) return Status::kTokenLost;
  SealedView parts;
  WAYSEAL_TRY(split_sealed(sealed, parts));
  EnvelopeHeader header;
  WAYSEAL_TRY(parse_backend_header(parts.header, header));
  if (header.session != id_) return Status::kNotFound;
  if (header.suite != static_cast<uint8_t>(suite_)) return Status::kNotAuthentic;
  const size_t size = parts.ciphertext.size() - kGcmTagSize;
  if (size > kAckContentMax) return Status::kMalformed;
  if (size > plaintext.size()) return Status::kBufferTooSmall;

  const MutableBytes content = plaintext.first(size);
  WAYSEAL_TRY(vault_.open(keys_.backend_to_vehicle, header.nonce, parts.header, parts.ciphertext, content));
  ContentView view;
  WAYSEAL_TRY(parse_content(content, view));
  if (view.type != ContentType::kAck) return Status::kUnsupported;
  ack = view.payload;
  return Status::kOk;
}

void Session::close() {
  // Handles of an earlier epoch may mean other objects by now.
  if (open_ && !keys_gone()) vault_.destroy(keys_);
  keys_ = {};
  open_ = false;
}

}  // namespace wayseal
