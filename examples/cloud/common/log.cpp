// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace cloud {

Log::Log(const std::string& path) : fd_(STDERR_FILENO) {
  if (path == "-") return;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) throw std::runtime_error("cannot open the log file " + path);
}

Log::~Log() {
  if (fd_ != STDERR_FILENO) ::close(fd_);
}

std::string Log::token(std::string_view identifier) const {
  if (token_key_.empty()) return "-";
  return hex(hmac_sha256(token_key_, identifier).substr(0, 6));
}

void Log::line(const char* event, std::initializer_list<Field> fields) const noexcept {
  try {
    nlohmann::ordered_json json;
    json["at"] = iso_time(now_ms() * 1000);
    json["event"] = event;
    for (const auto& [name, value] : fields) {
      std::visit([&json, key = name](const auto& v) { json[key] = v; }, value);
    }
    // `replace` keeps a line valid JSON whatever bytes a field came with.
    const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    // One write a line, so that lines of several backends in one file do not mix.
    if (::write(fd_, text.data(), text.size()) < 0) return;
  } catch (...) {
    return;
  }
}

}  // namespace cloud
