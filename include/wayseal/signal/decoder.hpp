// SPDX-License-Identifier: Apache-2.0
/// \file
/// From a frame to raw signal values.
#ifndef WAYSEAL_SIGNAL_DECODER_HPP
#define WAYSEAL_SIGNAL_DECODER_HPP

#include <type_traits>
#include <utility>

#include "wayseal/signal/signal_table.hpp"

namespace wayseal {

namespace detail {

/// The beginning of a frame as a number in either byte order. GeometryKind's kMotorola is the index.
struct FrontBytes {
  explicit FrontBytes(const uint8_t* data) : words{load_le64(data), load_be64(data)} {}
  uint64_t words[2];
};

/// Signals beyond the first 8 bytes: only in CAN FD frames, and kept out of the loop.
uint64_t extract_far(const uint8_t* geometry, const uint8_t* data);

/// The raw value of one signal. Reads within `data[0..63]` whatever the frame's length: `load` has checked
/// that.
inline uint64_t extract(const uint8_t* geometry, const FrontBytes& front, const uint8_t* data) {
  namespace fmt = table_format::geometry;
  const size_t kind = geometry[fmt::kKind];
  if (kind <= fmt::kMotorola) return front.words[kind] << geometry[fmt::kLeft] >> geometry[fmt::kRight];
  if (kind >= fmt::kFar) return extract_far(geometry, data);
  // Every compiler that this library is built with shifts negative numbers arithmetically, as C++20 demands.
  const uint64_t bits = front.words[kind - fmt::kSigned] << geometry[fmt::kLeft];
  return static_cast<uint64_t>(static_cast<int64_t>(bits) >> geometry[fmt::kRight]);
}

/// Walks the groups of one message whose conditions hold, parents before children. 176 bytes.
class GroupWalk {
 public:
  GroupWalk(const SignalTable& table, const FrontBytes& front, const CanFrame& frame, uint16_t root)
      : table_(table), front_(front), frame_(frame) {
    enter(root);
  }

  /// \return the next group; kNotFound after the last.
  Result<uint16_t> next();

 private:
  struct Level {
    uint16_t selector;  ///< The next selector to look at.
    uint16_t selector_end;
    uint16_t mux_case;  ///< The next case of the selector before; case_end when none is left.
    uint16_t case_end;
    uint64_t value;  ///< Of the selector before.
  };

  void enter(uint16_t group);
  void find_cases(Level& level) const;

  const SignalTable& table_;
  const FrontBytes& front_;
  const CanFrame& frame_;
  size_t depth_ = 0;
  Level levels_[kMuxDepthMax + 1];
};

}  // namespace detail

/// The signals of one group in one frame, for a sink that takes groups whole. Alive during the sink's call.
class DecodedGroup {
 public:
  DecodedGroup(const SignalTable& table, uint16_t index, const GroupInfo& info, const detail::FrontBytes& front,
               const CanFrame& frame)
      : geometry_(table.geometry_record(info.first_signal)),
        front_(front),
        frame_(frame),
        index_(index),
        first_signal_(info.first_signal),
        signal_count_(info.signal_count) {}

  uint16_t index() const { return index_; }
  uint16_t first_signal() const { return first_signal_; }
  /// At least 1.
  uint16_t signal_count() const { return signal_count_; }
  /// Bytes of the frame.
  uint8_t length() const { return frame_.length; }
  /// Whether the frame holds signal `first_signal() + i` whole.
  bool holds(size_t i) const { return record(i)[table_format::geometry::kNeeded] <= frame_.length; }
  /// The raw value of signal `first_signal() + i`, as `decode` gives it; only when the frame holds it.
  uint64_t raw(size_t i) const { return detail::extract(record(i), front_, frame_.data); }

 private:
  const uint8_t* record(size_t i) const { return geometry_ + i * table_format::geometry::kSize; }

  const uint8_t* geometry_;
  const detail::FrontBytes& front_;
  const CanFrame& frame_;
  uint16_t index_;
  uint16_t first_signal_;
  uint16_t signal_count_;
};

namespace detail {

template <class Sink, class = void>
struct TakesGroups : std::false_type {};
template <class Sink>
struct TakesGroups<Sink,
                   std::void_t<decltype(std::declval<Sink&>().group(std::declval<const DecodedGroup&>()))>>
    : std::true_type {};

template <class Sink>
inline void decode_group(const SignalTable& table, uint16_t index, const FrontBytes& front,
                         const CanFrame& frame, Sink& sink) {
  const GroupInfo info = table.group(index);
  if (info.signal_count == 0) return;
  const DecodedGroup group(table, index, info, front, frame);
  if constexpr (TakesGroups<Sink>::value) {
    sink.group(group);
  } else {
    sink.begin_group(index);
    for (size_t i = 0; i < info.signal_count; ++i) {
      if (group.holds(i)) sink.sample(static_cast<uint16_t>(info.first_signal + i), group.raw(i));
    }
    sink.end_group(index);
  }
}

/// The groups that have a condition. A function of its own, so that messages without any don't pay for its
/// stack.
template <class Sink>
[[gnu::noinline]] void decode_conditional(const SignalTable& table, uint16_t root, const FrontBytes& front,
                                          const CanFrame& frame, Sink& sink) {
  GroupWalk walk(table, front, frame, root);
  for (Result<uint16_t> group = walk.next(); group.ok(); group = walk.next()) {
    decode_group(table, group.value(), front, frame, sink);
  }
}

}  // namespace detail

/// Decodes one frame. For each group of its message whose multiplexer condition holds and which has signals:
/// `sink.begin_group(uint16_t group)`, then `sink.sample(uint16_t signal, uint64_t raw)` for each signal that
/// the received bytes hold whole, in the table's order, then `sink.end_group(uint16_t group)`. Groups do not
/// nest; the group without condition comes first. What a short frame does not hold is not produced, nor is what
/// depends on a multiplexer switch that it does not hold or whose value is not declared. A longer frame than
/// declared is fine.
///
/// \param sink any type with these three functions, which are inlined; or with one in their place,
///        `sink.group(const DecodedGroup&)`, which takes from the group what it wants.
/// raw: integers sign-extended to 64 bits; floats as their bit pattern (see SignalType).
/// \return kOk; kNotFound when the table has no such message: count it.
/// Blocking: never. Interrupts: allowed when the sink allows it. Stack on a Cortex-M4, besides the sink's: 360
/// bytes for a message with multiplexers, 150 for others.
template <class Sink>
Status decode(const SignalTable& table, const CanFrame& frame, Sink& sink) {
  const Result<uint16_t> message = table.find_message(frame);
  if (!message.ok()) return message.status();
  const uint8_t* record = table.message_record(message.value());
  const uint16_t root = load_le16(record + table_format::message::kFirstGroup);
  const detail::FrontBytes front(frame.data);
  detail::decode_group(table, root, front, frame, sink);
  if (load_le16(record + table_format::message::kGroupCount) != 1) {
    detail::decode_conditional(table, root, front, frame, sink);
  }
  return Status::kOk;
}

}  // namespace wayseal

#endif
