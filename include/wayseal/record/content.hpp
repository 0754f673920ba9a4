// SPDX-License-Identifier: Apache-2.0
/// \file
/// The frame around what is sealed: type, length, payload, padding. PROTOCOL.md, "Contents".
#ifndef WAYSEAL_RECORD_CONTENT_HPP
#define WAYSEAL_RECORD_CONTENT_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"

namespace wayseal {

/// Bytes before the payload: u8 type, u16 big-endian length.
inline constexpr size_t kContentHeaderSize = 3;
/// Largest content in bytes, padding included. What is left of a record holds its envelope.
inline constexpr size_t kContentMax = kRecordMax - 64;
/// Largest payload in bytes.
inline constexpr size_t kPayloadMax = kContentMax - kContentHeaderSize;
static_assert(kPayloadMax <= 0xFFFF, "the length of a payload has two bytes");

/// A content taken apart. `payload` points into the content.
struct ContentView {
  ContentType type = ContentType::kBatch;
  Bytes payload;
};

/// Size that a content of `length` bytes (header and payload) is padded to: so much that it tells only about
/// log2(log2(length)) bits about the length (Padme), and never more than `limit`.
/// \param length at most `limit`.
size_t content_bucket(size_t length, size_t limit);

/// Frames and pads in place: `area` holds the payload at offset kContentHeaderSize already.
/// \param area 3 to kContentMax bytes (what is beyond kContentMax is not used).
/// \return the size of the content, which starts at area[0]; kInvalidArgument when the payload does not fit.
/// Blocking: never. Threads: any; no state.
Result<size_t> frame_content(ContentType type, size_t payload_bytes, MutableBytes area);

/// Takes apart what has been authenticated. Strict: the length must lie inside, padding must be zero, the type
/// known. The amount of padding is the sender's business.
/// \param[out] out set only with kOk.
/// \return kOk; kMalformed; kUnsupported for an unknown type. Both: drop the input.
Status parse_content(Bytes content, ContentView& out);

}  // namespace wayseal

#endif
