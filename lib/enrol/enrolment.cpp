// SPDX-License-Identifier: Apache-2.0
// From a fresh key to a certificate that works. Which place is in use is in places.cpp.
#include "wayseal/enrol/enrolment.hpp"

#include <cstring>
#include <new>
#include <utility>

#include "wayseal/trust/signed.hpp"

namespace wayseal {
namespace {

constexpr std::string_view kRequestType = "application/pkcs10";
constexpr std::string_view kTlsEnroll = "/.well-known/est/tls/simpleenroll";
constexpr std::string_view kTlsReenroll = "/.well-known/est/tls/simplereenroll";
constexpr std::string_view kE2eEnroll = "/.well-known/est/e2e/simpleenroll";
constexpr std::string_view kE2eReenroll = "/.well-known/est/e2e/simplereenroll";
// The gateway answers it with a refusal of its own, after the handshake and the certificate have satisfied it.
constexpr std::string_view kProbePath = "/v1/prekeys";
constexpr std::string_view kProbeType = "application/x-protobuf";

constexpr uint16_t kHttpOk = 200;
constexpr uint16_t kHttpAccepted = 202;  // RFC 7030, 4.2.3: ask again later
constexpr uint16_t kHttpForbidden = 403;
constexpr uint16_t kHttpTooMany = 429;

std::string_view path_of(IdentityKey key, EnrolmentAs as) {
  const bool again = as == EnrolmentAs::kCurrent;
  if (key == IdentityKey::kTls) return again ? kTlsReenroll : kTlsEnroll;
  return again ? kE2eReenroll : kE2eEnroll;
}

bool later_perhaps(uint16_t status) {
  return status == kHttpAccepted || status == kHttpTooMany || status >= 500;
}

}  // namespace

Enrolment::Enrolment(const EnrolmentParts& parts, MutableBytes workspace, http::Timeouts timeouts)
    : parts_(parts), workspace_(workspace), timeouts_(timeouts) {}

Status Enrolment::begin(IdentityKey key, EnrolmentAs as, const VehicleId& id, CertificateDates dates) {
  if (state_ == nullptr || busy() || on_trial(key)) return Status::kBadState;
  if (workspace_.size() < kEnrolmentWorkspace) return Status::kBufferTooSmall;
  key_ = key;
  as_ = as;
  id_ = id;
  dates_ = dates;
  http_status_ = 0;
  retry_after_s_ = 0;
  WAYSEAL_TRY(make_request());
  return connect(parts_.line.enrolment(as), EnrolmentPhase::kConnecting);
}

// Leaves the request in base64 at the beginning of the workspace.
Status Enrolment::make_request() {
  uint8_t info[kSigningRequestMax];
  uint8_t request[kSigningRequestMax];
  WAYSEAL_TRY(parts_.identities.make_key(key_, candidate(), point_));
  const Result<size_t> info_size = write_request_info(id_, point_, info);
  if (!info_size.ok()) return info_size.status();
  const Bytes signed_part = Bytes(info).first(info_size.value());
  Digest digest;
  WAYSEAL_TRY(sha256(signed_part, digest));
  EcSignature signature;
  WAYSEAL_TRY(parts_.identities.sign(key_, candidate(), digest, signature));
  const Result<size_t> size = write_signing_request(signed_part, signature, request);
  if (!size.ok()) return size.status();
  const Result<size_t> text = write_base64(Bytes(request).first(size.value()), workspace_);
  request_size_ = text.value_or(0);
  return text.status();
}

Status Enrolment::connect(Channel* channel, EnrolmentPhase phase) {
  if (channel == nullptr) return Status::kNotFound;
  WAYSEAL_TRY(channel->open(dates_));
  channel_ = channel;
  phase_ = phase;
  return Status::kOk;
}

void Enrolment::abandon() {
  if (channel_ != nullptr) channel_->close();
  channel_ = nullptr;
  exchange_ = nullptr;
  phase_ = EnrolmentPhase::kIdle;
}

Status Enrolment::step(MonotonicTime now) {
  if (!busy()) return Status::kOk;
  const Status status = advance(now);
  if (status != Status::kOk && status != Status::kWouldBlock) abandon();
  return status;
}

Status Enrolment::advance(MonotonicTime now) {
  switch (phase_) {
    case EnrolmentPhase::kIdle: return Status::kOk;
    case EnrolmentPhase::kConnecting:
    case EnrolmentPhase::kProbing:
      WAYSEAL_TRY(channel_->progress());
      WAYSEAL_TRY(ask(now));
      return Status::kWouldBlock;
    case EnrolmentPhase::kAsking:
    case EnrolmentPhase::kProbeAsking: return step_exchange(now);
  }
  return Status::kBadState;
}

Status Enrolment::ask(MonotonicTime now) {
  exchange_ = new (exchange_memory_) http::Exchange(*channel_, timeouts_);
  if (phase_ == EnrolmentPhase::kProbing) {
    phase_ = EnrolmentPhase::kProbeAsking;
    return exchange_->start({kProbePath, kProbeType, 0, nullptr}, workspace_, now);
  }
  phase_ = EnrolmentPhase::kAsking;
  body_ = http::FixedBody(workspace_.first(request_size_));
  return exchange_->start({path_of(key_, as_), kRequestType, request_size_, &body_}, workspace_, now);
}

Status Enrolment::step_exchange(MonotonicTime now) {
  WAYSEAL_TRY(exchange_->step(now));
  http_status_ = exchange_->response().status;
  retry_after_s_ = exchange_->response().retry_after_s;
  const size_t size = exchange_->response().body.size();
  channel_->close();
  channel_ = nullptr;
  exchange_ = nullptr;
  if (phase_ == EnrolmentPhase::kProbeAsking) return take_probe_answer();
  if (later_perhaps(http_status_)) return Status::kFull;
  if (http_status_ != kHttpOk) return Status::kRefused;
  request_size_ = size;
  return take_answer();
}

Status Enrolment::take_answer() {
  const Result<size_t> size = read_base64(workspace_.first(request_size_));
  if (!size.ok()) return size.status();
  CertificateList list;
  WAYSEAL_TRY(read_certs_only(workspace_.first(size.value()), list));
  WAYSEAL_TRY(check_chain(list));
  const Bytes intermediate = list.count > 1 ? list.certificates[1] : Bytes{};
  WAYSEAL_TRY(parts_.identities.write_chain(key_, candidate(), list.certificates[0], intermediate));
  if (key_ != IdentityKey::kTls) return switch_over();
  WAYSEAL_TRY(
      connect(parts_.line.probe(candidate(), list.certificates[0], intermediate), EnrolmentPhase::kProbing));
  return Status::kWouldBlock;
}

// Brings the leaf to the front: certificates are a SET, whose order means nothing (RFC 5652, 10.2.3).
Status Enrolment::check_chain(CertificateList& list) {
  CertificateFields fields;
  WAYSEAL_TRY(read_certificate_fields(list.certificates[0], fields));
  if (fields.key != point_ && list.count == 2) {
    std::swap(list.certificates[0], list.certificates[1]);
    WAYSEAL_TRY(read_certificate_fields(list.certificates[0], fields));
  }
  const bool ours = fields.key == point_ && equal(fields.subject.bytes(), id_.bytes());
  if (!ours) return Status::kNotAuthentic;
  if (key_ != IdentityKey::kE2e) return Status::kOk;
  if (list.count != 2) return Status::kNotAuthentic;
  CertChain chain;
  chain.certificates[0] = list.certificates[0];
  chain.certificates[1] = list.certificates[1];
  chain.count = 2;
  CertInfo info;
  WAYSEAL_TRY(parts_.verifier.verify(chain, Role::kVehicle, dates_, info));
  return info.public_key == point_ && equal(info.subject.bytes(), id_.bytes()) ? Status::kOk
                                                                               : Status::kNotAuthentic;
}

// Whatever the gateway says to the request: it has read it, so it has taken the certificate; but for what it says to one that
// it does not want, and for saying that it can't tell.
Status Enrolment::take_probe_answer() {
  if (http_status_ == kHttpForbidden) return Status::kRefused;
  if (later_perhaps(http_status_)) return Status::kFull;
  return switch_over();
}

// The one write that counts.
Status Enrolment::switch_over() {
  WAYSEAL_TRY(save(key_, {candidate(), true}));
  phase_ = EnrolmentPhase::kIdle;
  WAYSEAL_TRY(parts_.identities.use(key_, places_[index(key_)].slot));
  parts_.line.changed(key_);
  return Status::kOk;
}

}  // namespace wayseal
