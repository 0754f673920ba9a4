// SPDX-License-Identifier: Apache-2.0
#include "wayseal/posix/candump_player.hpp"

namespace wayseal {
namespace {

/// Reads a line from left to right.
class Cursor {
 public:
  explicit Cursor(Span<const char> text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char expected) {
    if (done() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (!done() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  Span<const char> take_word() {
    const size_t begin = at_;
    while (!done() && text_[at_] != ' ' && text_[at_] != '\t') ++at_;
    return {text_.data() + begin, at_ - begin};
  }
  bool take_decimal_digit(uint32_t& digit) {
    if (done() || text_[at_] < '0' || text_[at_] > '9') return false;
    digit = static_cast<uint32_t>(text_[at_++] - '0');
    return true;
  }
  bool take_hex_digit(uint32_t& digit) {
    const char c = peek();
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A' + 10);
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint32_t>(c - 'a' + 10);
    } else {
      return false;
    }
    ++at_;
    return true;
  }

 private:
  Span<const char> text_;
  size_t at_ = 0;
};

bool take_time(Cursor& in, int64_t& time_ns) {
  constexpr int64_t kSecondsMax = 9'000'000'000;  // times 1e9 still fits 63 bits
  if (!in.take('(')) return false;
  uint32_t digit = 0;
  int64_t seconds = 0;
  if (!in.take_decimal_digit(digit)) return false;
  do {
    seconds = seconds * 10 + digit;
    if (seconds > kSecondsMax) return false;
  } while (in.take_decimal_digit(digit));
  int64_t scale = kNsPerSecond;
  int64_t fraction = 0;
  if (in.take('.')) {
    while (in.take_decimal_digit(digit)) {
      scale /= 10;
      if (scale == 0) return false;
      fraction += digit * scale;
    }
  }
  time_ns = seconds * kNsPerSecond + fraction;
  return in.take(')');
}

/// 3 digits make a standard id, 8 an extended one; candump sets bit 29 of the 8 digits for error frames.
bool take_id(Cursor& in, CanFrame& frame, bool& error_frame) {
  constexpr uint32_t kErrorFlag = 0x20000000;
  uint32_t digit = 0;
  uint32_t id = 0;
  int digits = 0;
  while (in.take_hex_digit(digit)) {
    if (++digits > 8) return false;
    id = (id << 4) | digit;
  }
  error_frame = digits == 8 && (id & kErrorFlag) != 0;
  if (error_frame) return true;
  if (digits == 8) frame.flags |= CanFrame::kExtendedId;
  frame.id = id;
  return (digits == 3 && id <= kCanStandardIdMax) || (digits == 8 && id <= kCanExtendedIdMax);
}

bool take_data(Cursor& in, size_t longest, CanFrame& frame) {
  uint32_t high = 0;
  uint32_t low = 0;
  size_t length = 0;
  while (in.take_hex_digit(high)) {
    if (length == longest || !in.take_hex_digit(low)) return false;
    frame.data[length++] = static_cast<uint8_t>((high << 4) | low);
    in.take('.');  // candump may separate bytes
  }
  frame.length = static_cast<uint8_t>(length);
  return in.done() || in.peek() == ' ' || in.peek() == '\t' || in.peek() == '\r' || in.peek() == '_';
}

/// CAN FD knows only these lengths above 8 (ISO 11898-1, DLC 9 to 15).
bool is_fd_length(uint8_t length) {
  return length <= 8 || length == 12 || length == 16 || length == 20 || length == 24 || length == 32 ||
         length == 48 || length == 64;
}

CandumpLine take_fd_payload(Cursor& in, CanFrame& frame) {
  uint32_t flags = 0;
  if (!in.take_hex_digit(flags)) return CandumpLine::kUnreadable;
  frame.flags |= CanFrame::kFd;
  if ((flags & 1U) != 0) frame.flags |= CanFrame::kBitRateSwitch;
  if ((flags & 2U) != 0) frame.flags |= CanFrame::kErrorStateIndicator;
  const bool good = take_data(in, kCanDataMax, frame) && is_fd_length(frame.length);
  return good ? CandumpLine::kFrame : CandumpLine::kUnreadable;
}

}  // namespace

CandumpLine parse_candump_line(Span<const char> line, CandumpRecord& out) {
  out = {};
  Cursor in(line);
  in.skip_blanks();
  if (in.done()) return CandumpLine::kBlank;
  if (!take_time(in, out.frame.time_ns)) return CandumpLine::kUnreadable;
  in.skip_blanks();
  out.interface_name = in.take_word();
  if (out.interface_name.empty()) return CandumpLine::kUnreadable;
  in.skip_blanks();
  bool error_frame = false;
  if (!take_id(in, out.frame, error_frame) || !in.take('#')) return CandumpLine::kUnreadable;
  if (error_frame || in.peek() == 'R' || in.peek() == 'r') return CandumpLine::kRemote;
  if (in.take('#')) return take_fd_payload(in, out.frame);
  return take_data(in, 8, out.frame) ? CandumpLine::kFrame : CandumpLine::kUnreadable;
}

}  // namespace wayseal
