// SPDX-License-Identifier: Apache-2.0
/// \file
/// The bytes of a Sealed message. PROTOCOL.md, "Envelope".
#ifndef WAYSEAL_SEAL_ENVELOPE_HPP
#define WAYSEAL_SEAL_ENVELOPE_HPP

#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/record/content.hpp"

namespace wayseal {

inline constexpr uint8_t kEnvelopeVersion = 1;
/// Header from the vehicle: version, suite, session, sequence.
inline constexpr size_t kVehicleHeaderSize = 26;
/// Header from the backend: the same and a nonce.
inline constexpr size_t kBackendHeaderSize = kVehicleHeaderSize + Nonce::kSize;
/// Tag and length of both protobuf fields, at most.
inline constexpr size_t kSealedFramingMax = 2 + 1 + 3;
static_assert(kContentMax + kVehicleHeaderSize + kGcmTagSize + kSealedFramingMax <= kRecordMax,
              "a full content fits a record");

/// Header taken apart.
struct EnvelopeHeader {
  uint8_t suite = 0;
  SessionId session;
  uint64_t sequence = 0;
  Nonce nonce;  ///< From the backend only.
};

/// A Sealed message taken apart, into views of it.
struct SealedView {
  Bytes header;
  Bytes ciphertext;
};

/// Where the parts of a Sealed message lie that was laid out by `lay_out_sealed`.
struct SealedLayout {
  MutableBytes header;
  MutableBytes ciphertext;
  size_t size = 0;  ///< Of the whole message.
};

/// Size of a vehicle's Sealed message for so many bytes of content.
size_t sealed_size(size_t content_bytes);

/// Writes framing and header of a vehicle's Sealed message and says where the ciphertext belongs, so that the
/// token writes it to its final place.
/// \return kOk; kBufferTooSmall.
Status lay_out_sealed(const EnvelopeHeader& header, size_t content_bytes, MutableBytes out,
                      SealedLayout& layout);

/// Finds header and ciphertext in any valid coding of a Sealed. Framing only. \return kOk; kMalformed.
Status split_sealed(Bytes sealed, SealedView& out);

/// Reads a backend's header. \return kOk; kMalformed (length, sequence); kUnsupported (version).
Status parse_backend_header(Bytes header, EnvelopeHeader& out);

}  // namespace wayseal

#endif
