// SPDX-License-Identifier: Apache-2.0
/// \file
/// The content that says what is missing. PROTOCOL.md, "Contents"; invariant 4.
#ifndef WAYSEAL_RECORD_LOSS_REPORT_HPP
#define WAYSEAL_RECORD_LOSS_REPORT_HPP

#include "wayseal/core/loss.hpp"
#include "wayseal/core/result.hpp"

namespace wayseal {

/// What was missed on one bus since `LossReport::epoch` began.
struct BusLoss {
  uint8_t bus = 0;
  uint64_t frames = 0;          ///< Data frames received.
  uint64_t frames_dropped = 0;  ///< Lost before the reader (kernel, driver).
  uint64_t error_frames = 0;
  uint64_t bus_off_events = 0;
  uint64_t down_events = 0;
  uint64_t frames_unknown = 0;  ///< Of no message in the table.
};

/// Everything that this vehicle knows to be missing.
struct LossReport {
  Span<const LossRange> ranges;
  Span<const BusLoss> buses;
  uint64_t batches_dropped = 0;  ///< Closed, never sealed.
  uint64_t samples_dropped = 0;  ///< Decoded, never in a batch.
  uint64_t epoch = 0;            ///< Random at each start, so that cumulative counts restart visibly.
};

/// Bytes that a report with so many ranges and buses takes at most.
constexpr size_t loss_report_size_max(size_t ranges, size_t buses) { return 31 + ranges * 55 + buses * 71; }

/// Codes a LossReport as the payload of a content of type kLossReport. With more ranges than `out` has room
/// for, several reports carry them: call again with the rest.
/// \param out at least loss_report_size_max(1, buses) bytes.
/// \param[out] ranges_coded how many of `report.ranges`, from the first on, are in it. Set only when a size is
///         returned.
/// \return the size; kBufferTooSmall.
/// Blocking: never. Threads: any; no state. Stack: below 400 bytes.
Result<size_t> encode_loss_report(const LossReport& report, MutableBytes out, size_t& ranges_coded);

}  // namespace wayseal

#endif
