// SPDX-License-Identifier: Apache-2.0
// Writes the columns of an open batch as a protobuf `Batch`. PROTOCOL.md, "Columns".
#ifndef WAYSEAL_COLLECT_BATCH_ENCODER_HPP
#define WAYSEAL_COLLECT_BATCH_ENCODER_HPP

#include "wayseal/collect/collector.hpp"

struct pb_ostream_s;

namespace wayseal::detail {

class BatchEncoder {
 public:
  BatchEncoder(const SignalTable& table, const ChunkPool& pool, Rows* rows, Column* columns)
      : table_(table), pool_(pool), rows_(rows), columns_(columns) {}

  /// \return the size; 0 when `out` is too short.
  size_t encode(int64_t base_us, const UtcOffset& offset, MutableBytes out) const;

  /// Empties rows and columns; the last values stay.
  void clear();

 private:
  bool put_header(pb_ostream_s& stream, int64_t base_us, const UtcOffset& offset) const;
  bool put_series(pb_ostream_s& stream, uint16_t group) const;
  bool put_column(pb_ostream_s& stream, uint16_t index, const Column& column) const;
  bool put_string(pb_ostream_s& stream, uint32_t tag, const ChunkChain& chain, uint16_t repeat) const;

  const SignalTable& table_;
  const ChunkPool& pool_;
  Rows* rows_;
  Column* columns_;
};

}  // namespace wayseal::detail

#endif
