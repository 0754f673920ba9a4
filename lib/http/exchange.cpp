// SPDX-License-Identifier: Apache-2.0
#include "wayseal/http/exchange.hpp"

#include <llhttp.h>

#include <new>

namespace wayseal::http {
namespace {

constexpr int kPiecesPerStep = 8;
constexpr int kReadsPerStep = 16;
constexpr size_t kReadSize = 1024;

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

bool same_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i]) return false;
  }
  return true;
}

/// Adds `length` bytes to a small buffer; what does not fit only moves `used` to its end, so that a long name
/// or value matches nothing.
void gather(char* out, size_t size, uint8_t& used, const char* at, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (used >= size) return;
    out[used++] = at[i];
  }
}

}  // namespace

/// llhttp's callbacks. They return 0 to go on, and HPE_USER to stop with `verdict_`.
struct ExchangeCallbacks {
  static Exchange& self(llhttp_t* parser) { return *static_cast<Exchange*>(parser->data); }
  static llhttp_t* parser(Exchange& exchange) {
    return std::launder(reinterpret_cast<llhttp_t*>(exchange.parser_));
  }
  static int stop(Exchange& exchange, Status verdict) {
    exchange.verdict_ = verdict;
    return HPE_USER;
  }

  static int on_header_field(llhttp_t* p, const char* at, size_t length) {
    Exchange& x = self(p);
    gather(x.name_, sizeof x.name_, x.name_size_, at, length);
    return 0;
  }

  static int on_header_field_complete(llhttp_t* p) {
    Exchange& x = self(p);
    const std::string_view name(x.name_, x.name_size_);
    x.field_ = Exchange::Field::kOther;
    if (same_ignoring_case(name, "retry-after")) x.field_ = Exchange::Field::kRetryAfter;
    if (same_ignoring_case(name, "content-encoding")) x.field_ = Exchange::Field::kContentEncoding;
    x.name_size_ = 0;
    x.value_size_ = 0;
    return 0;
  }

  static int on_header_value(llhttp_t* p, const char* at, size_t length) {
    Exchange& x = self(p);
    gather(x.value_, sizeof x.value_, x.value_size_, at, length);
    return 0;
  }

  static int on_header_value_complete(llhttp_t* p) {
    Exchange& x = self(p);
    x.end_field();
    return x.verdict_ == Status::kOk ? 0 : HPE_USER;
  }

  static int on_headers_complete(llhttp_t* p) {
    Exchange& x = self(p);
    if (p->http_major != 1 || p->http_minor != 1) return stop(x, Status::kUnsupported);
    if (p->status_code < 100 || p->status_code > 599) return stop(x, Status::kMalformed);
    if (p->status_code == 101 || p->upgrade != 0) return stop(x, Status::kUnsupported);
    if (p->status_code < 200) return 0;
    if (llhttp_message_needs_eof(p) != 0) return stop(x, Status::kUnsupported);
    if ((p->flags & F_CONTENT_LENGTH) != 0 && p->content_length > x.body_out_.size()) {
      return stop(x, Status::kUnsupported);
    }
    return 0;
  }

  static int on_body(llhttp_t* p, const char* at, size_t length) {
    Exchange& x = self(p);
    if (length > x.body_out_.size() - x.body_used_) return stop(x, Status::kUnsupported);
    if (length > 0) std::memcpy(x.body_out_.data() + x.body_used_, at, length);
    x.body_used_ += length;
    return 0;
  }

  static int on_message_complete(llhttp_t* p) {
    Exchange& x = self(p);
    if (p->status_code < 200) {  // Interim (RFC 9110, 15.2): the answer proper follows.
      x.start_fields();
      return 0;
    }
    x.complete_ = true;
    x.response_.status = p->status_code;
    x.response_.reusable = llhttp_should_keep_alive(p) != 0;
    return HPE_PAUSED;
  }
};

namespace {

const llhttp_settings_t* settings() {
  static constexpr llhttp_settings_t kSettings = [] {
    llhttp_settings_t s{};
    s.on_header_field = ExchangeCallbacks::on_header_field;
    s.on_header_field_complete = ExchangeCallbacks::on_header_field_complete;
    s.on_header_value = ExchangeCallbacks::on_header_value;
    s.on_header_value_complete = ExchangeCallbacks::on_header_value_complete;
    s.on_headers_complete = ExchangeCallbacks::on_headers_complete;
    s.on_body = ExchangeCallbacks::on_body;
    s.on_message_complete = ExchangeCallbacks::on_message_complete;
    return s;
  }();
  return &kSettings;
}

}  // namespace

Result<Bytes> FixedBody::do_next() {
  if (body_.empty()) return Status::kBadState;
  const Bytes all = body_;
  body_ = {};
  return all;
}

Exchange::Exchange(Channel& channel, Timeouts timeouts) : channel_(channel), timeouts_(timeouts) {
  static_assert(sizeof(llhttp_t) <= sizeof parser_ && alignof(llhttp_t) <= 8, "room for llhttp's parser");
}

Status Exchange::build_head(const Request& request) {
  if (request.path.empty() || request.path.front() != '/') return Status::kInvalidArgument;
  if (!all_visible(request.path, '!') || !all_visible(request.content_type, ' '))
    return Status::kInvalidArgument;
  const Bytes authority = channel_.authority();
  HeadWriter head(head_, sizeof head_);
  head << "POST " << request.path << " HTTP/1.1\r\nHost: "
       << std::string_view(reinterpret_cast<const char*>(authority.data()), authority.size());
  if (!request.content_type.empty()) head << "\r\nContent-Type: " << request.content_type;
  head << "\r\nContent-Length: " << request.body_size << "\r\n\r\n";
  if (!head.fits()) return Status::kInvalidArgument;
  piece_ = {reinterpret_cast<const uint8_t*>(head_), head.used()};
  return Status::kOk;
}

Status Exchange::start(const Request& request, MutableBytes response_body, MonotonicTime now) {
  if (running_) return Status::kBadState;
  if (request.body_size > 0 && request.body == nullptr) return Status::kInvalidArgument;
  WAYSEAL_TRY(build_head(request));
  piece_is_body_ = false;
  source_ = request.body;
  body_left_ = request.body_size;
  body_sent_ = 0;
  response_ = {};
  body_out_ = response_body;
  overhead_ = 0;
  body_used_ = 0;
  verdict_ = Status::kOk;
  complete_ = false;
  start_fields();
  llhttp_t* parser = new (parser_) llhttp_t;
  llhttp_init(parser, HTTP_RESPONSE, settings());
  parser->data = this;
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

Status Exchange::refill() {
  if (body_left_ == 0) return Status::kNotFound;
  const Result<Bytes> next = source_->next();
  if (!next.ok()) return next.status();
  if (next.value().empty() || next.value().size() > body_left_) return Status::kInvalidArgument;
  piece_ = next.value();
  piece_is_body_ = true;
  return Status::kOk;
}

Status Exchange::send(MonotonicTime now) {
  for (int i = 0; i < kPiecesPerStep; ++i) {
    if (piece_.empty()) {
      const Status more = refill();
      if (more == Status::kNotFound && body_left_ == 0) return Status::kOk;
      WAYSEAL_TRY(more);
    }
    const Result<size_t> taken = channel_.write(piece_);
    if (!taken.ok()) return taken.status();
    piece_ = piece_.from(taken.value());
    if (piece_is_body_) {
      body_left_ -= taken.value();
      body_sent_ += taken.value();
    }
    moved_ = now;
  }
  return Status::kWouldBlock;
}

Status Exchange::receive(MonotonicTime now) {
  uint8_t buffer[kReadSize];
  for (int i = 0; i < kReadsPerStep; ++i) {
    const Result<size_t> got = channel_.read(buffer);
    if (!got.ok()) return got.status();
    moved_ = now;
    WAYSEAL_TRY(parse({buffer, got.value()}));
    if (complete_) return finish();
  }
  return Status::kWouldBlock;
}

Status Exchange::parse(Bytes input) {
  llhttp_t* parser = ExchangeCallbacks::parser(*this);
  const size_t body_before = body_used_;
  const char* text = reinterpret_cast<const char*>(input.data());
  const llhttp_errno_t error = llhttp_execute(parser, text, input.size());
  size_t used = input.size();
  if (error == HPE_PAUSED) used = static_cast<size_t>(llhttp_get_error_pos(parser) - text);
  overhead_ += used - (body_used_ - body_before);
  if (overhead_ > kOverheadMax) return Status::kMalformed;
  if (verdict_ != Status::kOk) return verdict_;
  if (error != HPE_OK && error != HPE_PAUSED) return Status::kMalformed;
  if (complete_ && used < input.size()) response_.reusable = false;  // Nobody asked for more: out of step.
  return Status::kOk;
}

Status Exchange::finish() {
  if (body_left_ > 0 || !piece_.empty()) response_.reusable = false;
  response_.body = {body_out_.data(), body_used_};
  return Status::kOk;
}

void Exchange::start_fields() {
  name_size_ = 0;
  value_size_ = 0;
  field_ = Field::kOther;
  response_.retry_after_s = 0;
}

void Exchange::end_field() {
  while (value_size_ > 0 && (value_[value_size_ - 1] == ' ' || value_[value_size_ - 1] == '\t')) --value_size_;
  const std::string_view value(value_, value_size_);
  if (field_ == Field::kContentEncoding && !same_ignoring_case(value, "identity"))
    verdict_ = Status::kUnsupported;
  if (field_ == Field::kRetryAfter && !value.empty() && value.size() <= 9) {
    uint32_t seconds = 0;
    for (const char c : value) {
      if (c < '0' || c > '9') return;  // The form with a date is no use to a device without a clock of its own.
      seconds = seconds * 10 + static_cast<uint32_t>(c - '0');
    }
    response_.retry_after_s = seconds;
  }
}

}  // namespace wayseal::http
