// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648, section 4.
#include "wayseal/enrol/certificate.hpp"

namespace wayseal {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kPad = '=';
constexpr unsigned kNone = 64;

uint8_t letter(uint32_t six) { return static_cast<uint8_t>(kAlphabet[six & 63]); }

unsigned value_of(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : kNone;
}

bool is_break(uint8_t c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t'; }

}  // namespace

Result<size_t> write_base64(Bytes bytes, MutableBytes out) {
  const size_t size = base64_size(bytes.size());
  if (out.size() < size) return Status::kBufferTooSmall;
  uint8_t* to = out.data();
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    uint32_t group = static_cast<uint32_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<uint32_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= bytes[i + 2];
    *to++ = letter(group >> 18);
    *to++ = letter(group >> 12);
    *to++ = left > 1 ? letter(group >> 6) : kPad;
    *to++ = left > 2 ? letter(group) : kPad;
  }
  return size;
}

Result<size_t> read_base64(MutableBytes text) {
  uint32_t group = 0;
  unsigned letters = 0;  // of the whole text, padding aside, modulo 4
  unsigned pads = 0;
  size_t size = 0;
  for (const uint8_t c : text) {
    if (is_break(c)) continue;
    if (c == kPad) {
      ++pads;
      continue;
    }
    const unsigned value = value_of(c);
    if (value == kNone || pads > 0) return Status::kMalformed;
    group = group << 6 | value;
    letters = (letters + 1) % 4;
    if (letters == 1) continue;
    // Two letters give the first byte, three the second, four the third.
    const unsigned spare = letters == 0 ? 0 : 8 - 2 * letters;
    text.data()[size++] = static_cast<uint8_t>(group >> spare);
    if (letters == 0) group = 0;
  }
  if (letters == 1 || pads != (letters == 0 ? 0 : 4 - letters)) return Status::kMalformed;
  const uint32_t unused = letters == 0 ? 0 : group & ((1U << (8 - 2 * letters)) - 1);
  if (unused != 0) return Status::kMalformed;
  return size;
}

}  // namespace wayseal
