// SPDX-License-Identifier: Apache-2.0
/// \file
/// A DBC taken all the way that a vehicle takes it, and a second decoder that shares no code with the first.
#ifndef WAYSEAL_TESTS_VECTORS_DECODING_HPP
#define WAYSEAL_TESTS_VECTORS_DECODING_HPP

#include <map>
#include <string>
#include <vector>

#include "dbc/model.hpp"
#include "wayseal/signal/decoder.hpp"

namespace wayseal::vectors {

struct DecodedSignal {
  uint64_t raw = 0;
  SignalType type = SignalType::kUnsigned;
  double physical = 0;
};

struct DecodedFrame {
  std::string message;
  std::map<std::string, DecodedSignal> signals;
};

/// DBC, table, load, decode.
class LoadedDbc {
 public:
  /// \throw oem::DbcError, std::runtime_error
  explicit LoadedDbc(const std::string& path);
  LoadedDbc(const LoadedDbc&) = delete;
  LoadedDbc& operator=(const LoadedDbc&) = delete;

  /// \return kNotFound when no message fits.
  Status decode(const CanFrame& frame, DecodedFrame& out) const;
  /// What a decoder that goes bit by bit through the DBC itself makes of it; raw values only.
  std::map<std::string, uint64_t> decode_slowly(const std::string& message_name, const CanFrame& frame) const;

 private:
  oem::DbcFile dbc_;
  std::vector<uint8_t> bytes_;
  SignalTable table_;
};

/// "0112a3" to bytes. \return false unless there are up to 64 whole bytes in hexadecimal.
bool parse_hex(const std::string& hex, CanFrame& frame);
/// A line of `candump -L`. \return false when it is none of a data frame.
bool parse_candump(const std::string& line, CanFrame& frame, std::string& bus);

/// The lines of a text file, which may be compressed with xz. \throw std::runtime_error
std::vector<std::string> read_lines(const std::string& path);

/// Equal but for rounding: relative 1e-9, or both NaN.
bool close_enough(double a, double b);

}  // namespace wayseal::vectors

#endif
