// SPDX-License-Identifier: Apache-2.0
/// \file
/// records.dbc as a signal table: byte orders, signs, floats, multiplexers in two levels, CAN FD, J1939, both rules.
#ifndef WAYSEAL_TESTS_RECORDS_RECORD_TABLE_HPP
#define WAYSEAL_TESTS_RECORDS_RECORD_TABLE_HPP

#include <cstddef>
#include <cstdint>

namespace wayseal::records {

extern const uint8_t kTable[];
extern const size_t kTableSize;
inline constexpr size_t kTableGroups = 13;
inline constexpr size_t kTableSignals = 26;

}  // namespace wayseal::records

#endif
