// SPDX-License-Identifier: Apache-2.0
#include "wayseal/http/exchange.hpp"

namespace wayseal::http {
namespace {

using namespace std::string_view_literals;

constexpr int kPiecesPerStep = 8;
constexpr int kReadsPerStep = 16;
/// Lines of an answer are received in pieces of this size, on the stack; its body where it belongs.
constexpr size_t kLinesRead = 64;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kBeforeBearer = "\r\nAuthorization: Bearer ";

Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

bool all_visible(std::string_view text, char lowest) {
  for (const char c : text) {
    if (c < lowest || c > '~') return false;
  }
  return true;
}

/// Appends to a fixed buffer and remembers whether everything fitted.
class HeadWriter {
 public:
  HeadWriter(char* out, size_t size) : out_(out), size_(size) {}

  HeadWriter& operator<<(std::string_view text) {
    if (text.size() > size_ - used_) {
      fits_ = false;
      return *this;
    }
    text.copy(out_ + used_, text.size());
    used_ += text.size();
    return *this;
  }

  HeadWriter& operator<<(uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << std::string_view(digits + first, sizeof digits - first);
  }

  bool fits() const { return fits_; }
  size_t used() const { return used_; }

 private:
  char* out_;
  size_t size_;
  size_t used_ = 0;
  bool fits_ = true;
};

}  // namespace

Result<Bytes> FixedBody::do_next() {
  if (body_.empty()) return Status::kBadState;
  const Bytes all = body_;
  body_ = {};
  return all;
}

Exchange::Exchange(Channel& channel, Timeouts timeouts) : channel_(channel), timeouts_(timeouts) {}

Status Exchange::build_head(const Request& request) {
  if (request.path.empty() || request.path.front() != '/') return Status::kInvalidArgument;
  if (!all_visible(request.path, '!') || !all_visible(request.content_type, ' ') ||
      !all_visible(request.bearer, '!'))
    return Status::kInvalidArgument;
  const Bytes authority = channel_.authority();
  HeadWriter head(head_, sizeof head_);
  const bool get = request.method == Method::kGet;
  head << (get ? "GET "sv : "POST "sv) << request.path << " HTTP/1.1\r\nHost: "sv
       << std::string_view(reinterpret_cast<const char*>(authority.data()), authority.size());
  if (!request.content_type.empty()) head << "\r\nContent-Type: "sv << request.content_type;
  if (!get) head << "\r\nContent-Length: "sv << request.body_size;
  head << (request.bearer.empty() ? kHeadEnd : kBeforeBearer);
  if (!head.fits()) return Status::kInvalidArgument;
  piece_ = {reinterpret_cast<const uint8_t*>(head_), head.used()};
  return Status::kOk;
}

Status Exchange::start(const Request& request, MutableBytes response_body, MonotonicTime now) {
  if (running_) return Status::kBadState;
  if (request.body_size > 0 && request.body == nullptr) return Status::kInvalidArgument;
  WAYSEAL_TRY(build_head(request));
  stage_ = Stage::kHead;
  bearer_ = request.bearer;
  cut_short_ = false;
  source_ = request.body;
  body_left_ = request.body_size;
  body_sent_ = 0;
  response_ = {};
  parser_.begin(response_body);
  started_ = now;
  moved_ = now;
  running_ = true;
  return Status::kOk;
}

Status Exchange::step(MonotonicTime now) {
  if (!running_) return Status::kBadState;
  Status status = pump(now);
  if (status == Status::kWouldBlock &&
      (ms_between(moved_, now) >= timeouts_.idle_ms || ms_between(started_, now) >= timeouts_.total_ms)) {
    status = Status::kTimeout;
  }
  if (status != Status::kWouldBlock) running_ = false;
  return status;
}

// Reads also when a write has failed: a peer that answers early (413, or an alert about our certificate) and
// closes makes the next write fail, while what it said still waits to be read.
Status Exchange::pump(MonotonicTime now) {
  const Status sent = send(now);
  const Status got = receive(now);
  if (sent == Status::kOk || sent == Status::kWouldBlock) return got;
  return got == Status::kOk || got == Status::kRefused ? got : sent;
}

// kNotFound when all has been sent.
Status Exchange::next_piece() {
  switch (stage_) {
    case Stage::kHead:
      if (bearer_.empty()) break;
      stage_ = Stage::kBearer;
      piece_ = bytes_of(bearer_);
      return Status::kOk;
    case Stage::kBearer:
      stage_ = Stage::kHeadEnd;
      piece_ = bytes_of(kHeadEnd);
      return Status::kOk;
    case Stage::kHeadEnd:
    case Stage::kBody: break;
  }
  return refill();
}

Status Exchange::refill() {
  if (body_left_ == 0) return Status::kNotFound;
  const Result<Bytes> next = source_->next();
  if (!next.ok()) return next.status();
  if (next.value().empty() || next.value().size() > body_left_) return Status::kInvalidArgument;
  piece_ = next.value();
  stage_ = Stage::kBody;
  return Status::kOk;
}

Status Exchange::send(MonotonicTime now) {
  if (parser_.head_complete()) {
    cut_short_ = cut_short_ || !all_sent();
    piece_ = {};
    return Status::kOk;
  }
  for (int i = 0; i < kPiecesPerStep; ++i) {
    if (piece_.empty()) {
      const Status more = next_piece();
      if (more == Status::kNotFound && body_left_ == 0) return Status::kOk;
      WAYSEAL_TRY(more);
    }
    const Result<size_t> taken = channel_.write(piece_);
    if (!taken.ok()) return taken.status();
    piece_ = piece_.from(taken.value());
    if (stage_ == Stage::kBody) {
      body_left_ -= taken.value();
      body_sent_ += taken.value();
    }
    moved_ = now;
  }
  return Status::kWouldBlock;
}

Status Exchange::receive(MonotonicTime now) {
  uint8_t lines[kLinesRead];
  for (int i = 0; i < kReadsPerStep; ++i) {
    MutableBytes room = parser_.body_room();
    if (room.empty()) room = lines;
    const Result<size_t> got = channel_.read(room);
    if (!got.ok()) return got.status();
    moved_ = now;
    WAYSEAL_TRY(parser_.take(room.first(got.value())));
    if (parser_.complete()) return finish();
  }
  return Status::kWouldBlock;
}

Status Exchange::finish() {
  response_.status = parser_.status();
  response_.retry_after_s = parser_.retry_after_s();
  response_.body = parser_.body();
  response_.reusable = all_sent() && !cut_short_ && !parser_.closes() && !parser_.excess() && silent();
  return Status::kOk;
}

bool Exchange::all_sent() const {
  const bool head_sent = bearer_.empty() || stage_ >= Stage::kHeadEnd;
  return head_sent && piece_.empty() && body_left_ == 0;
}

// A peer that has more to say than was asked for is out of step; one that has closed is gone.
bool Exchange::silent() {
  uint8_t unexpected = 0;
  return channel_.read({&unexpected, 1}).status() == Status::kWouldBlock;
}

}  // namespace wayseal::http
