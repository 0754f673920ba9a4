// SPDX-License-Identifier: Apache-2.0
// Fixed layouts of the wire: envelope header, content framing, transcript (PROTOCOL.md, 7, 9 and 10).
#ifndef WAYSEAL_CLOUD_WIRE_HPP
#define WAYSEAL_CLOUD_WIRE_HPP

#include <optional>

#include "bytes.hpp"
#include "session.pb.h"

namespace cloud {

inline constexpr size_t kSessionIdSize = 16;
inline constexpr size_t kSessionOpenMax = 3072;
inline constexpr size_t kSealedMax = 65536;
inline constexpr size_t kUploadMax = 256 * 1024;
inline constexpr size_t kPrekeysRequestMax = 8 * 1024;
inline constexpr uint64_t kSequenceMax = 0xFFFFFFFF;
inline constexpr int64_t kAcksPerSessionMax = 1 << 20;

inline constexpr uint32_t kTypeBatch = 1;
inline constexpr uint32_t kTypeLossReport = 2;
inline constexpr uint32_t kTypeAck = 64;

/// 1 to 32 of [A-Za-z0-9._-].
bool is_vehicle_id(std::string_view text);

/// Header of a Sealed from a vehicle.
struct RecordHeader {
  uint32_t suite = 0;
  Blob session_id;
  uint64_t sequence = 0;
};
/// \return nothing for another size, version, or a sequence outside 1..2^32-1.
std::optional<RecordHeader> parse_header(std::string_view header);
Blob record_nonce(uint64_t sequence);
Blob reply_header(uint32_t suite, std::string_view session_id, std::string_view nonce);

struct Content {
  uint32_t type = 0;
  Blob payload;
};
/// \return nothing when the payload does not fit or what follows is not zero.
std::optional<Content> unframe(std::string_view plaintext);
Blob frame(uint32_t type, std::string_view payload);

/// The whole transcript hash `th` of a SessionOpen, with the vehicle's certificate and name.
Blob transcript(const wayseal::v1::SessionOpen& open, std::string_view certificate_digest,
                std::string_view vehicle);

}  // namespace cloud

#endif
