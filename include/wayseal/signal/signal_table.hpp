// SPDX-License-Identifier: Apache-2.0
/// \file
/// Which frames carry which signals, where their bits are and when they are kept.
#ifndef WAYSEAL_SIGNAL_SIGNAL_TABLE_HPP
#define WAYSEAL_SIGNAL_SIGNAL_TABLE_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/hal/can_bus.hpp"
#include "wayseal/signal/table_format.hpp"

namespace wayseal {

/// Multiplexers inside multiplexers: groups open at most this deep below a message.
inline constexpr size_t kMuxDepthMax = 8;

/// What a signal's raw value is.
enum class SignalType : uint8_t {
  kUnsigned,  ///< An unsigned integer of 1 to 64 bits.
  kSigned,    ///< Two's complement of 1 to 64 bits, given sign-extended.
  kFloat,     ///< An IEEE 754 single, its bits in the lower half.
  kDouble,    ///< The bits of an IEEE 754 double.
};

/// A message of the table. 16 bytes.
struct MessageInfo {
  uint32_t id = 0;     ///< Without flag bits.
  uint8_t bus = 0;     ///< Index of its bus; 0 and without meaning when bus_count() is 0.
  uint8_t length = 0;  ///< Declared bytes, 0 to 64.
  uint8_t flags = 0;   ///< table_format::message::MessageFlag.
  uint16_t first_group = 0;
  uint16_t group_count = 0;  ///< At least 1; the first has no condition (and possibly no signals).
  uint32_t cycle_ms = 0;     ///< Declared cycle time; 0 when none is.

  bool extended() const { return (flags & table_format::message::kExtended) != 0; }
  bool fd() const { return (flags & table_format::message::kFd) != 0; }
  /// Matches by parameter group: priority, source and destination of `id` are not compared.
  bool j1939() const { return (flags & table_format::message::kJ1939) != 0; }
};

/// Signals of one message that are present together, consecutive in the table.
struct GroupInfo {
  uint16_t message = 0;
  uint16_t first_signal = 0;
  uint16_t signal_count = 0;
};

/// When a sample of a signal is kept.
struct SignalRule {
  uint32_t min_interval_ms = 0;  ///< At most one sample in this time; 0: no such limit.
  bool collected = false;        ///< false: decoded because a condition needs it, never kept.
  bool on_change = false;        ///< Only when the raw value differs from the last one kept.
};

/// Smallest and largest physical value by declaration; real frames may lie outside.
struct SignalLimits {
  double minimum = 0;
  double maximum = 0;
};

/// A view of a table's bytes, which are made by `wayseal-oem dbc` and used where they are: flash or a mapped
/// file. Nothing is copied. 112 bytes on a 64-bit host, 72 on a 32-bit MCU.
///
/// Indices: messages, groups and signals count from 0 to their count; an index outside is a mistake of the
/// caller and is not checked, since decode() runs through here for each frame. Indices from decode() are always
/// inside.
///
/// Threads: constant after `load`; any number of threads may read. Interrupts: reading is allowed. Blocking:
/// never.
class SignalTable {
 public:
  /// Checks everything: sizes, checksums, every index, every hash slot, the order of multiplexer conditions,
  /// and that no signal lies outside its message's declared length (invariant 11). Takes time in proportion to
  /// the table: about 20 instructions a byte.
  /// \param table must stay alive and unchanged for as long as this object is used. Bytes after the table are
  ///        refused; a table that ends exactly where its names begin is taken as one without names.
  /// \return kOk; kMalformed; kUnsupported for another version of the format. On failure the object is empty:
  ///         it has no messages and decodes nothing.
  Status load(Bytes table);

  /// The same for a table that is part of the firmware image, which was checked when the image was built and is as
  /// trustworthy as the code beside it: looks at sizes and checksums only, and saves the check's flash (2 KiB on a
  /// Cortex-M4). Never for what came from outside: an index in it is not checked, and decoding would follow it.
  /// \return as `load`.
  Status load_built_in(Bytes table);

  /// First 8 bytes of the SHA-256 of the core section, as a big-endian number: the batch's `table_id`. Not
  /// computed again here. 0 when nothing is loaded.
  uint64_t id() const { return id_; }
  /// The version number that the author gave.
  uint32_t version() const { return load_le32(core_ + table_format::core::kVersion); }
  /// The name that the author gave, UTF-8, at most 32 bytes; empty when nothing is loaded.
  Bytes name() const { return padded(core_ + table_format::core::kName, table_format::core::kNameSize); }

  uint16_t bus_count() const { return bus_count_; }
  uint16_t message_count() const { return message_count_; }
  uint16_t group_count() const { return group_count_; }
  uint16_t signal_count() const { return signal_count_; }

  /// The system's name of a bus ("can0"), for comparing with the CanBus port's order. `bus` below bus_count().
  /// A table without buses applies its messages to frames of every bus.
  Bytes bus_name(uint16_t bus) const {
    return padded(buses_ + static_cast<size_t>(bus) * table_format::kBusNameSize, table_format::kBusNameSize);
  }

  /// The message that a frame is: by bus, identifier and its width; J1939 messages by parameter group when no
  /// identifier is equal. One or two memory lookups, three for J1939.
  /// \return its index; kNotFound.
  Result<uint16_t> find_message(const CanFrame& frame) const {
    const uint32_t id = frame.id & kCanExtendedIdMax;
    const uint32_t kind = frame.extended() ? table_format::kExtendedKey : table_format::kStandardKey;
    const auto bus = static_cast<uint8_t>(frame.bus & bus_mask_);
    const uint16_t found = probe(kind | id, bus);
    if (found != table_format::slot::kNoMessage) return found;
    if ((flags_ & table_format::kHasJ1939) == 0 || !frame.extended()) return Status::kNotFound;
    return find_by_pgn(id, bus);
  }

  MessageInfo message(uint16_t index) const;

  GroupInfo group(uint16_t index) const {
    const uint8_t* p = group_record(index);
    return {load_le16(p + table_format::group::kMessage), load_le16(p + table_format::group::kFirstSignal),
            load_le16(p + table_format::group::kSignalCount)};
  }

  SignalRule rule(uint16_t signal) const {
    const uint8_t* p = value_record(signal);
    const uint8_t flags = p[table_format::value::kRule];
    return {load_le32(p + table_format::value::kMinInterval), (flags & table_format::value::kCollected) != 0,
            (flags & table_format::value::kOnChange) != 0};
  }

  SignalType type(uint16_t signal) const {
    return static_cast<SignalType>(value_record(signal)[table_format::value::kType]);
  }
  /// Bits of a signal, 1 to 64.
  uint8_t width(uint16_t signal) const {
    return static_cast<uint8_t>(64 - geometry_record(signal)[table_format::geometry::kRight]);
  }
  /// The group that a signal belongs to.
  uint16_t group_of(uint16_t signal) const {
    return load_le16(geometry_record(signal) + table_format::geometry::kGroup);
  }
  /// physical = raw * scale + offset.
  double scale(uint16_t signal) const;
  double offset(uint16_t signal) const;

  /// Whether the names section is there. Without it the texts below are empty.
  bool has_names() const { return names_ != nullptr; }
  Bytes message_name(uint16_t message) const;
  Bytes signal_name(uint16_t signal) const;
  Bytes signal_unit(uint16_t signal) const;
  /// \return kNotFound when none are declared or the table has no names.
  Result<SignalLimits> signal_limits(uint16_t signal) const;
  /// What the value table says about one raw value; empty when it says nothing.
  Bytes value_text(uint16_t signal, uint64_t raw) const;

  // For the decoder and the check of this table; the records are those of table_format.hpp.
  const uint8_t* message_record(uint16_t index) const {
    return messages_ + size_t{index} * table_format::message::kSize;
  }
  const uint8_t* group_record(uint16_t index) const {
    return groups_ + size_t{index} * table_format::group::kSize;
  }
  const uint8_t* selector_record(uint16_t index) const {
    return selectors_ + size_t{index} * table_format::selector::kSize;
  }
  const uint8_t* case_record(uint16_t index) const {
    return cases_ + size_t{index} * table_format::mux_case::kSize;
  }
  const uint8_t* geometry_record(uint16_t signal) const {
    return geometry_ + size_t{signal} * table_format::geometry::kSize;
  }
  const uint8_t* value_record(uint16_t signal) const {
    return values_ + size_t{signal} * table_format::value::kSize;
  }

 private:
  friend class TableCheck;

  static Bytes padded(const uint8_t* text, size_t size);
  Bytes text_at(const uint8_t* reference) const;
  const uint8_t* signal_names_record(uint16_t signal) const;
  Result<uint16_t> find_by_pgn(uint32_t id, uint8_t bus) const;

  const uint8_t* slot_record(uint32_t index) const {
    return slots_ + size_t{index} * table_format::slot::kSize;
  }

  /// Nearly always the first slot is the right one; the rest is out of the way of the hot loop.
  uint16_t probe(uint32_t key, uint8_t bus) const {
    const uint32_t home = table_format::home_slot(key, bus, hash_multiplier_, hash_shift_);
    const uint8_t* p = slot_record(home);
    if (load_le32(p + table_format::slot::kKey) == key && p[table_format::slot::kBus] == bus) {
      return load_le16(p + table_format::slot::kMessage);
    }
    if (load_le32(p + table_format::slot::kKey) == table_format::slot::kEmptyKey) {
      return table_format::slot::kNoMessage;
    }
    return probe_further(key, bus, home);
  }
  uint16_t probe_further(uint32_t key, uint8_t bus, uint32_t home) const;

  static const uint8_t kEmptyCore[table_format::core::kFixedSize + 2 * table_format::slot::kSize];

  const uint8_t* core_ = kEmptyCore;
  const uint8_t* slots_ = kEmptyCore + table_format::core::kFixedSize;
  const uint8_t* geometry_ = nullptr;
  const uint8_t* messages_ = nullptr;
  const uint8_t* groups_ = nullptr;
  const uint8_t* selectors_ = nullptr;
  const uint8_t* cases_ = nullptr;
  const uint8_t* values_ = nullptr;
  const uint8_t* buses_ = nullptr;
  const uint8_t* names_ = nullptr;
  uint64_t id_ = 0;
  uint32_t hash_multiplier_ = 1;
  uint16_t bus_count_ = 0;
  uint16_t message_count_ = 0;
  uint16_t group_count_ = 0;
  uint16_t selector_count_ = 0;
  uint16_t case_count_ = 0;
  uint16_t signal_count_ = 0;
  uint8_t hash_shift_ = 31;
  uint8_t flags_ = 0;
  uint8_t bus_mask_ = 0;
};

/// The value that a raw value stands for: raw * scale + offset, in the signal's unit.
/// \param raw as `decode` gives it.
double physical(const SignalTable& table, uint16_t signal, uint64_t raw);

}  // namespace wayseal

#endif
