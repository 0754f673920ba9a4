// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/envelope.hpp"

#include "envelope.pb.h"
#include "trust/wire.hpp"

namespace wayseal {
namespace {

// Protobuf keys of the two fields: number, wire type 2.
constexpr uint8_t kHeaderKey = (wayseal_v1_Sealed_header_tag << 3) | 2;
constexpr uint8_t kCiphertextKey = (wayseal_v1_Sealed_ciphertext_tag << 3) | 2;

size_t varint_size(size_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

uint8_t* put_varint(uint8_t* to, size_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
  *to++ = static_cast<uint8_t>(value);
  return to;
}

}  // namespace

size_t sealed_size(size_t content_bytes) {
  const size_t ciphertext = content_bytes + kGcmTagSize;
  return 2 + kVehicleHeaderSize + 1 + varint_size(ciphertext) + ciphertext;
}

Status lay_out_sealed(const EnvelopeHeader& header, size_t content_bytes, MutableBytes out,
                      SealedLayout& layout) {
  const size_t size = sealed_size(content_bytes);
  if (out.size() < size) return Status::kBufferTooSmall;
  uint8_t* at = out.data();
  *at++ = kHeaderKey;
  *at++ = kVehicleHeaderSize;
  layout.header = {at, kVehicleHeaderSize};
  at[0] = kEnvelopeVersion;
  at[1] = header.suite;
  std::memcpy(at + 2, header.session.data, SessionId::kSize);
  store_be64(at + 18, header.sequence);
  at += kVehicleHeaderSize;
  *at++ = kCiphertextKey;
  at = put_varint(at, content_bytes + kGcmTagSize);
  layout.ciphertext = {at, content_bytes + kGcmTagSize};
  layout.size = size;
  return Status::kOk;
}

Status split_sealed(Bytes sealed, SealedView& out) {
  out = {};
  wayseal_v1_Sealed message = {};
  message.header = wire::into(out.header);
  message.ciphertext = wire::into(out.ciphertext);
  WAYSEAL_TRY(wire::decode(sealed, wayseal_v1_Sealed_fields, &message));
  return out.header.empty() || out.ciphertext.size() < kGcmTagSize ? Status::kMalformed : Status::kOk;
}

Status parse_backend_header(Bytes header, EnvelopeHeader& out) {
  if (header.empty()) return Status::kMalformed;
  if (header[0] != kEnvelopeVersion) return Status::kUnsupported;
  if (header.size() != kBackendHeaderSize) return Status::kMalformed;
  const uint8_t* at = header.data();
  out.suite = at[1];
  std::memcpy(out.session.data, at + 2, SessionId::kSize);
  out.sequence = load_be64(at + 18);
  std::memcpy(out.nonce.data, at + kVehicleHeaderSize, Nonce::kSize);
  return out.sequence == 0 ? Status::kOk : Status::kMalformed;
}

}  // namespace wayseal
