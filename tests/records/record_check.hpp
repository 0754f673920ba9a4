// SPDX-License-Identifier: Apache-2.0
/// \file
/// The same record bytes on every target: made-up frames through the whole way from CanBus to Session, and the SHA-256 of
/// what comes out against a constant.
#ifndef WAYSEAL_TESTS_RECORDS_RECORD_CHECK_HPP
#define WAYSEAL_TESTS_RECORDS_RECORD_CHECK_HPP

#include <cstddef>
#include <cstdint>

#include "wayseal/core/types.hpp"

namespace wayseal::records {

/// What a run made.
struct RecordCheckResult {
  const char* failed_at = nullptr;  ///< The step that failed; nullptr when all went through.
  uint32_t frames = 0;
  uint32_t samples = 0;
  uint32_t records = 0;
  uint32_t record_bytes = 0;
  Digest digest;  ///< SHA-256 of both SessionOpens and every Sealed, in the order in which they were made.
};

/// Feeds 4,000 frames of a seeded generator through Recorder, RecordQueue and two Sessions with a test vault whose keys and
/// random bytes are fixed. Independent of every limit in core/config.hpp: a record is at most 1 KiB.
///
/// Needs PSA Crypto with SHA-256 and AES-256-GCM; mbedTLS on bare metal needs memory beforehand
/// (mbedtls_memory_buffer_alloc_init). What it works in is static. Threads: one; may be called again.
RecordCheckResult make_records();

/// Runs make_records and compares with what every target must give.
/// \param report one line, cut at `size` and always terminated when size is not 0: counts, digest, and why it failed.
/// \return whether the bytes are the expected ones.
bool run_record_check(char* report, size_t size);

}  // namespace wayseal::records

#endif
