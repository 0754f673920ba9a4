// SPDX-License-Identifier: Apache-2.0
/// \file
/// Every limit of the library, in one place. An integrator overrides a limit by compiling the library and the
/// application with `-DWAYSEAL_CONFIG_FILE="my_config.hpp"`, a file that defines any of the macros below, or those that
/// stand beside their limit in another header (WAYSEAL_UPLOAD_ITEMS_MAX, ...).
/// Limits never change a type's meaning or the wire format, only how much is held.
///
/// The defaults suit a Linux TCU. For microcontrollers there are two profiles, which are such files: core/profile_standard.hpp
/// (the whole way) and core/profile_tiny.hpp (collect and seal). With CMake: -DWAYSEAL_PROFILE=standard. What they cost
/// is measured by `tests/run size`.
#ifndef WAYSEAL_CORE_CONFIG_HPP
#define WAYSEAL_CORE_CONFIG_HPP

#include <cstddef>
#include <cstdint>

#ifdef WAYSEAL_CONFIG_FILE
#include WAYSEAL_CONFIG_FILE
#endif

#ifndef WAYSEAL_RECORD_MAX
#define WAYSEAL_RECORD_MAX 16384
#endif
#ifndef WAYSEAL_BUSES_MAX
#define WAYSEAL_BUSES_MAX 8
#endif
#ifndef WAYSEAL_RECEIVE_FRAMES_MAX
#define WAYSEAL_RECEIVE_FRAMES_MAX 64
#endif
#ifndef WAYSEAL_PREKEYS_MAX
#define WAYSEAL_PREKEYS_MAX 16
#endif
#ifndef WAYSEAL_LIVE_SESSIONS_MAX
#define WAYSEAL_LIVE_SESSIONS_MAX 32
#endif
#ifndef WAYSEAL_LOSS_RANGES_MAX
#define WAYSEAL_LOSS_RANGES_MAX 32
#endif
#ifndef WAYSEAL_CERTIFICATE_MAX
#define WAYSEAL_CERTIFICATE_MAX 1024
#endif
#ifndef WAYSEAL_CHECKSUM_TABLES
#if UINTPTR_MAX > 0xFFFFFFFF
#define WAYSEAL_CHECKSUM_TABLES 4
#else
#define WAYSEAL_CHECKSUM_TABLES 1
#endif
#endif

namespace wayseal {

/// Largest sealed record in bytes (`Sealed` as stored and sent). 1 KiB to 64 KiB. Sets the size of the batch's
/// output buffer and of the seal buffer.
inline constexpr size_t kRecordMax = WAYSEAL_RECORD_MAX;
static_assert(kRecordMax >= 1024 && kRecordMax <= 65536, "a record holds 1 KiB to 64 KiB");

/// CAN buses whose counters are reported apart. Frames of further buses are collected as well; their counters are not seen.
inline constexpr size_t kBusesMax = WAYSEAL_BUSES_MAX;
static_assert(kBusesMax >= 1 && kBusesMax <= 64, "1 to 64 buses");

/// Frames that the recorder takes from a bus in one call: 80 bytes of RAM each.
inline constexpr size_t kReceiveFramesMax = WAYSEAL_RECEIVE_FRAMES_MAX;
static_assert(kReceiveFramesMax >= 1 && kReceiveFramesMax <= 1024, "1 to 1024 frames");

/// One-time prekeys that the vehicle keeps at most.
inline constexpr size_t kPrekeysMax = WAYSEAL_PREKEYS_MAX;
static_assert(kPrekeysMax >= 1 && kPrekeysMax <= 64, "a bundle holds 1 to 64 prekeys");

/// Sessions whose records may be in the spool at the same time. When one more would be needed, the oldest
/// session is evicted whole and reported as lost.
inline constexpr size_t kLiveSessionsMax = WAYSEAL_LIVE_SESSIONS_MAX;
static_assert(kLiveSessionsMax >= 2, "the current session and the one before it");

/// Loss ranges that are remembered apart; beyond that, neighbours are merged (never evicted).
inline constexpr size_t kLossRangesMax = WAYSEAL_LOSS_RANGES_MAX;

/// Tables of the storage's checksum, 1 KiB of flash each: 4 take four bytes at a time, 1 takes one; 0 takes half a byte at a
/// time, with a table of 64 bytes. By default 4 where pointers have 64 bits. What is stored does not depend on it.
inline constexpr size_t kChecksumTables = WAYSEAL_CHECKSUM_TABLES;
static_assert(kChecksumTables <= 1 || kChecksumTables == 4, "no table, one, or four");

/// Largest certificate in bytes of DER, leaf or intermediate.
inline constexpr size_t kCertificateMax = WAYSEAL_CERTIFICATE_MAX;
/// Certificates in a chain below the root: the leaf and its role's intermediate.
inline constexpr size_t kChainMax = 2;

/// Records of one session at most (DESIGN 6.6); a policy may ask for fewer.
inline constexpr uint64_t kSessionRecordsMax = 0xFFFFFFFFULL;
/// Plaintext bytes of one session at most.
inline constexpr uint64_t kSessionBytesMax = 1ULL << 36;
/// Age of one session at most, in milliseconds.
inline constexpr int64_t kSessionAgeMaxMs = 24LL * 60 * 60 * 1000;
/// A signed time is taken only when request and answer lie at most this far apart.
inline constexpr int64_t kTimeRoundTripMaxMs = 10'000;

}  // namespace wayseal

#endif
