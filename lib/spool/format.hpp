// SPDX-License-Identifier: Apache-2.0
//
// Bytes of the spool on its medium. Little-endian.
//
// Segment n lies at n modulo the number of segments. It begins with a header, padded to the unit, which is
// max(16, program_size):
//    0 16 magic    16 u64 segment number    24 u32 segment size    28 u32 segments    32 u32 version
//    36 u32 CRC-32C of the rest
// Entries follow, each at a multiple of the unit: a header, the payload, 0xFF up to the unit.
//    0 u32 CRC-32C of the segment number (u64) and bytes 4 to 31     4 u32 CRC-32C of the payload
//    8 u8 kind    9 u24 payload size    12 u32 sequence    16 16 session id
// The segment number inside the CRC keeps what a former lap left behind from being taken for real.
//
// Payload of a checkpoint: all bookkeeping but the entries themselves, as of its place in the log.
//    0 u64 oldest living segment    8 u16 sessions    10 u16 loss ranges    12 u32 0
//    each session, oldest first, 64 bytes:
//      0 16 id    16 u32 contiguous    20 u32 last    24 u32 accounted    28 u8 flags (1: the open was acked)
//      29 3 zeros    32 32 bit i of byte j: contiguous + 2 + 8j + i is settled
//    each range, oldest first, 32 bytes:
//      0 16 session id    16 u32 first    20 u32 last    24 u32 count    28 u8 cause    29 3 zeros
#ifndef WAYSEAL_LIB_SPOOL_FORMAT_HPP
#define WAYSEAL_LIB_SPOOL_FORMAT_HPP

#include "state/log_io.hpp"
#include "wayseal/spool/spool.hpp"

namespace wayseal::spool_format {

inline constexpr uint8_t kMagic[16] = {'w', 'a', 'y', 's', 'e', 'a',  'l',  ' ',
                                       's', 'p', 'o', 'o', 'l', '\r', '\n', 0x1A};
inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kSegmentHeaderSize = 40;
inline constexpr uint32_t kEntryHeaderSize = 32;
inline constexpr uint32_t kUnitMin = 16;

inline constexpr uint32_t kCheckpointHeadSize = 16;
inline constexpr uint32_t kCheckpointSessionSize = 64;
inline constexpr uint32_t kCheckpointRangeSize = 32;
inline constexpr uint32_t kCheckpointMax =
    kCheckpointHeadSize + kCheckpointSessionSize * static_cast<uint32_t>(kLiveSessionsMax + 1) +
    kCheckpointRangeSize * static_cast<uint32_t>(kLossRangesMax);
inline constexpr uint8_t kFlagOpenAcked = 1;

}  // namespace wayseal::spool_format

#endif
