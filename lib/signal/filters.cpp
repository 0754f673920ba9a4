// SPDX-License-Identifier: Apache-2.0
#include "wayseal/signal/filters.hpp"

namespace wayseal {

Result<size_t> make_filters(const SignalTable& table, Span<CanFilter> out) {
  if (out.size() < table.message_count()) return Status::kBufferTooSmall;
  for (uint16_t i = 0; i < table.message_count(); ++i) {
    const MessageInfo message = table.message(i);
    CanFilter& filter = out[i];
    filter.id = message.id;
    filter.extended = message.extended();
    filter.mask = message.extended() ? kCanExtendedIdMax : kCanStandardIdMax;
    if (message.j1939()) {
      // Priority and source address are free, and so is the destination of a PDU1 group (SAE J1939-21, 5.1.2).
      const bool addressed = ((message.id >> 16) & 0xFFU) < 240U;
      filter.mask = addressed ? 0x03FF0000U : 0x03FFFF00U;
      filter.id &= filter.mask;
    }
    filter.bus = table.bus_count() == 0 ? CanFilter::kEveryBus : message.bus;
  }
  return size_t{table.message_count()};
}

}  // namespace wayseal
