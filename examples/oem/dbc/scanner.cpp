// SPDX-License-Identifier: Apache-2.0
#include "dbc/scanner.hpp"

#include <algorithm>
#include <charconv>

namespace wayseal::oem {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Length of one valid UTF-8 sequence at the beginning of `text`; 0 when there is none (RFC 3629).
size_t utf8_sequence(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : size;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (code >> 12));
    out += static_cast<char>(0x80U | ((code >> 6) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

unsigned from_windows_1252(unsigned char byte) {
  // 0x80 to 0x9F; the rest is Latin-1. Undefined places become the replacement character.
  static constexpr uint16_t kHigh[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                         0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                         0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                         0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  return byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80] : byte;
}

}  // namespace

std::string to_utf8(std::string_view bytes) {
  if (bytes.substr(0, 3) == "\xEF\xBB\xBF") bytes.remove_prefix(3);
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t size = utf8_sequence(bytes.substr(at));
    if (size == 0) break;
    at += size;
  }
  if (at == bytes.size()) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) append_utf8(out, from_windows_1252(static_cast<unsigned char>(c)));
  return out;
}

void Scanner::skip_space() {
  while (position_ < text_.size()) {
    if (is_space(text_[position_])) {
      ++position_;
    } else if (text_.substr(position_, 2) == "//") {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else {
      return;
    }
  }
}

size_t Scanner::line_at(size_t position) const {
  if (position < counted_to_) {
    counted_to_ = 0;
    counted_line_ = 1;
  }
  const auto begin = text_.begin() + static_cast<std::ptrdiff_t>(counted_to_);
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(position);
  counted_line_ += static_cast<size_t>(std::count(begin, end, '\n'));
  counted_to_ = position;
  return counted_line_;
}

bool Scanner::at_end() {
  skip_space();
  return position_ == text_.size();
}

size_t Scanner::line() {
  skip_space();
  // At the end, the line of the last word tells more than the one after it.
  return position_ == text_.size() ? line_at(last_end_) : line_at(position_);
}

bool Scanner::on_same_line() {
  skip_space();
  return text_.substr(last_end_, position_ - last_end_).find('\n') == std::string_view::npos;
}

bool Scanner::at_line_start() {
  skip_space();
  const size_t newline = text_.substr(0, position_).rfind('\n');
  const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(start),
                     text_.begin() + static_cast<std::ptrdiff_t>(position_), is_space);
}

std::string_view Scanner::peek_identifier() {
  skip_space();
  size_t end = position_;
  if (end == text_.size() || !is_letter(text_[end])) return {};
  while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
  return text_.substr(position_, end - position_);
}

char Scanner::peek() {
  skip_space();
  return position_ < text_.size() ? text_[position_] : '\0';
}

std::optional<std::string> Scanner::accept_identifier() {
  const std::string_view found = peek_identifier();
  if (found.empty()) return std::nullopt;
  position_ += found.size();
  last_end_ = position_;
  return std::string(found);
}

bool Scanner::accept(char c) {
  if (peek() != c) return false;
  last_end_ = ++position_;
  return true;
}

std::optional<std::string> Scanner::accept_string() {
  if (peek() != '"') return std::nullopt;
  std::string out;
  for (size_t at = position_ + 1; at < text_.size(); ++at) {
    if (text_[at] == '\\' && at + 1 < text_.size() && text_[at + 1] == '"') {
      out += '"';
      ++at;
    } else if (text_[at] == '"') {
      last_end_ = position_ = at + 1;
      return out;
    } else {
      out += text_[at];
    }
  }
  fail(line(), "the string that begins here has no closing quote");
}

std::optional<double> Scanner::accept_number() {
  skip_space();
  size_t begin = position_;
  if (begin < text_.size() && text_[begin] == '+') ++begin;
  const size_t first_digit = begin + (begin < text_.size() && text_[begin] == '-' ? 1 : 0);
  // from_chars would take "inf" and "nan" too.
  if (first_digit >= text_.size() || !(is_digit(text_[first_digit]) || text_[first_digit] == '.'))
    return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(text_.data() + begin, text_.data() + text_.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  last_end_ = position_ = static_cast<size_t>(result.ptr - text_.data());
  return value;
}

std::string Scanner::expect_identifier(const char* what) {
  auto found = accept_identifier();
  if (!found) fail_expected(what);
  return *std::move(found);
}

std::string Scanner::expect_string(const char* what) {
  auto found = accept_string();
  if (!found) fail_expected(what);
  return *std::move(found);
}

void Scanner::expect(char c) {
  if (!accept(c)) fail_expected(std::string("'") + c + "'");
}

double Scanner::expect_number(const char* what) {
  const auto found = accept_number();
  if (!found) fail_expected(what);
  return *found;
}

uint64_t Scanner::expect_unsigned(const char* what, uint64_t max) {
  skip_space();
  uint64_t value = 0;
  const auto result = std::from_chars(text_.data() + position_, text_.data() + text_.size(), value);
  if (result.ec == std::errc::invalid_argument) fail_expected(what);
  if (result.ec != std::errc() || value > max) {
    fail(line(), std::string(what) + " must be at most " + std::to_string(max));
  }
  last_end_ = position_ = static_cast<size_t>(result.ptr - text_.data());
  return value;
}

void Scanner::skip_line() {
  position_ = std::min(text_.find('\n', position_), text_.size());
  last_end_ = position_;
}

std::string Scanner::next_for_people() {
  if (at_end()) return "the end of the file";
  size_t end = position_ + 1;
  while (end < text_.size() && end - position_ < 24 && !is_space(text_[end])) ++end;
  // Not half a character.
  while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
  return "'" + std::string(text_.substr(position_, end - position_)) + "'";
}

void Scanner::fail_expected(const std::string& what) {
  const size_t where = line();
  fail(where, "expected " + what + ", found " + next_for_people());
}

}  // namespace wayseal::oem
