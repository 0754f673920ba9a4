// SPDX-License-Identifier: Apache-2.0
#include "table_probe.hpp"

namespace wayseal::fuzz {
namespace {

constexpr uint16_t kMessagesMax = 12;  // probed at every length; the rest only whole

std::vector<Decoded> decode_all(const SignalTable& table, const CanFrame& frame) {
  // On the heap, so that a sanitizer sees a step out of the frame.
  const auto copy = std::make_unique<CanFrame>(frame);
  DecodedFrame sink(table);
  const Status status = decode(table, *copy, sink);
  require(status == Status::kOk || status == Status::kNotFound, "decode finds a message or does not");
  require(status == Status::kOk || sink.samples.empty(), "no samples without a message");
  return sink.samples;
}

void probe_value(const SignalTable& table, const Decoded& sample) {
  const unsigned width = table.width(sample.signal);
  require(width >= 1 && width <= 64, "a signal has 1 to 64 bits");
  if (width < 64) {
    const uint64_t above = sample.raw >> (width - 1);
    const bool negative = table.type(sample.signal) == SignalType::kSigned && (above & 1U) != 0;
    require(negative ? above == (~uint64_t{0} >> (width - 1)) : (above >> 1) == 0,
            "a raw value keeps to its width");
  }
  static_cast<void>(physical(table, sample.signal, sample.raw));
}

void probe_texts(const SignalTable& table, Bytes bytes, Bytes data) {
  require(inside(table.name(), bytes), "the name lies in the table");
  for (uint16_t i = 0; i < table.bus_count(); ++i)
    require(inside(table.bus_name(i), bytes), "so does a bus name");
  for (uint16_t i = 0; i < table.message_count(); ++i) {
    require(inside(table.message_name(i), bytes), "so does a message's name");
  }
  const uint64_t raw = data.empty() ? 0 : data[0];
  for (uint16_t i = 0; i < table.signal_count(); ++i) {
    require(inside(table.signal_name(i), bytes), "so does a signal's name");
    require(inside(table.signal_unit(i), bytes), "so does a unit");
    require(inside(table.value_text(i, raw), bytes), "so does a value's text");
    static_cast<void>(table.signal_limits(i));
    static_cast<void>(table.rule(i));
  }
}

}  // namespace

CanFrame frame_of(const SignalTable& table, uint16_t index, Bytes data, uint8_t length, uint8_t tail) {
  const MessageInfo info = table.message(index);
  CanFrame frame;
  frame.id = info.id;
  frame.bus = info.bus;
  frame.flags = info.extended() ? uint8_t{CanFrame::kExtendedId} : uint8_t{0};
  frame.length = length;
  std::memset(frame.data, tail, sizeof frame.data);
  const Bytes held = data.first(length);
  if (!held.empty()) std::memcpy(frame.data, held.data(), held.size());
  return frame;
}

std::vector<Decoded> probe_frame(const SignalTable& table, uint16_t index, Bytes data, uint8_t length) {
  const CanFrame frame = frame_of(table, index, data, length, 0);
  const std::vector<Decoded> samples = decode_all(table, frame);
  // With data shorter than the frame, the frame's own bytes would change with the tail.
  if (data.size() >= length) {
    require(samples == decode_all(table, frame_of(table, index, data, length, 0xFF)),
            "bytes behind a frame's length have no influence");
  }
  for (const Decoded& sample : samples) {
    const uint8_t needed = table.geometry_record(sample.signal)[table_format::geometry::kNeeded];
    require(needed <= length, "a signal that the frame does not hold whole does not come");
    probe_value(table, sample);
  }
  return samples;
}

void probe_table(const SignalTable& table, Bytes bytes, Bytes data) {
  for (uint16_t i = 0; i < table.message_count(); ++i) {
    const MessageInfo info = table.message(i);
    require(info.length <= kCanDataMax, "a message has at most 64 bytes");
    require(table.find_message(frame_of(table, i, data, 0, 0)).ok(), "every message is found");
    if (i >= kMessagesMax) {
      probe_frame(table, i, data, info.length);
      continue;
    }
    for (uint8_t length = 0; length <= kCanDataMax; ++length) probe_frame(table, i, data, length);
  }
  Input ids(data.data(), data.size());
  for (int i = 0; i < 16; ++i) {
    CanFrame frame;
    frame.id = ids.u32();
    frame.flags = (frame.id >> 31) != 0 ? uint8_t{CanFrame::kExtendedId} : uint8_t{0};
    frame.bus = static_cast<uint8_t>(i);
    frame.length = static_cast<uint8_t>(kCanDataMax);
    decode_all(table, frame);
  }
  probe_texts(table, bytes, data);
}

}  // namespace wayseal::fuzz
