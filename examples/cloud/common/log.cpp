// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cstdlib>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace cloud {

namespace {
constexpr size_t kLogKeyBytes = 32;
constexpr size_t kLogKeyText = 44;

/// "YYYYMMDD" in UTC.
std::string day_of(int64_t at_ms) {
  const std::string text = iso_time(at_ms * 1000);
  return text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2);
}
}  // namespace

Blob log_key_of_environment() {
  const char* const set = std::getenv("WAYSEAL_LOG_KEY");
  if (set == nullptr || *set == '\0') return {};
  const std::string text(set);
  Blob key(kLogKeyBytes + 1, '\0');  // the padding decodes to a byte
  const bool good = text.size() == kLogKeyText && text.back() == '=' && text[kLogKeyText - 2] != '=' &&
                    EVP_DecodeBlock(octets(key), octets(text), static_cast<int>(text.size())) == 33;
  if (!good) throw std::runtime_error("WAYSEAL_LOG_KEY is not base64 of 32 bytes");
  key.resize(kLogKeyBytes);
  return key;
}

std::string token_of(std::string_view log_key, int64_t at_ms, std::string_view identifier) {
  return hex(hmac_sha256(hmac_sha256(log_key, day_of(at_ms)), identifier).substr(0, 6));
}

Log::Log(const std::string& path) : fd_(STDERR_FILENO), token_key_(log_key_of_environment()) {
  if (path == "-") return;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) throw std::runtime_error("cannot open the log file " + path);
}

Log::~Log() {
  if (fd_ != STDERR_FILENO) ::close(fd_);
}

std::string Log::token(std::string_view identifier) const {
  if (token_key_.empty()) return "-";
  return token_of(token_key_, now_ms(), identifier);
}

void Log::line(const char* event, std::initializer_list<Field> fields,
               std::string_view security) const noexcept {
  try {
    nlohmann::ordered_json json;
    json["at"] = iso_time(now_ms() * 1000);
    json["event"] = event;
    for (const auto& [name, value] : fields) {
      std::visit([&json, key = name](const auto& v) { json[key] = v; }, value);
    }
    if (!security.empty()) json["security"] = nlohmann::ordered_json::parse(security);
    // `replace` keeps a line valid JSON whatever bytes a field came with.
    const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    // One write a line, so that lines of several backends in one file do not mix.
    if (::write(fd_, text.data(), text.size()) < 0) return;
  } catch (...) {
    return;
  }
}

}  // namespace cloud
