// SPDX-License-Identifier: Apache-2.0
/// \file
/// FirmwareSlot port to fill in. Nothing uses it yet: the updater will.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_FIRMWARE_SLOT_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_FIRMWARE_SLOT_HPP

#include "wayseal/hal/firmware_slot.hpp"

namespace wayseal {

/// FILL IN: the two slots, and who decides which one is booted.
class MyFirmwareSlot final : public FirmwareSlot {
 private:
  uint64_t do_capacity() const override;
  Status do_write(uint64_t offset, Bytes data) override;
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_activate() override;
  Status do_confirm() override;
  Status do_roll_back() override;
};

}  // namespace wayseal

#endif
