// SPDX-License-Identifier: Apache-2.0
#include "wayseal/template/my_firmware_slot.hpp"

namespace wayseal {

// FILL IN: bytes of the inactive slot.
uint64_t MyFirmwareSlot::do_capacity() const { return 0; }

// FILL IN: the running image is never touched.
Status MyFirmwareSlot::do_write(uint64_t /*offset*/, Bytes /*data*/) { return Status::kUnsupported; }

Status MyFirmwareSlot::do_read(uint64_t /*offset*/, MutableBytes /*out*/) { return Status::kUnsupported; }

// FILL IN: boot it once, on trial.
Status MyFirmwareSlot::do_activate() { return Status::kUnsupported; }

Status MyFirmwareSlot::do_confirm() { return Status::kBadState; }

Status MyFirmwareSlot::do_roll_back() { return Status::kUnsupported; }

}  // namespace wayseal
