// SPDX-License-Identifier: Apache-2.0
/// \file
/// A table for people.
#ifndef WAYSEAL_OEM_DBC_LISTING_HPP
#define WAYSEAL_OEM_DBC_LISTING_HPP

#include <cstdint>
#include <ostream>
#include <vector>

namespace wayseal::oem {

/// Prints messages, groups and signals of a table. \throw std::runtime_error when the bytes are no table.
void list_table(const std::vector<uint8_t>& bytes, std::ostream& out);

}  // namespace wayseal::oem

#endif
