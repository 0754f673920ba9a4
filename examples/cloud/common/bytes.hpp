// SPDX-License-Identifier: Apache-2.0
// Byte strings, hashing and time of the backend. A byte string is a std::string, which is what libprotobuf has
// for `bytes`.
#ifndef WAYSEAL_CLOUD_BYTES_HPP
#define WAYSEAL_CLOUD_BYTES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloud {

using Blob = std::string;

std::string hex(std::string_view bytes);
Blob sha256(std::string_view bytes);
Blob hmac_sha256(std::string_view key, std::string_view bytes);

/// Overwrites what a secret was held in, then empties it.
void wipe(Blob& secret);

/// UTC in milliseconds, from the system clock: a backend's clock is kept by NTP.
int64_t now_ms();

/// `2026-11-22T16:26:01.123456Z`.
std::string iso_time(int64_t utc_us);

Blob be16(uint64_t value);
Blob be32(uint64_t value);
Blob be64(uint64_t value);
uint64_t read_be(std::string_view bytes);

/// `part` with its length before it, as a big-endian u16.
Blob with_length(std::string_view part);

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(Blob& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace cloud

#endif
