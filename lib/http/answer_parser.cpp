// SPDX-License-Identifier: Apache-2.0
#include "wayseal/http/answer_parser.hpp"

namespace wayseal::http {
namespace {

// With their length: nothing is counted at run time, on a small device either.
using namespace std::string_view_literals;

constexpr std::string_view kVersionText = "HTTP/1.1 ";
constexpr uint8_t kMajorAt = 5;
constexpr uint8_t kMinorAt = 7;
constexpr uint8_t kCodeDigits = 3;
/// Never the text of a field that is looked for: no name, no number, no coding.
constexpr std::string_view kTooLong = "-";
/// A chunk's size is complete in 32 bits: with one more digit it would overflow.
constexpr uint64_t kChunkSizeMax = 0xFFFFFFFF;
/// The most decimal digits whose number always fits 64 bits.
constexpr size_t kLengthDigitsMax = 19;
constexpr size_t kSecondsDigitsMax = 9;

bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/// May stand in a reason, a field's value or a chunk's extension (RFC 9110, 5.5): all but control characters.
bool is_text(uint8_t c) { return c == '\t' || (c >= ' ' && c != 0x7F); }

uint8_t to_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + ('a' - 'A')) : c; }

/// May stand in a field's name (RFC 9110, 5.6.2).
bool is_token(uint8_t c) {
  const uint8_t lower = to_lower(c);
  if ((lower >= 'a' && lower <= 'z') || is_digit(c)) return true;
  return "!#$%&'*+-.^_`|~"sv.find(static_cast<char>(c)) != std::string_view::npos;
}

/// The value of a hexadecimal digit, or 16.
uint8_t hex_value(uint8_t c) {
  if (is_digit(c)) return static_cast<uint8_t>(c - '0');
  const uint8_t lower = to_lower(c);
  if (lower < 'a' || lower > 'f') return 16;
  return static_cast<uint8_t>(lower - 'a' + 10);
}

/// Reads 1 to `digits_max` digits and nothing else.
bool read_decimal(std::string_view text, size_t digits_max, uint64_t& number) {
  if (text.empty() || text.size() > digits_max) return false;
  number = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (!is_digit(byte)) return false;
    number = number * 10 + (byte - '0');
  }
  return true;
}

}  // namespace

void AnswerParser::begin(MutableBytes body) {
  body_ = body;
  body_used_ = 0;
  overhead_ = 0;
  closes_ = false;
  excess_ = false;
  begin_message();
}

// "Connection: close" of an interim answer stays in force: a connection too few is kept, never one too many.
void AnswerParser::begin_message() {
  part_ = Part::kVersion;
  position_ = 0;
  code_ = 0;
  text_used_ = 0;
  left_ = 0;
  retry_after_s_ = 0;
  after_cr_ = false;
  other_version_ = false;
  has_length_ = false;
  chunked_ = false;
  in_trailer_ = false;
}

MutableBytes AnswerParser::body_room() const {
  if (!in_body()) return {};
  return body_.from(body_used_).first(static_cast<size_t>(left_));
}

Status AnswerParser::take(Bytes input) {
  while (!input.empty() && !complete()) {
    if (in_body()) {
      input = input.from(take_body(input));
      continue;
    }
    if (++overhead_ > kOverheadMax) return Status::kMalformed;
    WAYSEAL_TRY(step(input[0]));
    input = input.from(1);
  }
  if (!input.empty()) excess_ = true;
  return Status::kOk;
}

// What is announced has been found to fit when it was announced.
size_t AnswerParser::take_body(Bytes input) {
  const Bytes piece = input.first(static_cast<size_t>(left_));
  uint8_t* const to = body_.data() + body_used_;
  if (piece.data() != to) std::memcpy(to, piece.data(), piece.size());
  body_used_ += piece.size();
  left_ -= piece.size();
  if (left_ == 0) part_ = part_ == Part::kBody ? Part::kDone : Part::kChunkEnd;
  return piece.size();
}

Status AnswerParser::step(uint8_t c) {
  if (after_cr_) {
    after_cr_ = false;
    return c == '\n' ? end_line() : Status::kMalformed;
  }
  if (c == '\r') {
    after_cr_ = true;
    return Status::kOk;
  }
  switch (part_) {
    case Part::kVersion: return take_version(c);
    case Part::kCode: return take_code(c);
    case Part::kName: return take_name(c);
    case Part::kValue: return take_value(c);
    case Part::kChunkSize:
    case Part::kChunkBlank: return take_chunk_size(c);
    case Part::kReason:
    case Part::kChunkExtension: return is_text(c) ? Status::kOk : Status::kMalformed;
    case Part::kChunkEnd:
    case Part::kBody:
    case Part::kChunk:
    case Part::kDone: break;
  }
  return Status::kMalformed;
}

Status AnswerParser::end_line() {
  switch (part_) {
    case Part::kCode:
      if (position_ != kCodeDigits) return Status::kMalformed;
      [[fallthrough]];
    case Part::kReason: part_ = Part::kName; return Status::kOk;
    case Part::kName: return text_used_ == 0 ? end_fields() : Status::kMalformed;
    case Part::kValue: return end_field();
    case Part::kChunkSize:
      if (position_ == 0) return Status::kMalformed;
      [[fallthrough]];
    case Part::kChunkExtension: return end_chunk_size();
    case Part::kChunkEnd:
      part_ = Part::kChunkSize;
      position_ = 0;
      return Status::kOk;
    case Part::kVersion:
    case Part::kChunkBlank:
    case Part::kBody:
    case Part::kChunk:
    case Part::kDone: break;
  }
  return Status::kMalformed;
}

Status AnswerParser::take_version(uint8_t c) {
  const auto wanted = static_cast<uint8_t>(kVersionText[position_]);
  if (position_ == kMajorAt || position_ == kMinorAt) {
    if (!is_digit(c)) return Status::kMalformed;
    if (c != wanted) other_version_ = true;
  } else if (c != wanted) {
    return Status::kMalformed;
  }
  if (++position_ < kVersionText.size()) return Status::kOk;
  if (other_version_) return Status::kUnsupported;
  part_ = Part::kCode;
  position_ = 0;
  return Status::kOk;
}

Status AnswerParser::take_code(uint8_t c) {
  if (position_ == kCodeDigits) {
    part_ = Part::kReason;
    return c == ' ' ? Status::kOk : Status::kMalformed;
  }
  if (!is_digit(c)) return Status::kMalformed;
  code_ = static_cast<uint16_t>(code_ * 10 + (c - '0'));
  if (++position_ < kCodeDigits) return Status::kOk;
  if (code_ < 100 || code_ > 599) return Status::kMalformed;
  return code_ == 101 ? Status::kUnsupported : Status::kOk;
}

AnswerParser::Field AnswerParser::field_named(std::string_view name) {
  struct Known {
    std::string_view name;
    Field field;
  };
  static constexpr Known kKnown[] = {
      {"connection", Field::kConnection},
      {"content-encoding", Field::kContentEncoding},
      {"content-length", Field::kContentLength},
      {"retry-after", Field::kRetryAfter},
      {"transfer-encoding", Field::kTransferEncoding},
  };
  for (const Known& known : kKnown) {
    if (name == known.name) return known.field;
  }
  return Field::kOther;
}

// A line that begins with a blank, a fold (RFC 9112, 5.2), ends here as well: a blank is in no name.
Status AnswerParser::take_name(uint8_t c) {
  if (c != ':') {
    if (!is_token(c)) return Status::kMalformed;
    gather(c);
    return Status::kOk;
  }
  if (text_used_ == 0) return Status::kMalformed;
  field_ = in_trailer_ ? Field::kOther : field_named(text());
  text_used_ = 0;
  part_ = Part::kValue;
  return Status::kOk;
}

Status AnswerParser::take_value(uint8_t c) {
  if (!is_text(c)) return Status::kMalformed;
  if (field_ == Field::kConnection && c == ',') {  // The only field here whose value is a list.
    if (text() == "close"sv) closes_ = true;
    text_used_ = 0;
    return Status::kOk;
  }
  if (!is_blank(c) || text_used_ > 0) gather(c);
  return Status::kOk;
}

Status AnswerParser::end_field() {
  Status status = Status::kOk;
  switch (field_) {
    case Field::kOther: break;
    case Field::kConnection:
      if (text() == "close"sv) closes_ = true;
      break;
    case Field::kContentEncoding:
      if (text() != "identity"sv) status = Status::kUnsupported;
      break;
    case Field::kContentLength: status = take_content_length(); break;
    case Field::kRetryAfter: take_retry_after(); break;
    case Field::kTransferEncoding: status = take_transfer_encoding(); break;
  }
  text_used_ = 0;
  part_ = Part::kName;
  return status;
}

// Two lengths, even of one value, and a length beside a transfer coding are how one answer is made to look like
// two (RFC 9112, 6.3 and 11.2).
Status AnswerParser::take_content_length() {
  if (has_length_ || chunked_) return Status::kMalformed;
  has_length_ = true;
  return read_decimal(text(), kLengthDigitsMax, left_) ? Status::kOk : Status::kMalformed;
}

Status AnswerParser::take_transfer_encoding() {
  if (has_length_ || chunked_) return Status::kMalformed;
  chunked_ = true;
  return text() == "chunked"sv ? Status::kOk : Status::kUnsupported;
}

// The form with a date is no use to a device without a clock of its own.
void AnswerParser::take_retry_after() {
  uint64_t seconds = 0;
  if (read_decimal(text(), kSecondsDigitsMax, seconds)) retry_after_s_ = static_cast<uint32_t>(seconds);
}

Status AnswerParser::end_fields() {
  if (in_trailer_) {
    part_ = Part::kDone;
    return Status::kOk;
  }
  // These have no body, whatever their fields say; with such a field, others would read on differently.
  if (code_ < 200 || code_ == 204 || code_ == 304) {
    if (chunked_ || left_ != 0) return Status::kMalformed;
    part_ = Part::kDone;
    if (code_ < 200) begin_message();
    return Status::kOk;
  }
  if (chunked_) {
    part_ = Part::kChunkSize;
    position_ = 0;
    return Status::kOk;
  }
  if (!has_length_ || left_ > body_.size()) return Status::kUnsupported;
  part_ = left_ == 0 ? Part::kDone : Part::kBody;
  return Status::kOk;
}

Status AnswerParser::take_chunk_size(uint8_t c) {
  if (position_ > 0 && c == ';') {
    part_ = Part::kChunkExtension;
    return Status::kOk;
  }
  if (position_ > 0 && is_blank(c)) {
    part_ = Part::kChunkBlank;
    return Status::kOk;
  }
  const uint8_t digit = hex_value(c);
  if (part_ == Part::kChunkBlank || digit > 15) return Status::kMalformed;
  position_ = 1;
  left_ = left_ * 16 + digit;
  return left_ <= kChunkSizeMax ? Status::kOk : Status::kMalformed;
}

Status AnswerParser::end_chunk_size() {
  if (left_ > body_.size() - body_used_) return Status::kUnsupported;
  if (left_ > 0) {
    part_ = Part::kChunk;
    return Status::kOk;
  }
  in_trailer_ = true;
  text_used_ = 0;
  part_ = Part::kName;
  return Status::kOk;
}

void AnswerParser::gather(uint8_t c) {
  if (text_used_ < sizeof text_) {
    text_[text_used_++] = static_cast<char>(to_lower(c));
  } else if (!is_blank(c)) {
    text_used_ = sizeof text_ + 1;
  }
}

std::string_view AnswerParser::text() const {
  if (text_used_ > sizeof text_) return kTooLong;
  size_t size = text_used_;
  while (size > 0 && is_blank(static_cast<uint8_t>(text_[size - 1]))) --size;
  return {text_, size};
}

}  // namespace wayseal::http
