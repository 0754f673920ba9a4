// SPDX-License-Identifier: Apache-2.0
/// \file
/// The floor for decoding: the shortest table-driven loop that somebody would write for trusted input. One lookup by
/// identifier, then for each signal load, shift, mask, extend the sign, multiply and add, store.
#ifndef WAYSEAL_TESTS_BENCH_FLOOR_DECODER_HPP
#define WAYSEAL_TESTS_BENCH_FLOOR_DECODER_HPP

#include <map>
#include <string>
#include <vector>

#include "dbc/model.hpp"
#include "wayseal/signal/signal_table.hpp"

namespace wayseal::bench {

/// Made from the DBC's own model, not from our table, which gives the order of the output only. Messages with
/// multiplexers or more than 8 bytes are not taken: the floor has no loop for them.
class FloorDecoder {
 public:
  FloorDecoder(const oem::DbcFile& dbc, const SignalTable& order);

  /// \return whether the identifier is known.
  template <bool kPhysical, class Value>
  bool decode(const CanFrame& frame, Value* out) const {
    const Message* message = find(frame.id | (frame.extended() ? kExtended : 0U));
    if (message == nullptr) return false;
    const uint64_t words[2] = {load_le64(frame.data), load_be64(frame.data)};
    const Signal* signal = message->signals;
    for (const Signal* const end = signal + message->count; signal != end; ++signal) {
      uint64_t raw = (words[signal->order] >> signal->shift) & signal->mask;
      raw = (raw ^ signal->sign) - signal->sign;
      if constexpr (kPhysical) {
        out[signal->index] = static_cast<double>(static_cast<int64_t>(raw)) * signal->scale + signal->offset;
      } else {
        out[signal->index] = raw;
      }
    }
    return true;
  }

  size_t messages_left_out() const { return left_out_; }

 private:
  static constexpr uint32_t kExtended = 0x80000000U;
  static constexpr uint32_t kFree = 0xFFFFFFFFU;

  struct Signal {
    uint64_t mask;
    uint64_t sign;  // the sign bit; 0 for unsigned
    double scale;
    double offset;
    uint16_t index;
    uint8_t shift;
    uint8_t order;  // 0: Intel, 1: Motorola
  };
  struct Message {
    const Signal* signals = nullptr;
    size_t count = 0;
  };
  struct Slot {
    uint32_t key = kFree;
    Message message;
  };

  uint32_t home(uint32_t key) const { return (key * multiplier_) >> shift_; }
  const Message* find(uint32_t key) const {
    for (uint32_t at = home(key);; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at].message;
      if (slots_[at].key == kFree) return nullptr;
    }
  }
  bool spreads(const std::vector<uint32_t>& keys) const;
  static bool fits(const oem::DbcMessage& message);
  static Signal plan(const oem::DbcSignal& signal, uint16_t index);

  std::vector<Signal> signals_;
  std::vector<Slot> slots_;
  uint32_t multiplier_ = 0x9E3779B1U;
  unsigned shift_ = 31;
  uint32_t mask_ = 1;
  size_t left_out_ = 0;
};

}  // namespace wayseal::bench

#endif
