// SPDX-License-Identifier: Apache-2.0
#include "wayseal/access/access_token.hpp"

#include <jsmn.h>

#include <cstring>

namespace wayseal {
namespace {

using namespace std::string_view_literals;

/// A token is renewed a tenth of its life before its end, and at least as much before as is lost where times are whole
/// seconds; but not before half of it has passed.
int64_t good_for_ms(int64_t lives_ms) {
  int64_t earlier_ms = lives_ms / 10;
  if (earlier_ms < kMsPerSecond) earlier_ms = kMsPerSecond;
  if (earlier_ms > lives_ms / 2) earlier_ms = lives_ms / 2;
  return lives_ms - earlier_ms;
}

constexpr size_t kSecondsDigitsMax = 9;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
/// RFC 6750, 2.1: b64token, without its '=' at the end.
bool is_token_char(char c) { return is_letter(c) || is_digit(c) || one_of(c, "-._~+/"sv); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_bearer(std::string_view type) {
  constexpr std::string_view kBearer = "bearer";
  if (type.size() != kBearer.size()) return false;
  for (size_t i = 0; i < type.size(); ++i) {
    if (lower(type[i]) != kBearer[i]) return false;
  }
  return true;
}

bool is_token(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return true;
}

/// What is looked for in an answer. Empty: not there.
struct Answer {
  std::string_view token;
  std::string_view type;
  std::string_view expires_in;
};

/// A value of an object, as it stands in the text; strings without their quotes.
struct Value {
  jsmntype_t type = JSMN_UNDEFINED;
  std::string_view text;
};

bool set_once(std::string_view& member, const Value& value, jsmntype_t type) {
  const bool escaped = value.text.find('\\') != std::string_view::npos;
  if (!member.empty() || value.type != type || value.text.empty() || escaped) return false;
  member = value.text;
  return true;
}

bool note(std::string_view name, const Value& value, Answer& answer) {
  if (name == "access_token"sv) return set_once(answer.token, value, JSMN_STRING);
  if (name == "token_type"sv) return set_once(answer.type, value, JSMN_STRING);
  if (name == "expires_in"sv) return set_once(answer.expires_in, value, JSMN_PRIMITIVE);
  return true;
}

Status read_answer(Bytes body, Answer& answer) {
  const char* const text = reinterpret_cast<const char*>(body.data());
  jsmn_parser parser;
  jsmn_init(&parser);
  jsmntok_t items[kTokenAnswerItemsMax];
  const int count = jsmn_parse(&parser, text, body.size(), items, kTokenAnswerItemsMax);
  if (count == JSMN_ERROR_NOMEM) return Status::kUnsupported;
  // One object that is all of it: jsmn stops at a NUL, and what is behind the object has no parent.
  if (count < 1 || items[0].type != JSMN_OBJECT || parser.pos != body.size()) return Status::kMalformed;
  const auto piece = [text](const jsmntok_t& item) {
    return std::string_view(text + item.start, static_cast<size_t>(item.end - item.start));
  };
  for (int i = 1; i < count; ++i) {
    if (items[i].parent < 0) return Status::kMalformed;
    // Members of the object itself: a name with one value, which is the item behind it.
    if (items[i].parent != 0) continue;
    const bool has_value = items[i].size == 1 && i + 1 < count && items[i + 1].parent == i;
    if (items[i].type != JSMN_STRING || !has_value) return Status::kMalformed;
    if (!note(piece(items[i]), {items[i + 1].type, piece(items[i + 1])}, answer)) return Status::kMalformed;
  }
  return Status::kOk;
}

/// Whole seconds as JSON writes them; 0 for anything else.
int64_t seconds_of(std::string_view digits) {
  if (digits.empty() || digits.size() > kSecondsDigitsMax || digits.front() == '0') return 0;
  int64_t seconds = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return 0;
    seconds = seconds * 10 + (c - '0');
  }
  return seconds;
}

/// Appends to a fixed buffer; a character that a form must escape (WHATWG URL, 5.2) becomes %XX or '+'.
class FormWriter {
 public:
  explicit FormWriter(MutableBytes out) : out_(out) {}

  void put(std::string_view plain) {
    for (const char c : plain) put_byte(c);
  }
  void put_value(std::string_view value) {
    for (const char c : value) {
      if (c == ' ') {
        put_byte('+');
      } else if (c == ':') {
        put("%3A"sv);
      } else {
        put_byte(c);
      }
    }
  }
  bool fits() const { return fits_; }
  size_t used() const { return used_; }

 private:
  void put_byte(char c) {
    fits_ = fits_ && used_ < out_.size();
    if (fits_) out_[used_++] = static_cast<uint8_t>(c);
  }

  MutableBytes out_;
  size_t used_ = 0;
  bool fits_ = true;
};

bool plain(std::string_view text, std::string_view besides) {
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && !one_of(c, besides)) return false;
  }
  return !text.empty();
}

}  // namespace

Result<size_t> AccessToken::do_make_request(const VehicleId& vehicle, MutableBytes out) {
  const std::string_view id(vehicle.text, vehicle.size);
  if (scope_.size() > kScopeMax || !plain(scope_, "-_.: "sv) || !plain(id, "-_."sv))
    return Status::kInvalidArgument;
  FormWriter form(out);
  form.put("grant_type=client_credentials&client_id="sv);
  form.put_value(id);
  form.put("&scope="sv);
  form.put_value(scope_);
  if (!form.fits()) return Status::kBufferTooSmall;
  return form.used();
}

Status AccessToken::do_take_answer(Bytes body, MonotonicTime begun) {
  Answer answer;
  WAYSEAL_TRY(read_answer(body, answer));
  const int64_t seconds = seconds_of(answer.expires_in);
  if (!is_token(answer.token) || !is_bearer(answer.type) || seconds == 0) return Status::kMalformed;
  if (answer.token.size() > memory_.size() || answer.token.size() > kAccessTokenMax)
    return Status::kUnsupported;
  do_forget();
  std::memcpy(memory_.data(), answer.token.data(), answer.token.size());
  size_ = answer.token.size();
  const int64_t lives_ms = seconds * kMsPerSecond < kTokenLifeMaxMs ? seconds * kMsPerSecond : kTokenLifeMaxMs;
  renew_at_ = after_ms(begun, good_for_ms(lives_ms));
  return Status::kOk;
}

void AccessToken::do_forget() {
  wipe(memory_.first(size_));
  size_ = 0;
}

}  // namespace wayseal
