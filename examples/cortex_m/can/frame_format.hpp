// SPDX-License-Identifier: Apache-2.0
/// \file
/// CAN frames on a serial line: the bytes of README.md, pure functions for both ends.
#ifndef CAN_FRAME_FORMAT_HPP
#define CAN_FRAME_FORMAT_HPP

#include "wayseal/hal/can_bus.hpp"

namespace can {

/// Stands between pieces, and in none.
inline constexpr uint8_t kDelimiter = 0;
/// Buses that the header's 3 bits can name.
inline constexpr uint8_t kWireBusesMax = 8;
/// Header, extended id, 64 bytes of data, CRC.
inline constexpr size_t kBodyMax = 1 + 4 + wayseal::kCanDataMax + 2;
/// A body as COBS codes it: one byte more, as long as it is shorter than 254 bytes.
inline constexpr size_t kPieceMax = kBodyMax + 1;
/// With its delimiter.
inline constexpr size_t kWireMax = kPieceMax + 1;

enum class MessageKind : uint8_t {
  kFrame,   ///< A data frame.
  kReport,  ///< State and counters of a bus, as the sender has them.
  kRemote,  ///< A remote frame was seen; it has no data to hand out.
};

/// What the controller's side says of one bus. Counters start at 0 when the sender starts, and wrap.
struct BusReport {
  wayseal::BusState state = wayseal::BusState::kActive;
  uint32_t frames_dropped = 0;
  uint32_t error_frames = 0;
};

/// One message, unpacked. `frame` or `report` is set, as `kind` says; `bus` always.
struct Message {
  MessageKind kind = MessageKind::kFrame;
  uint8_t bus = 0;
  wayseal::CanFrame* frame = nullptr;  ///< Where a data frame is to go: set it before `parse_piece`.
  BusReport report;
};

/// Why a piece is no message, so that it can be counted where it belongs.
enum class PieceFault : uint8_t {
  kNone,
  kDamaged,  ///< Coding or CRC is wrong: nothing in it means anything, its bus included.
  kInvalid,  ///< Arrived as sent, but says what no CAN bus can: `bus` is right.
};

/// Reads one piece, which is what stood between two delimiters.
///
/// Data frames are written to `*message.frame` (id, bus, flags, length, the first `length` bytes of data; not the
/// time). Of a frame that is not kNone nothing may be used.
/// Pure. Never reads behind `piece`, whatever it holds.
PieceFault parse_piece(wayseal::Bytes piece, Message& message);

/// Writes a message with its delimiter.
/// \param frame valid as hal/can_bus.hpp says, with a bus below kWireBusesMax.
/// \param out at least kWireMax bytes.
/// \return bytes written; 0 for a frame that does not exist on CAN, or a short `out`.
size_t write_frame(const wayseal::CanFrame& frame, wayseal::MutableBytes out);
size_t write_report(uint8_t bus, const BusReport& report, wayseal::MutableBytes out);
size_t write_remote(uint8_t bus, wayseal::MutableBytes out);

/// CRC-16/IBM-3740 (x^16 + x^12 + x^5 + 1, starts with 0xFFFF) of one more byte. Over data and its CRC, high byte
/// first, it is 0.
constexpr uint16_t kCrcStart = 0xFFFF;
inline uint16_t crc16(uint16_t crc, uint8_t byte) {
  uint32_t x = (uint32_t{crc} >> 8) ^ byte;
  x ^= x >> 4;
  return static_cast<uint16_t>((uint32_t{crc} << 8) ^ (x << 12) ^ (x << 5) ^ x);
}

/// The bus that a piece names, from its first two coded bytes: for counting what there was no room for.
/// \return kWireBusesMax for a message that is no data frame.
uint8_t bus_of_piece(uint8_t first, uint8_t second);

}  // namespace can

#endif
