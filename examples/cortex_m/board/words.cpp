// SPDX-License-Identifier: Apache-2.0
#include "board/words.hpp"

#include <cstring>

#include "board/board.hpp"

namespace board {

bool Words::read() {
  if (!arguments(words_, sizeof words_ - 1)) return false;
  for (char& letter : words_) {
    if (letter == ' ') letter = '\0';
  }
  return true;
}

const char* Words::text(const char* name) const {
  const size_t length = std::strlen(name);
  for (const char* word = words_; word < words_ + sizeof words_ && *word != '\0';
       word += std::strlen(word) + 1) {
    if (std::strncmp(word, name, length) == 0 && word[length] == '=') return word + length + 1;
  }
  return nullptr;
}

uint32_t Words::number(const char* name, uint32_t otherwise) const {
  const char* digit = text(name);
  if (digit == nullptr || *digit == '\0') return otherwise;
  uint32_t value = 0;
  for (; *digit >= '0' && *digit <= '9'; ++digit) value = value * 10 + static_cast<uint32_t>(*digit - '0');
  return *digit == '\0' ? value : otherwise;
}

bool Words::is(const char* name, const char* value) const {
  const char* found = text(name);
  return found != nullptr && std::strcmp(found, value) == 0;
}

}  // namespace board
