// SPDX-License-Identifier: Apache-2.0
// JSON lines. A line holds no payload, key or PIN; identifiers appear only as tokens of a keyed hash, so that
// a log
// that leaks does not tell which vehicle did what, yet the operator can follow one vehicle through it.
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

  /// \param path file to append to (made with mode 0600); "-" is standard error.
  explicit Log(const std::string& path);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Key of the tokens. Before it is set, `token` gives "-".
  void set_token_key(Blob key) { token_key_ = std::move(key); }

  /// 12 hexadecimal digits that stand for `identifier`.
  std::string token(std::string_view identifier) const;

  /// Writes one line: time, event, fields. Never throws; a line that cannot be written is lost.
  void line(const char* event, std::initializer_list<Field> fields) const noexcept;

 private:
  int fd_;
  Blob token_key_;
};

}  // namespace cloud

#endif
