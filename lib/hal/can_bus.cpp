// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/can_bus.hpp"

namespace wayseal {

Status CanBus::set_filters(Span<const CanFilter> filters) { return do_set_filters(filters); }

Result<size_t> CanBus::receive(Span<CanFrame> frames) {
  if (frames.empty()) return Status::kInvalidArgument;
  return do_receive(frames);
}

}  // namespace wayseal
