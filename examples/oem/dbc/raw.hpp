// SPDX-License-Identifier: Apache-2.0
/// \file
/// Between the sections of a DBC file, which refer to each other by name, and the model.
#ifndef WAYSEAL_OEM_DBC_RAW_HPP
#define WAYSEAL_OEM_DBC_RAW_HPP

#include <map>
#include <string>
#include <vector>

#include "dbc/model.hpp"

namespace wayseal::oem {

/// The message number of BO_: the identifier, bit 31 set for 29 bits.
using RawId = uint32_t;

/// Something said about a signal elsewhere than in its SG_ line.
struct SignalRef {
  RawId message = 0;
  std::string signal;
  size_t line = 0;
};

/// SG_MUL_VAL_: extended multiplexing.
struct RawMux {
  SignalRef signal;
  std::string selector;
  std::vector<MuxRange> ranges;
};

/// SIG_VALTYPE_: 1 float, 2 double.
struct RawValueType {
  SignalRef signal;
  uint64_t type = 0;
};

/// VAL_ of a signal.
struct RawValues {
  SignalRef signal;
  std::vector<ValueText> values;
};

/// BA_ value: a text, or a number with its text.
struct RawAttribute {
  std::string text;
  bool is_number = false;
  double number = 0;
};

/// Everything of a file that has a meaning for collecting.
struct RawFile {
  DbcFile dbc;
  std::map<RawId, size_t> message_of;  ///< Index into dbc.messages.
  std::vector<RawMux> muxes;
  std::vector<RawValueType> value_types;
  std::vector<RawValues> values;
  std::map<std::string, std::vector<std::string>> enums;   ///< Attribute to the texts of its values.
  std::map<std::string, RawAttribute> defaults;            ///< BA_DEF_DEF_
  std::map<std::string, RawAttribute> network_attributes;  ///< BA_ without an object.
  std::map<std::string, std::map<RawId, RawAttribute>> message_attributes;
  std::map<std::string, std::vector<std::pair<SignalRef, RawAttribute>>> signal_attributes;

  void warn(size_t line, std::string text) { dbc.warnings.push_back({dbc.file, line, std::move(text)}); }
};

/// Joins what the sections say, checks it and leaves out what can't be. \throw DbcError
DbcFile resolve(RawFile raw);

}  // namespace wayseal::oem

#endif
