// SPDX-License-Identifier: Apache-2.0
#include "enrol/der.hpp"

#include <cstring>

namespace wayseal::der {
namespace {

constexpr size_t kShortLengthMax = 0x7F;

/// Reads a length behind a tag. \return its own size, or 0.
size_t read_length(Bytes bytes, size_t& length) {
  if (bytes.empty()) return 0;
  if (bytes[0] <= kShortLengthMax) {
    length = bytes[0];
    return 1;
  }
  if (bytes[0] == 0x81 && bytes.size() >= 2 && bytes[1] > kShortLengthMax) {
    length = bytes[1];
    return 2;
  }
  if (bytes[0] == 0x82 && bytes.size() >= 3 && bytes[1] != 0) {
    length = static_cast<size_t>(bytes[1]) << 8 | bytes[2];
    return 3;
  }
  return 0;  // longer than anything here, indefinite, or not the shortest form
}

}  // namespace

bool Reader::take_whole(uint8_t tag, Bytes& element) {
  const Bytes before = rest_;
  rest_ = {};
  size_t length = 0;
  if (before.empty() || before[0] != tag) return false;
  const size_t head = read_length(before.from(1), length);
  if (head == 0 || before.size() - 1 - head < length) return false;
  element = before.first(1 + head + length);
  rest_ = before.from(1 + head + length);
  return true;
}

bool Reader::take(uint8_t tag, Bytes& content) {
  Bytes element;
  if (!take_whole(tag, element)) return false;
  size_t length = 0;
  const size_t head = read_length(element.from(1), length);
  content = element.from(1 + head);
  return true;
}

bool Reader::skip(uint8_t tag) {
  Bytes ignored;
  return take_whole(tag, ignored);
}

bool Reader::take_exactly(uint8_t tag, Bytes content) {
  Bytes found;
  const bool same = take(tag, found) && equal(found, content);
  if (!same) rest_ = {};
  return same;
}

void Writer::bytes(Bytes content) {
  good_ = good_ && content.size() <= at_;
  if (!good_ || content.empty()) return;
  at_ -= content.size();
  std::memcpy(out_.data() + at_, content.data(), content.size());
}

void Writer::wrap(uint8_t tag, size_t end) {
  const size_t length = end - at_;
  if (length > kShortLengthMax) {
    byte(static_cast<uint8_t>(length));
    if (length > 0xFF) byte(static_cast<uint8_t>(length >> 8));
    byte(length > 0xFF ? 0x82 : 0x81);
  } else {
    byte(static_cast<uint8_t>(length));
  }
  byte(tag);
}

size_t Writer::finish() {
  const size_t size = out_.size() - at_;
  if (size > 0) std::memmove(out_.data(), out_.data() + at_, size);
  at_ = 0;
  return size;
}

}  // namespace wayseal::der
