// SPDX-License-Identifier: Apache-2.0
/// \file
/// Contract: where a new firmware image goes. Declared here; its first user is the Updater.
#ifndef WAYSEAL_HAL_FIRMWARE_SLOT_HPP
#define WAYSEAL_HAL_FIRMWARE_SLOT_HPP

#include "wayseal/core/bytes.hpp"
#include "wayseal/core/result.hpp"

namespace wayseal {

/// The inactive half of an A/B pair. Writing never touches the running image.
///
/// Threads: one thread, the cloud side's. Blocking: for as long as the medium takes.
class FirmwareSlot {
 public:
  /// Bytes that the inactive slot holds at most.
  uint64_t capacity() const { return do_capacity(); }
  /// Writes part of the image. \return kOk; kInvalidArgument beyond the capacity; kStorageFailed.
  Status write(uint64_t offset, Bytes data);
  /// Reads back what was written. \return kOk; kInvalidArgument; kStorageFailed.
  Status read(uint64_t offset, MutableBytes out);
  /// Makes the inactive slot the one to boot once, on trial. The caller has verified it.
  Status activate() { return do_activate(); }
  /// Keeps the running image after a trial boot. \return kOk; kBadState when none is on trial.
  Status confirm() { return do_confirm(); }
  /// Goes back to the other image at the next boot.
  Status roll_back() { return do_roll_back(); }

 protected:
  ~FirmwareSlot() = default;

 private:
  virtual uint64_t do_capacity() const = 0;
  virtual Status do_write(uint64_t offset, Bytes data) = 0;
  virtual Status do_read(uint64_t offset, MutableBytes out) = 0;
  virtual Status do_activate() = 0;
  virtual Status do_confirm() = 0;
  virtual Status do_roll_back() = 0;
};

}  // namespace wayseal

#endif
