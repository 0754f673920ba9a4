// SPDX-License-Identifier: Apache-2.0
/// \file
/// From physical values to frames, by what a DBC says: the opposite of wayseal::decode.
#ifndef WAYSEAL_OEM_DRIVE_ENCODER_HPP
#define WAYSEAL_OEM_DRIVE_ENCODER_HPP

#include <string>

#include "dbc/model.hpp"

namespace wayseal::oem {

/// Puts a raw value into `data`, leaving the bits of others alone. `data` must hold the whole signal.
void put_raw(const DbcSignal& signal, uint64_t raw, MutableBytes data);

/// The raw value next to a physical one; values that the signal can't hold become its nearest end.
uint64_t raw_of(const DbcSignal& signal, double physical);

/// Builds frames of one message.
class FrameEncoder {
 public:
  /// \throw std::out_of_range when the file has no such message.
  FrameEncoder(const DbcFile& dbc, const std::string& message, uint8_t bus);

  /// Sets a signal. \throw std::out_of_range when the message has no such signal.
  FrameEncoder& set(const std::string& signal, double physical);
  /// The frame with what was set since the last call; the rest is 0.
  CanFrame take(int64_t time_ns);

 private:
  const DbcMessage& message_;
  CanFrame frame_;
};

}  // namespace wayseal::oem

#endif
