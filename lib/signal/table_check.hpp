// SPDX-License-Identifier: Apache-2.0
/// \file
/// The whole check of a table, which lets the decoder trust it.
#ifndef WAYSEAL_LIB_SIGNAL_TABLE_CHECK_HPP
#define WAYSEAL_LIB_SIGNAL_TABLE_CHECK_HPP

#include "wayseal/signal/signal_table.hpp"

namespace wayseal {

/// Places a SignalTable over bytes and checks every record, each section in terms of those checked before it.
class TableCheck {
 public:
  explicit TableCheck(SignalTable& table) : table_(table) {}
  /// Sizes and checksums: the table is placed.
  Status lay_out(Bytes bytes);
  /// Everything.
  Status run(Bytes bytes);

 private:
  Status header(Bytes bytes);
  Status place(Bytes core);
  Status messages() const;
  Status message(uint16_t index, uint32_t& groups) const;
  Status groups() const;
  Status group(uint16_t index, uint32_t& signals, uint32_t& selectors) const;
  Status parent(uint16_t index) const;
  Status selectors() const;
  Status cases(uint16_t selector) const;
  Status signals() const;
  Status signal(uint16_t index) const;
  Status slots() const;
  Status slot(uint32_t index) const;
  Status names() const;
  Status text(const uint8_t* reference, const uint8_t* texts) const;

  SignalTable& table_;
  Bytes core_;
  Bytes names_;
};

}  // namespace wayseal

#endif
