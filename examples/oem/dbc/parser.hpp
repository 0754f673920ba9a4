// SPDX-License-Identifier: Apache-2.0
/// \file
/// DBC files as tools and vehicles really have them.
#ifndef WAYSEAL_OEM_DBC_PARSER_HPP
#define WAYSEAL_OEM_DBC_PARSER_HPP

#include <string>
#include <string_view>

#include "dbc/model.hpp"

namespace wayseal::oem {

/// Reads a DBC text.
///
/// What can't be read is an error and ends it: a missing bracket, a number out of range, a string without end.
/// What can be read but can't be meant costs only the signal or message it is about, with a warning: a signal
/// that lies outside its message, a second message with the same identifier, a message longer than a CAN FD
/// frame, a multiplexed signal without a switch. Sections that are well-formed but unknown are skipped with a
/// warning.
///
/// J1939: a message with a 29-bit identifier matches by parameter group when its VFrameFormat is "J1939PG"; in
/// a file without VFrameFormat, when the file's ProtocolType is "J1939".
///
/// \param file the name in errors and warnings.
/// \throw DbcError
DbcFile parse_dbc(std::string_view text, const std::string& file);

/// Reads a DBC file. \throw DbcError; std::runtime_error when it cannot be opened or read.
DbcFile read_dbc(const std::string& path);

}  // namespace wayseal::oem

#endif
