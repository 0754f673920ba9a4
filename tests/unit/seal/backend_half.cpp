// SPDX-License-Identifier: Apache-2.0
#include "unit/seal/backend_half.hpp"

#include <algorithm>

#include "delivery.pb.h"
#include "envelope.pb.h"
#include "session.pb.h"

namespace wayseal::fakes {
namespace {

namespace pb = wayseal::v1;

void put_u16(std::string& to, size_t value) {
  to.push_back(static_cast<char>(value >> 8));
  to.push_back(static_cast<char>(value & 0xFF));
}

std::string big_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  return text;
}

Digest digest_of(const std::string& text) {
  return sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string text_of(const Digest& digest) { return to_string(digest.bytes()); }

template <typename T>
bool fixed_from(const std::string& text, T& out) {
  if (text.size() != T::kSize) return false;
  std::memcpy(out.data, text.data(), T::kSize);
  return true;
}

void put_chain(const FakeChain& chain, google::protobuf::RepeatedPtrField<std::string>* to) {
  to->Add(to_string(view(chain.leaf)));
  to->Add(to_string(view(chain.intermediate)));
}

// The bytes of a chain as received, and what the verifier says of it.
template <typename Strings>
bool verified(CertVerifier& root, const Strings& strings, Role role, CertInfo& info) {
  if (strings.size() != 2) return false;
  CertChain chain;
  for (int i = 0; i < 2; ++i) {
    chain.certificates[i] = {reinterpret_cast<const uint8_t*>(strings[i].data()), strings[i].size()};
  }
  chain.count = 2;
  const CertificateDates dates{CertificateDates::Check::kAgainst, {BackendHalf::kNowMs}};
  return root.verify(chain, role, dates, info) == Status::kOk;
}

// PROTOCOL.md, "Transcript".
std::string transcript_of(const pb::SessionOpen& open, const std::string& vehicle_id) {
  const std::string items[] = {
      "wayseal/1 open",
      big_endian(open.version(), 1),
      big_endian(open.suite(), 1),
      big_endian(open.offer(), 4),
      big_endian(open.prekey_id(), 8),
      open.prekey_point(),
      open.bundle_digest(),
      open.backend_certificate_digest(),
      text_of(digest_of(open.chain(0))),
      vehicle_id,
      open.ephemeral(),
      open.nonce(),
      big_endian(open.session_counter(), 8),
      open.previous_session(),
      big_endian(open.previous_last_durable(), 8),
  };
  std::string input;
  for (const std::string& item : items) {
    put_u16(input, item.size());
    input += item;
  }
  return input;
}

BackendIdentity issue(const FakeCertVerifier& root, Role role, const char* name) {
  BackendIdentity identity;
  identity.key = random_scalar();
  const UtcTime from{BackendHalf::kNowMs - 30 * kMsPerDay};
  const UtcTime to{BackendHalf::kNowMs + 30 * kMsPerDay};
  identity.chain = root.issue({role, name, public_point(identity.key), from, to});
  return identity;
}

size_t padme(size_t length) {
  size_t e = 0;
  while ((length >> (e + 1)) != 0) ++e;
  size_t s = 0;
  while ((e >> (s + 1)) != 0) ++s;
  const size_t step = size_t{1} << (e - (s + 1));
  return (length + step - 1) / step * step;
}

}  // namespace

std::string to_string(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Blob to_blob(const std::string& text) { return {text.begin(), text.end()}; }

Digest label_digest(const std::string& label, const std::string& body) {
  std::string input;
  put_u16(input, label.size());
  return digest_of(input + label + body);
}

BackendHalf::BackendHalf(CertVerifier& data_root, std::string vehicle, BackendIdentity prekey_identity,
                         BackendIdentity time_identity)
    : root(data_root),
      vehicle_id(std::move(vehicle)),
      prekey(std::move(prekey_identity)),
      time(std::move(time_identity)) {}

BackendHalf::BackendHalf(FakeCertVerifier& data_root, std::string vehicle)
    : BackendHalf(data_root, std::move(vehicle), issue(data_root, Role::kPrekey, "prekey-1"),
                  issue(data_root, Role::kTime, "time-1")) {}

Blob BackendHalf::sign(const std::string& label, const std::string& body, const BackendIdentity& signer) {
  pb::SignedPrekeyBundle message;
  message.set_body(body);
  message.set_signature(to_string(ecdsa_sign(signer.key, label_digest(label, body)).bytes()));
  put_chain(signer.chain, message.mutable_chain());
  return to_blob(message.SerializeAsString());
}

std::optional<Challenge> BackendHalf::read_request(Bytes request) {
  pb::SignedPrekeysRequest message;
  CertInfo info;
  EcSignature signature;
  if (!message.ParseFromArray(request.data(), static_cast<int>(request.size()))) return std::nullopt;
  if (!verified(root, message.chain(), Role::kVehicle, info)) return std::nullopt;
  if (!fixed_from(message.signature(), signature)) return std::nullopt;
  const Digest digest = label_digest("wayseal/1 prekeys-request", message.body());
  if (!ecdsa_verify(info.public_key, digest, signature)) return std::nullopt;
  pb::PrekeysRequest body;
  Challenge challenge;
  if (!body.ParseFromString(message.body()) || body.version() != 1) return std::nullopt;
  if (body.vehicle_id() != vehicle_id || to_string(info.subject.bytes()) != vehicle_id) return std::nullopt;
  if (!fixed_from(body.challenge(), challenge) || body.wanted() > 64) return std::nullopt;
  return challenge;
}

PrekeyPlan::Prekey BackendHalf::add_prekey(const Scalar& key) {
  PrekeyPlan::Prekey made;
  made.id = next_prekey_++;
  made.point = public_point(key);
  made.expires_ms = kNowMs + 60 * kMsPerDay;
  prekey_keys_[made.id] = key;
  return made;
}

PrekeyPlan BackendHalf::plan(const Challenge& challenge, size_t one_time) {
  PrekeyPlan plan;
  plan.vehicle_id = vehicle_id;
  plan.challenge = challenge;
  for (size_t i = 0; i < one_time; ++i) plan.one_time.push_back(add_prekey(random_scalar()));
  plan.last_resort = add_prekey(random_scalar());
  return plan;
}

std::string BackendHalf::bundle_body(const PrekeyPlan& plan) {
  pb::PrekeyBundle body;
  const auto fill = [](const PrekeyPlan::Prekey& from, pb::Prekey* to) {
    to->set_id(from.id);
    to->set_point(to_string(from.point.bytes()));
    to->set_suites(from.suites);
    to->set_expires_ms(from.expires_ms);
  };
  body.set_version(plan.version);
  body.set_vehicle_id(plan.vehicle_id);
  body.set_challenge(to_string(plan.challenge.bytes()));
  for (const auto& one : plan.one_time) fill(one, body.add_one_time());
  if (plan.last_resort) fill(*plan.last_resort, body.mutable_last_resort());
  return body.SerializeAsString();
}

Blob BackendHalf::signed_time(const Challenge& challenge, int64_t utc_ms) const {
  pb::TimeStatement body;
  body.set_challenge(to_string(challenge.bytes()));
  body.set_utc_ms(utc_ms);
  return sign("wayseal/1 time", body.SerializeAsString(), time);
}

Blob BackendHalf::signed_refusal(const Digest& th, int reason) const {
  pb::SessionRefused body;
  body.set_vehicle_id(vehicle_id);
  body.set_th(text_of(th));
  body.set_reason(static_cast<pb::SessionRefused::Reason>(reason));
  return sign("wayseal/1 refuse", body.SerializeAsString(), prekey);
}

Blob BackendHalf::reply(const Blob& bundle, const Blob& signed_time) const {
  pb::PrekeysReply message;
  if (!bundle.empty()) message.mutable_bundle()->ParseFromArray(bundle.data(), static_cast<int>(bundle.size()));
  if (!signed_time.empty()) {
    message.mutable_time()->ParseFromArray(signed_time.data(), static_cast<int>(signed_time.size()));
  }
  return to_blob(message.SerializeAsString());
}

std::optional<std::string> BackendHalf::transcript_input(Bytes session_open, const std::string& vehicle_id) {
  pb::SessionOpen open;
  if (!open.ParseFromArray(session_open.data(), static_cast<int>(session_open.size()))) return std::nullopt;
  if (open.chain_size() != 2) return std::nullopt;
  return transcript_of(open, vehicle_id);
}

std::optional<BackendSession> BackendHalf::take_open(Bytes session_open) {
  pb::SessionOpen open;
  CertInfo info;
  EcSignature signature;
  EcPoint ephemeral;
  if (!open.ParseFromArray(session_open.data(), static_cast<int>(session_open.size()))) return std::nullopt;
  if (open.version() != 1 || open.suite() < 1 || open.suite() > 2) return std::nullopt;
  if (((open.offer() >> (open.suite() - 1)) & 1U) == 0) return std::nullopt;
  if (!verified(root, open.chain(), Role::kVehicle, info)) return std::nullopt;
  if (to_string(info.subject.bytes()) != vehicle_id) return std::nullopt;
  if (!fixed_from(open.signature(), signature) || !fixed_from(open.ephemeral(), ephemeral)) return std::nullopt;
  BackendSession session;
  session.th = digest_of(transcript_of(open, vehicle_id));
  if (!ecdsa_verify(info.public_key, session.th, signature)) return std::nullopt;
  const auto key = prekey_keys_.find(open.prekey_id());
  if (key == prekey_keys_.end()) return std::nullopt;
  if (open.prekey_point() != to_string(public_point(key->second).bytes())) return std::nullopt;
  if (open.backend_certificate_digest() != text_of(sha256(view(prekey.chain.leaf)))) return std::nullopt;
  const auto z = ecdh(key->second, ephemeral);
  if (!z) return std::nullopt;

  std::memcpy(session.id.data, session.th.data, SessionId::kSize);
  session.suite = static_cast<uint8_t>(open.suite());
  session.prekey_id = open.prekey_id();
  session.counter = open.session_counter();
  session.previous = to_blob(open.previous_session());
  session.previous_last_durable = open.previous_last_durable();
  session.v2b = derive_key(static_cast<Suite>(session.suite), *z, kVehicleToBackendLabel, session.th);
  session.b2v = derive_key(static_cast<Suite>(session.suite), *z, kBackendToVehicleLabel, session.th);
  claims[session.prekey_id].insert(to_blob(text_of(session.th)));
  sessions[to_blob(to_string(session.id.bytes()))] = session;
  return session;
}

std::optional<OpenedRecord> BackendHalf::open(Bytes sealed) const {
  pb::Sealed message;
  if (!message.ParseFromArray(sealed.data(), static_cast<int>(sealed.size()))) return std::nullopt;
  const Blob header = to_blob(message.header());
  if (header.size() != 26 || header[0] != 1) return std::nullopt;
  const auto found = sessions.find(Blob(header.begin() + 2, header.begin() + 18));
  if (found == sessions.end() || header[1] != found->second.suite) return std::nullopt;
  Nonce nonce;
  std::memcpy(nonce.data + 4, header.data() + 18, 8);
  const Blob ciphertext = to_blob(message.ciphertext());
  const auto content = gcm_open(found->second.v2b, nonce, view(header), view(ciphertext));
  if (!content || content->size() < 3) return std::nullopt;
  const size_t length = (static_cast<size_t>((*content)[1]) << 8) | (*content)[2];
  if (3 + length > content->size()) return std::nullopt;
  const auto padding = content->begin() + static_cast<std::ptrdiff_t>(3 + length);
  if (std::any_of(padding, content->end(), [](uint8_t byte) { return byte != 0; })) return std::nullopt;
  OpenedRecord record;
  record.session = found->second.id;
  record.sequence = load_be64(header.data() + 18);
  record.type = (*content)[0];
  record.payload.assign(content->begin() + 3, padding);
  return record;
}

Blob BackendHalf::seal_ack(const SessionId& session, const std::vector<AckEntry>& entries) const {
  pb::Ack ack;
  for (const AckEntry& entry : entries) {
    pb::SessionAck* one = ack.add_sessions();
    one->set_session_id(to_string(entry.session.bytes()));
    one->set_contiguous(entry.contiguous);
    one->set_beyond(to_string(view(entry.beyond)));
  }
  return seal_content(session, 64, to_blob(ack.SerializeAsString()));
}

Blob BackendHalf::seal_content(const SessionId& session, uint8_t type, const Blob& payload) const {
  const BackendSession& known = sessions.at(to_blob(to_string(session.bytes())));
  Blob content{type, static_cast<uint8_t>(payload.size() >> 8), static_cast<uint8_t>(payload.size())};
  content.insert(content.end(), payload.begin(), payload.end());
  content.resize(padme(content.size()));
  Nonce nonce;
  const Scalar random = random_scalar();
  std::copy_n(random.begin(), Nonce::kSize, nonce.data);
  Blob header{1, known.suite};
  header.insert(header.end(), std::begin(session.data), std::end(session.data));
  header.resize(26);
  header.insert(header.end(), std::begin(nonce.data), std::end(nonce.data));
  pb::Sealed message;
  message.set_header(to_string(view(header)));
  message.set_ciphertext(to_string(view(gcm_seal(known.b2v, nonce, view(header), view(content)))));
  return to_blob(message.SerializeAsString());
}

}  // namespace wayseal::fakes
