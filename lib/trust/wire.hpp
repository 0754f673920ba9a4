// SPDX-License-Identifier: Apache-2.0
/// \file
/// nanopb callbacks that take `bytes` fields from where they lie, and put them in from where they lie: no
/// copies and no maximum sizes. For buffer streams only (pb_istream_from_buffer).
#ifndef WAYSEAL_LIB_TRUST_WIRE_HPP
#define WAYSEAL_LIB_TRUST_WIRE_HPP

#include <pb_common.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal::wire {

/// The current position of a stream over a buffer: nanopb keeps it in `state`.
inline Bytes rest_of(const pb_istream_t* stream) {
  return {static_cast<const uint8_t*>(stream->state), stream->bytes_left};
}

inline bool note_slice(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
  *static_cast<Bytes*>(*arg) = rest_of(stream);
  return pb_read(stream, nullptr, stream->bytes_left);
}

/// Decoder of one bytes or message field; the last occurrence counts.
inline pb_callback_t into(Bytes& slice) {
  pb_callback_t callback = {};
  callback.funcs.decode = note_slice;
  callback.arg = &slice;
  return callback;
}

inline bool note_certificate(pb_istream_t* stream, const pb_field_t* /*field*/, void** arg) {
  auto& chain = *static_cast<CertChain*>(*arg);
  if (chain.count >= kChainMax || stream->bytes_left == 0 || stream->bytes_left > kCertificateMax) return false;
  chain.certificates[chain.count++] = rest_of(stream);
  return pb_read(stream, nullptr, stream->bytes_left);
}

/// Decoder of a repeated bytes field that is a certificate chain; fails beyond kChainMax.
inline pb_callback_t into(CertChain& chain) {
  pb_callback_t callback = {};
  callback.funcs.decode = note_certificate;
  callback.arg = &chain;
  return callback;
}

inline bool put_slice(pb_ostream_t* stream, const pb_field_t* field, void* const* arg) {
  const auto& slice = *static_cast<const Bytes*>(*arg);
  return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, slice.data(), slice.size());
}

/// Encoder of one bytes field. `slice` must live until the message is encoded.
inline pb_callback_t from(const Bytes& slice) {
  pb_callback_t callback = {};
  callback.funcs.encode = put_slice;
  callback.arg = const_cast<Bytes*>(&slice);
  return callback;
}

inline bool put_chain(pb_ostream_t* stream, const pb_field_t* field, void* const* arg) {
  const auto& chain = *static_cast<const CertChain*>(*arg);
  for (size_t i = 0; i < chain.count; ++i) {
    const Bytes certificate = chain.certificates[i];
    if (!pb_encode_tag_for_field(stream, field)) return false;
    if (!pb_encode_string(stream, certificate.data(), certificate.size())) return false;
  }
  return true;
}

inline pb_callback_t from(const CertChain& chain) {
  pb_callback_t callback = {};
  callback.funcs.encode = put_chain;
  callback.arg = const_cast<CertChain*>(&chain);
  return callback;
}

/// False when a field whose callback takes it from where it lies comes as a number instead, or the framing is broken. nanopb then gives the
/// callback a copy on its own stack, of which a slice would be left when it returns.
inline bool slices_lie_in_message(Bytes bytes, const pb_msgdesc_t* fields, void* message) {
  pb_field_iter_t field;
  if (!pb_field_iter_begin(&field, fields, message)) return true;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  for (;;) {
    pb_wire_type_t type = PB_WT_VARINT;
    uint32_t tag = 0;
    bool end = false;
    if (!pb_decode_tag(&stream, &type, &tag, &end)) return end;
    const bool sliced = type != PB_WT_STRING && pb_field_iter_find(&field, tag) &&
                        PB_ATYPE(field.type) == PB_ATYPE_CALLBACK && PB_LTYPE(field.type) >= PB_LTYPE_BYTES;
    if (sliced || !pb_skip_field(&stream, type)) return false;
  }
}

/// Decodes a whole message. \return kOk; kMalformed.
inline Status decode(Bytes bytes, const pb_msgdesc_t* fields, void* message) {
  if (!slices_lie_in_message(bytes, fields, message)) return Status::kMalformed;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  return pb_decode_noinit(&stream, fields, message) ? Status::kOk : Status::kMalformed;
}

/// Encodes a whole message. \return kOk and its size; kBufferTooSmall.
inline Status encode(const pb_msgdesc_t* fields, const void* message, MutableBytes out, size_t& size) {
  pb_ostream_t stream = pb_ostream_from_buffer(out.data(), out.size());
  if (!pb_encode(&stream, fields, message)) return Status::kBufferTooSmall;
  size = stream.bytes_written;
  return Status::kOk;
}

/// Whether a zero-terminated text of nanopb equals `id`.
template <size_t N>
bool same_text(const char (&text)[N], const VehicleId& id) {
  const void* const end = std::memchr(text, '\0', N);  // not strnlen, which is POSIX's
  const size_t length = end == nullptr ? N : static_cast<size_t>(static_cast<const char*>(end) - text);
  return equal({reinterpret_cast<const uint8_t*>(text), length}, id.bytes());
}

}  // namespace wayseal::wire

#endif
