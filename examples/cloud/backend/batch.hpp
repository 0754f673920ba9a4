// SPDX-License-Identifier: Apache-2.0
// Reads the columns of a Batch (PROTOCOL.md, "Columns"). Knows nothing of signal tables.
#ifndef WAYSEAL_CLOUD_BATCH_HPP
#define WAYSEAL_CLOUD_BATCH_HPP

#include <functional>
#include <optional>

#include "bytes.hpp"
#include "record.pb.h"

namespace cloud {

struct BatchSummary {
  uint64_t samples = 0;
  int64_t from_us = 0;  ///< Earliest and latest row, as in the batch, without the UTC offset.
  int64_t to_us = 0;
};

/// Gets each sample: group and signal as in the batch, time as in the batch.
using SampleSink = std::function<void(uint32_t group, uint32_t signal, int64_t time_us, uint64_t raw)>;

/// Counts samples and finds the time range. \return nothing when the batch breaks a rule of the format.
std::optional<BatchSummary> summarise(const wayseal::v1::Batch& batch);

/// Gives all samples, column by column. \return false when the batch breaks a rule; some samples may have come
/// before.
bool read_samples(const wayseal::v1::Batch& batch, const SampleSink& sink);

}  // namespace cloud

#endif
