// SPDX-License-Identifier: Apache-2.0
/// \file
/// Driver filters that let pass what a table knows.
#ifndef WAYSEAL_SIGNAL_FILTERS_HPP
#define WAYSEAL_SIGNAL_FILTERS_HPP

#include "wayseal/signal/signal_table.hpp"

namespace wayseal {

/// One filter for each message of the table, for CanBus::set_filters. J1939 messages give the mask of their
/// parameter group.
/// \param out at least table.message_count() elements.
/// \return how many were written; kBufferTooSmall.
Result<size_t> make_filters(const SignalTable& table, Span<CanFilter> out);

}  // namespace wayseal

#endif
