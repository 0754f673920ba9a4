// SPDX-License-Identifier: Apache-2.0
#include "wayseal/psa/provisioning_line.hpp"

namespace wayseal {
namespace {

using Text = Span<const char>;

constexpr char kObjectWord[] = "wayseal-object ";
// In the order of VaultObject.
constexpr const char* kObjectNames[] = {"tls",       "tls-intermediate", "e2e", "e2e-intermediate",
                                        "data-root", "gateway-ca"};

bool is_word(Text text, const char* word) {
  const size_t size = std::strlen(word);
  return text.size() == size && std::memcmp(text.data(), word, size) == 0;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<size_t> read_hex(Text hex, MutableBytes out) {
  if (hex.empty() || hex.size() % 2 != 0) return Status::kMalformed;
  if (hex.size() / 2 > out.size()) return Status::kBufferTooSmall;
  for (size_t i = 0; i < hex.size() / 2; ++i) {
    const int high = digit_of(hex[2 * i]);
    const int low = digit_of(hex[2 * i + 1]);
    if (high < 0 || low < 0) return Status::kMalformed;
    out[i] = static_cast<uint8_t>(16 * high + low);
  }
  return hex.size() / 2;
}

}  // namespace

Result<size_t> write_request_line(IdentityKey key, Bytes request, Span<char> out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const char* head = key == IdentityKey::kTls ? "wayseal-request tls " : "wayseal-request e2e ";
  const size_t head_size = std::strlen(head);
  if (out.size() < head_size + 2 * request.size() + 1) return Status::kBufferTooSmall;
  std::memcpy(out.data(), head, head_size);
  size_t at = head_size;
  for (const uint8_t byte : request) {
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 0x0F];
  }
  out[at++] = '\n';
  return at;
}

Result<size_t> read_object_line(Text line, VaultObject& object, MutableBytes out) {
  constexpr size_t kWordSize = sizeof kObjectWord - 1;
  if (!is_word(line.first(kWordSize), kObjectWord)) return Status::kNotFound;
  Text rest = line.from(kWordSize);
  while (!rest.empty() && (rest[rest.size() - 1] == '\n' || rest[rest.size() - 1] == '\r')) {
    rest = rest.first(rest.size() - 1);
  }
  size_t name_size = 0;
  while (name_size < rest.size() && rest[name_size] != ' ') ++name_size;
  for (size_t i = 0; i < sizeof kObjectNames / sizeof *kObjectNames; ++i) {
    if (!is_word(rest.first(name_size), kObjectNames[i])) continue;
    object = static_cast<VaultObject>(i);
    return read_hex(rest.from(name_size + 1), out);
  }
  return Status::kMalformed;
}

}  // namespace wayseal
