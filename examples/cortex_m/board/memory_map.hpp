// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where the peripherals are on Arm's MPS2 board with the images AN386 (Cortex-M4F) and AN500 (Cortex-M7), as QEMU's
/// machines mps2-an386 and mps2-an500 model them.
#ifndef BOARD_MEMORY_MAP_HPP
#define BOARD_MEMORY_MAP_HPP

#include <cstddef>
#include <cstdint>

namespace board {

inline constexpr uint32_t kClockHz = 25'000'000;  ///< Processor, SysTick and UARTs.

/// CMSDK UARTs: one byte of buffer, interrupts below.
inline constexpr uintptr_t kUart0 = 0x40004000;  ///< Console.
inline constexpr uintptr_t kUart1 = 0x40005000;  ///< CAN frames.
inline constexpr uint8_t kUart1ReceiveInterrupt = 2;

/// LAN9118 Ethernet controller, and 16 MiB of memory that the emulator keeps in a file: the flash.
#ifdef BOARD_AN500
inline constexpr uintptr_t kEthernet = 0xA0000000;
inline constexpr uintptr_t kExternalMemory = 0x60000000;
#else
inline constexpr uintptr_t kEthernet = 0x40200000;
inline constexpr uintptr_t kExternalMemory = 0x21000000;
#endif
inline constexpr size_t kExternalMemorySize = size_t{16} * 1024 * 1024;

/// The register at an address.
inline volatile uint32_t& reg(uintptr_t address) { return *reinterpret_cast<volatile uint32_t*>(address); }

}  // namespace board

#endif
