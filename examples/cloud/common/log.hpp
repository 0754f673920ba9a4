// SPDX-License-Identifier: Apache-2.0
// JSON lines. A line holds no payload, key or PIN; identifiers appear only as tokens of a keyed hash, so that a log that leaks
// does not tell which vehicle did what, yet the operator can follow one vehicle through it. The hash's key is another one each
// day (UTC), made from the log key: proto/PROTOCOL.md, "Security events".
#ifndef WAYSEAL_CLOUD_LOG_HPP
#define WAYSEAL_CLOUD_LOG_HPP

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "bytes.hpp"

namespace cloud {

class Log {
 public:
  using Value = std::variant<std::string, int64_t>;
  using Field = std::pair<const char*, Value>;

  /// \param path file to append to (made with mode 0600); "-" is standard error. Throws when it cannot be opened, and when
  /// WAYSEAL_LOG_KEY in the environment is not base64 of 32 bytes.
  explicit Log(const std::string& path);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Log key of a program that has no WAYSEAL_LOG_KEY, which comes first. Before there is any, `token` gives "-".
  void set_token_key(Blob key) {
    if (token_key_.empty()) token_key_ = std::move(key);
  }

  /// 12 hexadecimal digits that stand for `identifier` today.
  std::string token(std::string_view identifier) const;

  /// Writes one line: time, event, fields. Never throws; a line that cannot be written is lost.
  /// \param security a SecurityEvent in its JSON mapping; empty: none.
  void line(const char* event, std::initializer_list<Field> fields,
            std::string_view security = {}) const noexcept;

 private:
  int fd_;
  Blob token_key_;
};

/// The log key in the environment's WAYSEAL_LOG_KEY; empty when there is none. Throws when it is not base64 of 32 bytes.
Blob log_key_of_environment();

/// 12 hexadecimal digits that stand for `identifier` on the day of `at_ms` (UTC).
std::string token_of(std::string_view log_key, int64_t at_ms, std::string_view identifier);

}  // namespace cloud

#endif
