// SPDX-License-Identifier: Apache-2.0
// Covers AccessToken::take_answer, and jsmn as lib/access uses it; against nlohmann's reader.
//
// What is taken is what the other reader finds under the same names, each there once at the top; what that one finds in good form,
// with few members and plain strings, is taken. Whatever comes, a refused answer changes nothing.
//
// Input: the bytes of the answer.
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz.hpp"
#include "wayseal/access/access_token.hpp"

namespace {

using namespace wayseal;
using nlohmann::json;

constexpr std::string_view kBefore = "before";

/// How often each name stands at the top level, which a json object does not tell.
std::map<std::string, int> top_names(const std::string& text) {
  std::map<std::string, int> names;
  const auto count = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) ++names[parsed.get<std::string>()];
    return true;
  };
  const json parsed = json::parse(text, count, false);
  return parsed.is_object() ? names : std::map<std::string, int>();
}

bool good_form(const json& answer) {
  const auto string_at = [&](const char* name) { return answer.contains(name) && answer[name].is_string(); };
  if (!string_at("access_token") || !string_at("token_type")) return false;
  if (!answer.contains("expires_in") || !answer["expires_in"].is_number_unsigned()) return false;
  const auto seconds = answer["expires_in"].get<uint64_t>();
  const auto token = answer["access_token"].get<std::string>();
  const bool plain =
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/") ==
      std::string::npos;
  return plain && !token.empty() && token.size() <= kAccessTokenMax && answer["token_type"] == "Bearer" &&
         seconds > 0 && seconds < 1'000'000'000;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  uint8_t memory[kAccessTokenMax];
  AccessToken token("records", memory);
  const std::string before = R"({"access_token":"before","token_type":"Bearer","expires_in":300})";
  fuzz::require(token.take_answer(fuzz::bytes_of(before), {}) == Status::kOk, "a good answer is taken");
  const Status status = token.take_answer({data, size}, {});

  const std::string text(reinterpret_cast<const char*>(data), size);
  const json answer = json::parse(text, nullptr, false);
  if (status != Status::kOk) {
    fuzz::require(status == Status::kMalformed || status == Status::kUnsupported, "a documented status");
    fuzz::require(token.text() == kBefore, "the token before stays");
    if (!answer.is_object() || !good_form(answer) || text.find('\\') != std::string::npos) return 0;
    const auto names = top_names(text);
    for (const char* name : {"access_token", "token_type", "expires_in"}) {
      if (names.at(name) != 1) return 0;
    }
    fuzz::require(status == Status::kUnsupported, "good form is taken, or has too many items");
    return 0;
  }
  fuzz::require(token.good({}), "a token that was taken is good");
  if (!answer.is_object())
    return 0;  // jsmn is more lenient; nothing but a token of plain characters can come of it
  fuzz::require(answer.contains("access_token") && answer["access_token"] == std::string(token.text()),
                "both readers find the same token");
  return 0;
}
