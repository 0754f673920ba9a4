// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/loss_report.hpp"

#include <pb_encode.h>

#include "record.pb.h"

namespace wayseal {
namespace {

bool put_message(pb_ostream_t& stream, uint32_t tag, const pb_msgdesc_t* fields, const void* message) {
  return pb_encode_tag(&stream, PB_WT_STRING, tag) && pb_encode_submessage(&stream, fields, message);
}

bool put_bus(pb_ostream_t& stream, const BusLoss& bus) {
  wayseal_v1_BusLoss message = {};
  message.bus = bus.bus;
  message.frames = bus.frames;
  message.frames_dropped = bus.frames_dropped;
  message.error_frames = bus.error_frames;
  message.bus_off_events = bus.bus_off_events;
  message.down_events = bus.down_events;
  message.frames_unknown = bus.frames_unknown;
  return put_message(stream, wayseal_v1_LossReport_buses_tag, wayseal_v1_BusLoss_fields, &message);
}

bool put_range(pb_ostream_t& stream, const LossRange& range) {
  wayseal_v1_LossRange message = {};
  static_assert(sizeof(message.session_id) == SessionId::kSize, "as proto/record.options says");
  std::memcpy(message.session_id, range.session.data, SessionId::kSize);
  message.first = range.first;
  message.last = range.last;
  message.count = range.count;
  message.cause = static_cast<wayseal_v1_LossRange_Cause>(range.cause);
  return put_message(stream, wayseal_v1_LossReport_ranges_tag, wayseal_v1_LossRange_fields, &message);
}

bool put_count(pb_ostream_t& stream, uint32_t tag, uint64_t count) {
  if (count == 0) return true;
  return pb_encode_tag(&stream, PB_WT_VARINT, tag) && pb_encode_varint(&stream, count);
}

}  // namespace

Result<size_t> encode_loss_report(const LossReport& report, MutableBytes out, size_t& ranges_coded) {
  if (out.size() < loss_report_size_max(report.ranges.empty() ? 0 : 1, report.buses.size())) {
    return Status::kBufferTooSmall;
  }
  pb_ostream_t stream = pb_ostream_from_buffer(out.data(), out.size());
  // Ranges come last on the wire, so that they can fill what is left; protobuf leaves the order open.
  bool good = put_count(stream, wayseal_v1_LossReport_batches_dropped_tag, report.batches_dropped) &&
              put_count(stream, wayseal_v1_LossReport_samples_dropped_tag, report.samples_dropped) &&
              pb_encode_tag(&stream, PB_WT_64BIT, wayseal_v1_LossReport_epoch_tag) &&
              pb_encode_fixed64(&stream, &report.epoch);
  for (const BusLoss& bus : report.buses) good = good && put_bus(stream, bus);
  size_t coded = 0;
  while (good && coded < report.ranges.size() &&
         out.size() - stream.bytes_written >= loss_report_size_max(1, 0) - 31) {
    good = put_range(stream, report.ranges[coded++]);
  }
  if (!good) return Status::kBufferTooSmall;
  ranges_coded = coded;
  return stream.bytes_written;
}

}  // namespace wayseal
