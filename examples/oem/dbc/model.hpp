// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a DBC file says about frames, as far as collecting needs it.
#ifndef WAYSEAL_OEM_DBC_MODEL_HPP
#define WAYSEAL_OEM_DBC_MODEL_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "wayseal/signal/signal_table.hpp"

namespace wayseal::oem {

/// A remark about one line of a file, printed as "file:line: warning: text".
struct Diagnostic {
  std::string file;
  size_t line = 0;
  std::string text;
};

/// "file:line: warning: text".
std::string to_string(const Diagnostic& diagnostic);

/// A file that can't be used. what() is "file:line: error: text".
class DbcError : public std::runtime_error {
 public:
  DbcError(const std::string& file, size_t line, const std::string& text)
      : std::runtime_error(file + ":" + std::to_string(line) + ": error: " + text), line_(line) {}
  size_t line() const { return line_; }

 private:
  size_t line_;
};

/// An inclusive interval of multiplexer values.
struct MuxRange {
  uint64_t low = 0;
  uint64_t high = 0;
};

/// One entry of a value table.
struct ValueText {
  int64_t value = 0;
  std::string text;
};

struct DbcSignal {
  std::string name;        ///< The long name when the file gives one.
  std::string short_name;  ///< As in the SG_ line; what the file's other sections refer to.
  size_t line = 0;
  uint16_t start_bit = 0;  ///< As in the file: the lowest bit (Intel) or the highest (Motorola).
  uint16_t width = 0;      ///< 1 to 64.
  bool motorola = false;
  SignalType type = SignalType::kUnsigned;
  double scale = 1;
  double offset = 0;
  double minimum = 0;
  double maximum = 0;
  std::string unit;
  bool is_selector = false;           ///< Marked M, or named as a switch by SG_MUL_VAL_.
  std::optional<uint64_t> mux_value;  ///< The k of m<k>.
  std::string mux_parent;             ///< Short name of the switch that opens this signal; empty: always there.
  std::vector<MuxRange> mux_ranges;   ///< Values that open it.
  std::vector<ValueText> values;
};

struct DbcMessage {
  std::string name;
  std::string short_name;
  size_t line = 0;
  uint32_t id = 0;  ///< Without flag bits.
  bool extended = false;
  bool fd = false;
  bool j1939 = false;
  uint8_t length = 0;  ///< 0 to 64.
  uint32_t cycle_ms = 0;
  std::vector<DbcSignal> signals;
};

struct DbcFile {
  std::string file;     ///< For messages to people.
  std::string version;  ///< Of the VERSION line.
  std::vector<DbcMessage> messages;
  std::vector<Diagnostic> warnings;  ///< What was left out, and why.
};

/// Whole bytes that a frame must have to hold the signal.
size_t needed_bytes(const DbcSignal& signal);

}  // namespace wayseal::oem

#endif
