// SPDX-License-Identifier: Apache-2.0
/// \file
/// Reads a DBC text word by word, as the grammar asks for it.
#ifndef WAYSEAL_OEM_DBC_SCANNER_HPP
#define WAYSEAL_OEM_DBC_SCANNER_HPP

#include <optional>
#include <string>
#include <string_view>

#include "dbc/model.hpp"

namespace wayseal::oem {

/// The position in a text, with the line for error messages. `expect_...` throw DbcError, which says what was
/// expected and what is there; `accept_...` leave the position alone when it is something else.
class Scanner {
 public:
  /// `text` must outlive the scanner; UTF-8.
  Scanner(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  /// Skips white space and // comments. \return whether the text has ended.
  bool at_end();
  /// Line of the next word.
  size_t line();
  const std::string& file() const { return file_; }

  /// Whether the next word is on the line where the last one ended.
  bool on_same_line();
  /// Whether the next word is the first one on its line.
  bool at_line_start();
  /// The next word when it is an identifier, without taking it; else empty.
  std::string_view peek_identifier();
  /// The next character that is not space; 0 at the end.
  char peek();

  std::optional<std::string> accept_identifier();
  bool accept(char c);
  /// A string in quotes; \" stands for a quote inside it. May go over several lines.
  std::optional<std::string> accept_string();
  std::optional<double> accept_number();

  std::string expect_identifier(const char* what);
  std::string expect_string(const char* what);
  void expect(char c);
  double expect_number(const char* what);
  uint64_t expect_unsigned(const char* what, uint64_t max);

  void skip_line();
  /// Goes back to a position from `mark`.
  size_t mark() const { return position_; }
  void reset(size_t mark) { position_ = mark; }

  [[noreturn]] void fail_expected(const std::string& what);
  [[noreturn]] void fail(size_t line, const std::string& text) const { throw DbcError(file_, line, text); }

 private:
  void skip_space();
  std::string next_for_people();
  size_t line_at(size_t position) const;

  std::string_view text_;
  std::string file_;
  size_t position_ = 0;
  size_t last_end_ = 0;  ///< Where the last word ended.
  mutable size_t counted_to_ = 0;
  mutable size_t counted_line_ = 1;
};

/// The text as UTF-8: as it is when it is valid UTF-8 (a byte order mark is dropped), else taken as
/// Windows-1252, in which most DBC tools write.
std::string to_utf8(std::string_view bytes);

}  // namespace wayseal::oem

#endif
