// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_channel.hpp"

#include <algorithm>
#include <cctype>

namespace wayseal::fakes {

FakeChannel::FakeChannel(FakePeer peer, std::string authority)
    : peer_(std::move(peer)), authority_(std::move(authority)) {}

void FakeChannel::heal() {
  faults_ = {};
  opening_fault_.reset();
  refuse_at_read_ = false;
  peer_closed_ = false;
}

Status FakeChannel::fail(Status status, ChannelFailure failure) {
  state_ = State::kClosed;
  diagnostic_ = {failure, -1};
  return status;
}

bool FakeChannel::stalled(unsigned& left) const {
  if (left == 0) {
    left = faults_.stalls;
    return false;
  }
  --left;
  return true;
}

Status FakeChannel::do_open(CertificateDates dates) {
  if (hook_) hook_();
  dates_.push_back(dates);
  state_ = State::kOpening;
  diagnostic_ = {};
  at_peer_.clear();
  from_peer_.clear();
  spoke_ = false;
  sent_ = 0;
  received_ = 0;
  write_stalls_ = faults_.stalls;
  read_stalls_ = faults_.stalls;
  steps_left_ = faults_.handshake_steps;
  return Status::kOk;
}

Status FakeChannel::do_progress() {
  if (hook_) hook_();
  if (state_ == State::kOpen) return Status::kOk;
  if (state_ == State::kClosed) return Status::kBadState;
  if (steps_left_ > 0) {
    --steps_left_;
    return Status::kWouldBlock;
  }
  if (opening_fault_) return fail(opening_fault_->status, opening_fault_->failure);
  state_ = State::kOpen;
  return Status::kOk;
}

Result<size_t> FakeChannel::do_write(Bytes data) {
  if (hook_) hook_();
  if (state_ != State::kOpen) return Status::kBadState;
  if (stalled(write_stalls_)) return Status::kWouldBlock;
  if (faults_.deaf_after_sent && sent_ >= *faults_.deaf_after_sent) return Status::kDisconnected;
  uint64_t count = std::min(data.size(), faults_.write_max);
  if (faults_.cut_after_sent)
    count = std::min(count, *faults_.cut_after_sent - std::min(*faults_.cut_after_sent, sent_));
  if (count > 0) {
    at_peer_.append(reinterpret_cast<const char*>(data.data()), count);
    sent_ += count;
    wire_bytes_ += count;
    if (!refuse_at_read_) peer_(at_peer_, from_peer_);
    spoke_ = spoke_ || !from_peer_.empty();
    return static_cast<size_t>(count);
  }
  return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer);
}

Result<size_t> FakeChannel::do_read(MutableBytes out) {
  if (hook_) hook_();
  if (state_ != State::kOpen) return Status::kBadState;
  if (refuse_at_read_ && sent_ > 0) return fail(Status::kRefused, ChannelFailure::kClientCertificateRefused);
  if (faults_.cut_after_sent && sent_ >= *faults_.cut_after_sent) {
    return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer);
  }
  if (stalled(read_stalls_)) return Status::kWouldBlock;
  uint64_t count = std::min({out.size(), faults_.read_max, from_peer_.size()});
  if (faults_.cut_after_received) {
    const uint64_t left = *faults_.cut_after_received - std::min(*faults_.cut_after_received, received_);
    if (left == 0) return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer);
    count = std::min(count, left);
  }
  if (count == 0) {
    if (peer_closed_ && spoke_) return fail(Status::kDisconnected, ChannelFailure::kClosedByPeer);
    return Status::kWouldBlock;
  }
  std::copy_n(from_peer_.begin(), count, out.data());
  from_peer_.erase(0, count);
  received_ += count;
  wire_bytes_ += count;
  return static_cast<size_t>(count);
}

void FakeChannel::do_close() {
  if (hook_) hook_();
  state_ = State::kClosed;
}

Bytes FakeChannel::do_authority() const {
  return {reinterpret_cast<const uint8_t*>(authority_.data()), authority_.size()};
}

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Takes one whole request from the front of `received`.
std::optional<HttpRequest> take_request(std::string& received) {
  const size_t head_end = received.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  HttpRequest request;
  size_t line_end = received.find("\r\n");
  const std::string line = received.substr(0, line_end);
  request.method = line.substr(0, line.find(' '));
  request.path = line.substr(request.method.size() + 1, line.rfind(' ') - request.method.size() - 1);
  while (line_end < head_end) {
    const size_t start = line_end + 2;
    line_end = received.find("\r\n", start);
    const std::string field = received.substr(start, line_end - start);
    const size_t colon = field.find(": ");
    request.fields[lower(field.substr(0, colon))] = field.substr(colon + 2);
  }
  const size_t size = request.fields.count("content-length") ? std::stoul(request.fields["content-length"]) : 0;
  if (received.size() < head_end + 4 + size) return std::nullopt;
  request.body = received.substr(head_end + 4, size);
  received.erase(0, head_end + 4 + size);
  return request;
}

}  // namespace

FakePeer http_peer(std::function<std::string(const HttpRequest&)> handler) {
  return [handler = std::move(handler)](std::string& received, std::string& to_send) {
    while (const std::optional<HttpRequest> request = take_request(received)) to_send += handler(*request);
  };
}

std::string http_answer(int status, const std::string& body, const std::string& fields) {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body;
}

}  // namespace wayseal::fakes
