// SPDX-License-Identifier: Apache-2.0
#include "wayseal/signal/table_format.hpp"

namespace wayseal::table_format {

uint32_t crc32(Bytes data) {
  // Half a byte at a time: 64 bytes of flash, and a table is checked once a start.
  static constexpr uint32_t kNibbles[16] = {
      0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
      0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
  uint32_t crc = 0xFFFFFFFFU;
  for (const uint8_t byte : data) {
    crc ^= byte;
    crc = (crc >> 4) ^ kNibbles[crc & 15U];
    crc = (crc >> 4) ^ kNibbles[crc & 15U];
  }
  return ~crc;
}

}  // namespace wayseal::table_format
