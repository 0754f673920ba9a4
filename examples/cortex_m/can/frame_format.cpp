// SPDX-License-Identifier: Apache-2.0
#include "can/frame_format.hpp"

namespace can {
namespace {

using wayseal::Bytes;
using wayseal::CanFrame;
using wayseal::MutableBytes;

// Header: 0 bbb ffff for a data frame (bus, CanFrame flags), 1 bbb kkkk for what else there is.
constexpr uint8_t kNoFrame = 0x80;
constexpr unsigned kBusShift = 4;
constexpr uint8_t kBusMask = 7;
constexpr uint8_t kLowMask = 0x0F;
constexpr uint8_t kReportCode = 1;
constexpr uint8_t kRemoteCode = 2;

constexpr size_t kHeaderSize = 1;
constexpr size_t kCrcSize = 2;
constexpr size_t kReportSize = kHeaderSize + 1 + 4 + 4;

/// Undoes COBS (Cheshire and Baker, 1999) and checks the CRC in one pass.
/// \return bytes of the body without its CRC; 0 when anything is wrong.
size_t open_piece(Bytes piece, uint8_t (&body)[kBodyMax]) {
  if (piece.size() < 1 + kHeaderSize + kCrcSize || piece.size() > kPieceMax) return 0;
  uint16_t crc = kCrcStart;
  size_t size = 0;
  const uint8_t* at = piece.begin();
  const uint8_t* const end = piece.end();
  while (at != end) {
    const size_t code = *at++;
    // 0 is no code; what claims more than there is has lost bytes.
    if (code == 0 || code - 1 > static_cast<size_t>(end - at)) return 0;
    for (const uint8_t* const stop = at + code - 1; at != stop; ++at) {
      body[size++] = *at;
      crc = crc16(crc, *at);
    }
    if (at == end) break;
    body[size++] = 0;
    crc = crc16(crc, 0);
  }
  return crc == 0 && size >= kHeaderSize + kCrcSize ? size - kCrcSize : 0;
}

/// ISO 11898-1: lengths above 8 are those of DLC 9 to 15.
bool is_can_length(size_t length, bool fd) {
  if (length <= 8) return true;
  if (!fd) return false;
  return length == 12 || length == 16 || length == 20 || length == 24 || length == 32 || length == 48 ||
         length == wayseal::kCanDataMax;
}

bool is_can_frame(const CanFrame& frame) {
  const bool only_fd = (frame.flags & (CanFrame::kBitRateSwitch | CanFrame::kErrorStateIndicator)) != 0;
  if (only_fd && !frame.fd()) return false;
  if (frame.id > (frame.extended() ? wayseal::kCanExtendedIdMax : wayseal::kCanStandardIdMax)) return false;
  return is_can_length(frame.length, frame.fd());
}

bool parse_frame(Bytes body, CanFrame& frame) {
  frame.flags = body[0] & kLowMask;
  frame.bus = (body[0] >> kBusShift) & kBusMask;
  const size_t id_size = frame.extended() ? 4 : 2;
  if (body.size() < kHeaderSize + id_size) return false;
  const uint8_t* const id = body.data() + kHeaderSize;
  frame.id = frame.extended() ? wayseal::load_le32(id) : wayseal::load_le16(id);
  frame.length = static_cast<uint8_t>(body.size() - kHeaderSize - id_size);
  if (!is_can_frame(frame)) return false;
  std::memcpy(frame.data, id + id_size, frame.length);
  return true;
}

bool parse_report(Bytes body, BusReport& report) {
  if (body.size() != kReportSize || body[1] > static_cast<uint8_t>(wayseal::BusState::kEnded)) return false;
  report.state = static_cast<wayseal::BusState>(body[1]);
  report.frames_dropped = wayseal::load_le32(body.data() + 2);
  report.error_frames = wayseal::load_le32(body.data() + 6);
  return true;
}

/// Adds the CRC, codes, ends the piece.
size_t write_body(uint8_t (&body)[kBodyMax], size_t size, MutableBytes out) {
  if (out.size() < kWireMax) return 0;
  uint16_t crc = kCrcStart;
  for (size_t i = 0; i < size; ++i) crc = crc16(crc, body[i]);
  wayseal::store_be16(body + size, crc);
  size += kCrcSize;
  size_t code_at = 0;
  size_t at = 1;
  for (size_t i = 0; i < size; ++i) {
    if (body[i] != 0) {
      out[at++] = body[i];
      continue;
    }
    out[code_at] = static_cast<uint8_t>(at - code_at);
    code_at = at++;
  }
  out[code_at] = static_cast<uint8_t>(at - code_at);
  out[at++] = kDelimiter;
  return at;
}

uint8_t header(uint8_t bus, uint8_t low) { return static_cast<uint8_t>((bus << kBusShift) | low); }

}  // namespace

PieceFault parse_piece(Bytes piece, Message& message) {
  uint8_t bytes[kBodyMax];
  const size_t size = open_piece(piece, bytes);
  if (size == 0) return PieceFault::kDamaged;
  const Bytes body(bytes, size);
  message.bus = (body[0] >> kBusShift) & kBusMask;
  bool good = false;
  if ((body[0] & kNoFrame) == 0) {
    message.kind = MessageKind::kFrame;
    good = parse_frame(body, *message.frame);
  } else if ((body[0] & kLowMask) == kReportCode) {
    message.kind = MessageKind::kReport;
    good = parse_report(body, message.report);
  } else {
    message.kind = MessageKind::kRemote;
    good = (body[0] & kLowMask) == kRemoteCode && size == kHeaderSize;
  }
  return good ? PieceFault::kNone : PieceFault::kInvalid;
}

size_t write_frame(const CanFrame& frame, MutableBytes out) {
  if (frame.bus >= kWireBusesMax || frame.flags > kLowMask || !is_can_frame(frame)) return 0;
  uint8_t body[kBodyMax];
  body[0] = header(frame.bus, frame.flags);
  size_t size = kHeaderSize;
  if (frame.extended()) {
    wayseal::store_le32(body + size, frame.id);
    size += 4;
  } else {
    wayseal::store_le16(body + size, static_cast<uint16_t>(frame.id));
    size += 2;
  }
  std::memcpy(body + size, frame.data, frame.length);
  return write_body(body, size + frame.length, out);
}

size_t write_report(uint8_t bus, const BusReport& report, MutableBytes out) {
  if (bus >= kWireBusesMax) return 0;
  uint8_t body[kBodyMax];
  body[0] = header(bus, kNoFrame | kReportCode);
  body[1] = static_cast<uint8_t>(report.state);
  wayseal::store_le32(body + 2, report.frames_dropped);
  wayseal::store_le32(body + 6, report.error_frames);
  return write_body(body, kReportSize, out);
}

size_t write_remote(uint8_t bus, MutableBytes out) {
  if (bus >= kWireBusesMax) return 0;
  uint8_t body[kBodyMax];
  body[0] = header(bus, kNoFrame | kRemoteCode);
  return write_body(body, kHeaderSize, out);
}

uint8_t bus_of_piece(uint8_t first, uint8_t second) {
  if (first <= 1) return 0;  // the code 1 says that the header is 0: a frame on bus 0
  return (second & kNoFrame) != 0 ? kWireBusesMax : static_cast<uint8_t>((second >> kBusShift) & kBusMask);
}

}  // namespace can
