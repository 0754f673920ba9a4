// SPDX-License-Identifier: Apache-2.0
#include "wayseal/hal/firmware_slot.hpp"

namespace wayseal {
namespace {

// Written so that offset + size cannot overflow.
bool inside(uint64_t offset, size_t size, uint64_t capacity) {
  return offset <= capacity && size <= capacity - offset;
}

}  // namespace

Status FirmwareSlot::write(uint64_t offset, Bytes data) {
  if (!inside(offset, data.size(), capacity())) return Status::kInvalidArgument;
  return data.empty() ? Status::kOk : do_write(offset, data);
}

Status FirmwareSlot::read(uint64_t offset, MutableBytes out) {
  if (!inside(offset, out.size(), capacity())) return Status::kInvalidArgument;
  return out.empty() ? Status::kOk : do_read(offset, out);
}

}  // namespace wayseal
