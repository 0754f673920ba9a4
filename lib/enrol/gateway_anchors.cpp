// SPDX-License-Identifier: Apache-2.0
#include "wayseal/enrol/gateway_anchors.hpp"

#include <cstring>
#include <new>

namespace wayseal {
namespace {

constexpr std::string_view kPath = "/.well-known/est/gateway/cacerts";
constexpr uint16_t kHttpOk = 200;

}  // namespace

GatewayAnchors::GatewayAnchors(CertVerifier& verifier, MutableBytes memory, http::Timeouts timeouts)
    : verifier_(verifier), memory_(memory), timeouts_(timeouts) {}

Status GatewayAnchors::load(StateStore& state) {
  count_ = 0;
  stored_size_ = 0;
  if (memory_.size() < kGatewayAnchorsMemory) return Status::kBufferTooSmall;
  state_ = &state;
  const Result<size_t> size = state.get(StateItem::kGatewayAnchors, stored());
  if (!size.ok()) return size.status();
  return take_stored(size.value());
}

// Pairs of a big-endian length and a certificate.
Status GatewayAnchors::take_stored(size_t size) {
  Bytes rest = Bytes(stored()).first(size);
  size_t count = 0;
  while (!rest.empty()) {
    if (rest.size() < 2 || count == kGatewayAnchorsMax) return Status::kMalformed;
    const size_t length = static_cast<size_t>(rest[0]) << 8 | rest[1];
    if (length == 0 || rest.size() - 2 < length) return Status::kMalformed;
    const Bytes certificate = rest.from(2).first(length);
    WAYSEAL_TRY(verifier_.verify_gateway_authority(certificate, {}));
    certificates_[count++] = certificate;
    rest = rest.from(2 + length);
  }
  count_ = count;
  stored_size_ = size;
  return count > 0 ? Status::kOk : Status::kMalformed;
}

Status GatewayAnchors::begin(Channel& channel, CertificateDates dates) {
  if (state_ == nullptr || busy()) return Status::kBadState;
  changed_ = false;
  dates_ = dates;
  WAYSEAL_TRY(channel.open(dates));
  channel_ = &channel;
  exchange_ = nullptr;
  return Status::kOk;
}

Status GatewayAnchors::step(MonotonicTime now) {
  if (!busy()) return Status::kOk;
  const Status status = advance(now);
  if (status == Status::kWouldBlock) return status;
  channel_->close();
  channel_ = nullptr;
  exchange_ = nullptr;
  return status;
}

Status GatewayAnchors::advance(MonotonicTime now) {
  if (exchange_ == nullptr) {
    WAYSEAL_TRY(channel_->progress());
    exchange_ = new (exchange_memory_) http::Exchange(*channel_, timeouts_);
    http::Request request;
    request.method = http::Method::kGet;
    request.path = kPath;
    WAYSEAL_TRY(exchange_->start(request, answer(), now));
    return Status::kWouldBlock;
  }
  WAYSEAL_TRY(exchange_->step(now));
  const http::Response& response = exchange_->response();
  return response.status == kHttpOk ? take_answer(response.body.size()) : Status::kRefused;
}

Status GatewayAnchors::take_answer(size_t size) {
  const Result<size_t> bytes = read_base64(answer().first(size));
  if (!bytes.ok()) return bytes.status();
  CertificateList list;
  WAYSEAL_TRY(read_certs_only(Bytes(answer()).first(bytes.value()), list));
  uint8_t value[kGatewayAnchorsSize];
  size_t used = 0;
  for (size_t i = 0; i < list.count; ++i) {
    const Bytes certificate = list.certificates[i];
    WAYSEAL_TRY(verifier_.verify_gateway_authority(certificate, dates_));
    store_be16(value + used, static_cast<uint16_t>(certificate.size()));
    std::memcpy(value + used + 2, certificate.data(), certificate.size());
    used += 2 + certificate.size();
  }
  const Bytes fresh = Bytes(value).first(used);
  if (equal(fresh, Bytes(stored()).first(stored_size_))) return Status::kOk;
  WAYSEAL_TRY(state_->put(StateItem::kGatewayAnchors, fresh));
  std::memcpy(stored().data(), value, used);
  changed_ = true;
  return take_stored(used);
}

}  // namespace wayseal
