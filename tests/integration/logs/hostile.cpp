// SPDX-License-Identifier: Apache-2.0
#include "hostile.hpp"

#include <algorithm>

#include "rig.hpp"

namespace logs_test {
namespace {

std::string hex_of(const std::string& bytes, const char* digits) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

/// The digits of base64 that depend on `secret` alone when it starts `before` bytes behind a border.
std::string base64_inside(const std::string& secret, size_t before) {
  const std::string text = idp_test::base64(std::string(before, 'x') + secret);
  const size_t first = before == 0 ? 0 : 4;
  const size_t whole = (before + secret.size()) / 3 * 4;
  return text.substr(first, whole - first);
}

std::string fault_of(const std::string& line, const std::set<std::string>& known, nlohmann::json& json) {
  if (std::any_of(line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }))
    return "not printable ASCII";
  std::set<std::string> names;
  std::string twice;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    const bool name = event == nlohmann::json::parse_event_t::key && depth == 1;
    if (name && !names.insert(value.get<std::string>()).second) twice = value.get<std::string>();
    return true;
  };
  json = nlohmann::json::parse(line, watch, false);
  if (!json.is_object()) return "no JSON object";
  if (!twice.empty()) return "given twice: " + twice;
  for (const std::string& name : names) {
    if (known.count(name) == 0) return "unknown name: " + name;
  }
  return json.contains("event") && json["event"].is_string() ? "" : "no event";
}

}  // namespace

const std::vector<std::string>& hostile_strings() {
  using namespace std::string_literals;
  static const std::vector<std::string> kStrings = [] {
    const std::string id = kPlantedId;
    const std::string fake = R"({"event":"forged","at":"now"})";
    return std::vector<std::string>{id + "\r\n" + fake + "\r\n",
                                    id + "\n" + fake + "\n",
                                    id + "\r" + fake,
                                    id + R"(","event":"forged","x":")",
                                    id + R"(\","event":"forged","x":")",
                                    id + "\0 after"s,
                                    id + "\x1b[2J\x1b]0;title\x07\x9b" + "31m",
                                    id + "%n%s%x%p%999999d%*s",
                                    id + "%[src]%{+Q}o${HOME}{{7*7}}",
                                    id + "\xff\xfe\xc0\xaf\xf8\x88\x80\x80\x80",
                                    id + "\xed\xa0\x80\xed\xb0\x80",
                                    id + "\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f",
                                    id + "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85",
                                    id + "\xf0\x9f\x9a\x97\xf0\x9f\x8f\xb4",
                                    id + R"(\u000a\u0000\ud800)",
                                    id + "\b\b\b\b\t\v\f\x7f",
                                    id + std::string(6000, 'A')};
  }();
  return kStrings;
}

std::string percent(const std::string& text) {
  std::string out;
  for (const char c : text) out += "%" + hex_of(std::string(1, c), "0123456789ABCDEF");
  return out;
}

ReadLog::ReadLog(const std::string& text, const std::set<std::string>& known) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (lines.empty() && faults.empty() && line.rfind('[', 0) == 0) continue;
    nlohmann::json json;
    const std::string fault = fault_of(line, known, json);
    if (fault.empty()) {
      lines.push_back(json);
    } else {
      faults.push_back(
          fault + ": " +
          nlohmann::json(line).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 300));
    }
  }
  if (!text.empty() && text.back() != '\n') faults.emplace_back("the last line has no end");
}

std::vector<std::string> found_in(const std::string& text, const std::vector<std::string>& secrets) {
  std::vector<std::string> found;
  for (const std::string& secret : secrets) {
    const std::vector<std::string> forms{secret,
                                         hex_of(secret, "0123456789abcdef"),
                                         hex_of(secret, "0123456789ABCDEF"),
                                         base64_inside(secret, 0),
                                         base64_inside(secret, 1),
                                         base64_inside(secret, 2)};
    for (const std::string& form : forms) {
      if (text.find(form) != std::string::npos) found.push_back(form);
    }
  }
  return found;
}

}  // namespace logs_test
