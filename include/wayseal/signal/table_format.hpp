// SPDX-License-Identifier: Apache-2.0
/// \file
/// The bytes of a signal table. For those who write or inspect tables; who only reads them uses `SignalTable`.
///
/// All numbers are little-endian and unaligned access is never assumed, so the same bytes serve every target. A
/// table is a header, a core section (what the vehicle needs) and a names section (what people need):
///
///     header   32 bytes          magic, sizes, checksums, id
///     core     header.core_size  fixed part, then arrays back to back in the order of `ArrayOrder`
///     names    header.names_size texts, units, limits, value tables; a table may be cut off before it
///
/// The checksums find damage, not malice. Who authenticates a table is whoever delivered it: provisioning (a
/// file that only the owner of the device can write) or, later, the signed campaign that carries it. `load`
/// rejects everything that could make decoding leave a frame, authentic or not.
///
/// The id is the first 8 bytes of the SHA-256 of the core section, so two tables with one id decode alike,
/// whatever their names. The tool computes it; a back end computes it again before it files a table.
#ifndef WAYSEAL_SIGNAL_TABLE_FORMAT_HPP
#define WAYSEAL_SIGNAL_TABLE_FORMAT_HPP

#include "wayseal/core/bytes.hpp"

namespace wayseal::table_format {

inline constexpr uint8_t kMagic[4] = {'W', 'S', 'T', '1'};
inline constexpr size_t kHeaderSize = 32;
inline constexpr size_t kIdSize = 8;

/// Offsets in the header.
namespace header {
inline constexpr size_t kCoreSize = 4;    ///< u32
inline constexpr size_t kNamesSize = 8;   ///< u32; 0 when the table was made without names
inline constexpr size_t kCoreCrc = 12;    ///< u32, CRC-32 of the core section
inline constexpr size_t kNamesCrc = 16;   ///< u32, CRC-32 of the names section
inline constexpr size_t kId = 20;         ///< 8 bytes as SHA-256 gives them: big-endian as a number
inline constexpr size_t kHeaderCrc = 28;  ///< u32, CRC-32 of the 28 bytes before
}  // namespace header

/// Offsets in the fixed part of the core section.
namespace core {
inline constexpr size_t kVersion = 0;  ///< u32, the author's version number
inline constexpr size_t kName = 4;     ///< kNameSize bytes of UTF-8, zero-padded
inline constexpr size_t kNameSize = 32;
inline constexpr size_t kBusCount = 36;        ///< u16; 0: messages are on every bus
inline constexpr size_t kMessageCount = 38;    ///< u16
inline constexpr size_t kGroupCount = 40;      ///< u16
inline constexpr size_t kSelectorCount = 42;   ///< u16
inline constexpr size_t kCaseCount = 44;       ///< u16
inline constexpr size_t kSignalCount = 46;     ///< u16
inline constexpr size_t kSlotBits = 48;        ///< u8; there are 2^bits slots, 1 to 16
inline constexpr size_t kFlags = 49;           ///< u8, TableFlag
inline constexpr size_t kReserved = 50;        ///< u16, 0
inline constexpr size_t kHashMultiplier = 52;  ///< u32, odd
inline constexpr size_t kFixedSize = 56;
}  // namespace core

enum TableFlag : uint8_t {
  kHasJ1939 = 1,      ///< Some message matches by its parameter group.
  kHasSharedPgn = 2,  ///< Some parameter group has several messages, told apart by the source address.
};

/// Arrays of the core section, in this order, each of its record's size times its count.
enum class ArrayOrder : uint8_t { kSlots, kGeometry, kMessages, kGroups, kSelectors, kCases, kValues, kBuses };

/// One place of the open-addressing hash with linear probing. Home of a key: see `home_slot`.
namespace slot {
inline constexpr size_t kKey = 0;      ///< u32, see KeyKind; 0xFFFFFFFF when empty
inline constexpr size_t kBus = 4;      ///< u8; 0 when the table has no buses
inline constexpr size_t kMessage = 6;  ///< u16, or kNoMessage when empty
inline constexpr size_t kSize = 8;
inline constexpr uint32_t kEmptyKey = 0xFFFFFFFF;
inline constexpr uint16_t kNoMessage = 0xFFFF;
inline constexpr size_t kRunMax = 64;  ///< Used slots in a row at most, so that every search is short.
}  // namespace slot

/// Upper three bits of a key; the lower 29 are an identifier or a part of one.
enum KeyKind : uint32_t {
  kStandardKey = 0U << 29,  ///< An 11-bit identifier.
  kExtendedKey = 1U << 29,  ///< A 29-bit identifier.
  kPgnKey = 2U << 29,       ///< A J1939 parameter group number (SAE J1939-21), 18 bits.
  kSourceKey = 3U << 29,    ///< The same, shifted left by 8, with the source address. Only for shared groups.
};

/// Where one signal's bits are. The decoder takes 8 bytes in the signal's byte order, shifts left by `kLeft`
/// and right by `kRight`. They are the first 8 bytes of the frame, where nearly all signals of nearly all
/// vehicles are; with kFar they begin at `kOffset`. With kNineBytes the signal needs a ninth byte, and kLeft is
/// the number of bits to skip in the first: the lowest ones (Intel) or the highest ones (Motorola).
namespace geometry {
inline constexpr size_t kOffset = 0;   ///< u8, 0 to 56; 0 without kFar
inline constexpr size_t kLeft = 1;     ///< u8, 0 to 63
inline constexpr size_t kRight = 2;    ///< u8, 64 - width
inline constexpr size_t kKind = 3;     ///< u8, GeometryKind
inline constexpr size_t kNeeded = 4;   ///< u8, bytes that a frame must have to hold the signal whole
inline constexpr size_t kPadding = 5;  ///< u8, 0
inline constexpr size_t kGroup = 6;    ///< u16, the group that the signal belongs to
inline constexpr size_t kSize = 8;
enum GeometryKind : uint8_t { kMotorola = 1, kSigned = 2, kFar = 4, kNineBytes = 8 };
}  // namespace geometry

namespace message {
inline constexpr size_t kId = 0;           ///< u32
inline constexpr size_t kBus = 4;          ///< u8
inline constexpr size_t kLength = 5;       ///< u8, declared bytes, 0 to 64
inline constexpr size_t kFlags = 6;        ///< u8, MessageFlag
inline constexpr size_t kPadding = 7;      ///< u8, 0
inline constexpr size_t kFirstGroup = 8;   ///< u16
inline constexpr size_t kGroupCount = 10;  ///< u16, at least 1: the first one has no condition
inline constexpr size_t kCycle = 12;       ///< u32, ms; 0 when not declared
inline constexpr size_t kSize = 16;
enum MessageFlag : uint8_t { kExtended = 1, kFd = 2, kJ1939 = 4 };
}  // namespace message

/// Signals of one message under one multiplexer condition. Parents come before their children.
namespace group {
inline constexpr size_t kMessage = 0;        ///< u16
inline constexpr size_t kFirstSignal = 2;    ///< u16
inline constexpr size_t kSignalCount = 4;    ///< u16
inline constexpr size_t kFirstSelector = 6;  ///< u16, selectors that are signals of this group
inline constexpr size_t kSelectorCount = 8;  ///< u16
inline constexpr size_t kParent = 10;        ///< u16, the selector that opens this group, or kNoParent
inline constexpr size_t kSize = 12;
inline constexpr uint16_t kNoParent = 0xFFFF;
}  // namespace group

/// A multiplexer switch.
namespace selector {
inline constexpr size_t kSignal = 0;     ///< u16
inline constexpr size_t kGroup = 2;      ///< u16, the group of that signal
inline constexpr size_t kFirstCase = 4;  ///< u16
inline constexpr size_t kCaseCount = 6;  ///< u16
inline constexpr size_t kSize = 8;
}  // namespace selector

/// "From low to high opens this group", compared with the selector's bits as an unsigned number. Sorted by
/// value, then by group; two cases of one selector have the same interval or disjoint ones.
namespace mux_case {
inline constexpr size_t kLow = 0;       ///< u64
inline constexpr size_t kHigh = 8;      ///< u64
inline constexpr size_t kGroup = 16;    ///< u16
inline constexpr size_t kPadding = 18;  ///< u16, 0
inline constexpr size_t kSize = 20;
}  // namespace mux_case

/// What a signal means and when it is kept.
namespace value {
inline constexpr size_t kScale = 0;         ///< IEEE 754 double
inline constexpr size_t kOffset = 8;        ///< IEEE 754 double
inline constexpr size_t kMinInterval = 16;  ///< u32, ms; 0: no minimum
inline constexpr size_t kRule = 20;         ///< u8, RuleFlag
inline constexpr size_t kType = 21;         ///< u8, SignalType
inline constexpr size_t kPadding = 22;      ///< u16, 0
inline constexpr size_t kSize = 24;
enum RuleFlag : uint8_t { kCollected = 1, kOnChange = 2 };
}  // namespace value

/// Name of a bus as the operating system calls it, zero-padded.
inline constexpr size_t kBusNameSize = 16;

/// Names section: fixed part, then a text reference for each message, a record for each signal, the value
/// tables and the texts. A text reference is a u32 offset into the texts, where a u16 length and UTF-8 follow.
namespace names {
inline constexpr size_t kTextBytes = 0;   ///< u32
inline constexpr size_t kValueCount = 4;  ///< u32
inline constexpr size_t kFixedSize = 8;
inline constexpr size_t kMessageSize = 4;  ///< u32, the message's name

inline constexpr size_t kSignalName = 0;         ///< u32
inline constexpr size_t kSignalUnit = 4;         ///< u32
inline constexpr size_t kSignalMinimum = 8;      ///< IEEE 754 double, physical
inline constexpr size_t kSignalMaximum = 16;     ///< IEEE 754 double, physical
inline constexpr size_t kSignalFirstValue = 24;  ///< u32
inline constexpr size_t kSignalValueCount = 28;  ///< u16
inline constexpr size_t kSignalFlags = 30;       ///< u16, kHasLimits
inline constexpr size_t kSignalSize = 32;
inline constexpr uint16_t kHasLimits = 1;

inline constexpr size_t kValueRaw = 0;   ///< u64, the raw value as `decode` gives it
inline constexpr size_t kValueText = 8;  ///< u32
inline constexpr size_t kValueSize = 12;
}  // namespace names

/// Slot where the search for a key begins. `shift` is 32 less the slot bits.
constexpr uint32_t home_slot(uint32_t key, uint8_t bus, uint32_t multiplier, unsigned shift) {
  return ((key ^ (bus * 0x9E3779B1U)) * multiplier) >> shift;
}

/// The parameter group of a 29-bit identifier: with PDU format below 240 the PDU specific byte is a destination
/// and not part of it (SAE J1939-21, 5.1.2).
constexpr uint32_t pgn_of(uint32_t id) {
  const uint32_t pgn = (id >> 8) & 0x3FFFFU;
  return ((pgn >> 8) & 0xFFU) < 240U ? pgn & 0x3FF00U : pgn;
}
/// Keys of a J1939 message. The priority is in none of them.
constexpr uint32_t pgn_key(uint32_t id) { return kPgnKey | pgn_of(id); }
constexpr uint32_t source_key(uint32_t id) { return kSourceKey | (pgn_of(id) << 8) | (id & 0xFFU); }

/// CRC-32 as in IEEE 802.3 (reflected 0xEDB88320, initial and final inversion).
uint32_t crc32(Bytes data);

}  // namespace wayseal::table_format

#endif
