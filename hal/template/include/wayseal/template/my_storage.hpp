// SPDX-License-Identifier: Apache-2.0
/// \file
/// Storage port to fill in: raw NOR flash, or anything that can pretend to be.
#ifndef WAYSEAL_HAL_TEMPLATE_MY_STORAGE_HPP
#define WAYSEAL_HAL_TEMPLATE_MY_STORAGE_HPP

#include "wayseal/hal/storage.hpp"

namespace wayseal {

/// FILL IN: the part, its blocks, who else writes to the chip.
///
/// One object an area, one user an area: the spool and the state store each have one. The contract's own half has checked ranges and
/// alignment before these are called.
class MyStorage final : public Storage {
 private:
  StorageGeometry do_geometry() const override;
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override;
};

}  // namespace wayseal

#endif
