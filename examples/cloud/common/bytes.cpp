// SPDX-License-Identifier: Apache-2.0
#include "bytes.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace cloud {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Blob sha256(std::string_view bytes) {
  Blob out(32, '\0');
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), octets(out), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return out;
}

Blob hmac_sha256(std::string_view key, std::string_view bytes) {
  Blob out(32, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(bytes), bytes.size(), octets(out),
           &size) == nullptr) {
    throw std::runtime_error("HMAC is not available");
  }
  return out;
}

void wipe(Blob& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

int64_t now_ms() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string iso_time(int64_t utc_us) {
  int64_t seconds = utc_us / 1000000;
  int64_t micros = utc_us % 1000000;
  if (micros < 0) {
    micros += 1000000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "out-of-range";
  char text[64];
  const size_t used = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + used, sizeof text - used, ".%06dZ", static_cast<int>(micros));
  return text;
}

namespace {
Blob big_endian(uint64_t value, size_t size) {
  Blob out(size, '\0');
  for (size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out;
}
}  // namespace

Blob be16(uint64_t value) { return big_endian(value, 2); }
Blob be32(uint64_t value) { return big_endian(value, 4); }
Blob be64(uint64_t value) { return big_endian(value, 8); }

uint64_t read_be(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

Blob with_length(std::string_view part) {
  if (part.size() > 0xFFFF) throw std::length_error("longer than a u16 can say");
  return be16(part.size()) + Blob(part);
}

}  // namespace cloud
