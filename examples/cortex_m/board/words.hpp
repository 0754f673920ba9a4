// SPDX-License-Identifier: Apache-2.0
/// \file
/// The command line as "name=value" words.
#ifndef BOARD_WORDS_HPP
#define BOARD_WORDS_HPP

#include <cstddef>
#include <cstdint>

namespace board {

/// What the emulator was given, parted at blanks. Values hold no blanks.
class Words {
 public:
  /// Reads the arguments. \return false when they are longer than kWordsMax.
  bool read();
  static constexpr size_t kWordsMax = 512;

  /// The text behind "name="; null when there is no such word. Lives as long as this object.
  const char* text(const char* name) const;
  /// The decimal number behind "name="; `otherwise` when there is none.
  uint32_t number(const char* name, uint32_t otherwise) const;
  /// Whether "name=" has the value `value`.
  bool is(const char* name, const char* value) const;

 private:
  char words_[kWordsMax] = {};  // each ends with a zero, the last with two
};

}  // namespace board

#endif
