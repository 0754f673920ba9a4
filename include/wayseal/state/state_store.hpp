// SPDX-License-Identifier: Apache-2.0
/// \file
/// Small values that must survive a power cut whole: counters, floors, prekeys and their use.
#ifndef WAYSEAL_STATE_STATE_STORE_HPP
#define WAYSEAL_STATE_STATE_STORE_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/hal/storage.hpp"

namespace wayseal {

/// Names of the values. The numbers are stored: never reuse one for another meaning.
enum class StateItem : uint8_t {
  kSessionCounter = 1,   ///< u64: grows with every session of this vehicle.
  kTimeFloor = 2,        ///< i64: trusted UTC never goes below it, in ms.
  kPrekeyBundle = 3,     ///< The signed bundle, as received.
  kPrekeyUse = 4,        ///< Which prekeys of the bundle are used up.
  kPreviousSession = 5,  ///< Id of the session before this one.
  kPolicy = 6,           ///< Crypto policy in force.
  kIdentityPlaces = 7,   ///< Which of the token's places each identity key is in.
  kGatewayAnchors = 8,   ///< Authorities of the gateways, as the data root vouches for them.
};

/// Item numbers are below this.
inline constexpr size_t kStateItemsMax = 16;

/// Largest value in bytes: a full signed prekey bundle with its chain.
inline constexpr size_t kStateValueMax = (kPrekeysMax + 1) * 96 + kChainMax * kCertificateMax + 512;

/// Keeps the newest value of each item in one Storage area. The area is cut into two halves of whole blocks.
/// One half is active: a header, then a log in which the last entry of an item counts, each with a CRC-32C.
/// When it is full, the newest values are copied into the other half, whose header is written last. So every
/// instant of a power cut finds the old value or the new one, never a mixture and never none.
///
/// The store does not know what a value means. Values that must not go back are guarded by their owner, who
/// compares before `put`; rollback of the whole medium is seen only by a counter outside it
/// (KeyVault::monotonic_counter). Rot in a value is noticed, with one exception: the entry written last looks
/// like a put that was cut, and the value before it is given.
///
/// Medium: each half holds at least three of the largest values, else `mount` says kInvalidArgument. Wear: one
/// block erasure for about block_size / (value + 16) puts.
///
/// Threads: one, the cloud side's. Blocking: as long as the medium takes. Costs about 0.2 KiB of RAM; values
/// are not cached.
class StateStore {
 public:
  /// \param storage outlives this object and has no other user.
  explicit StateStore(Storage& storage) : storage_(storage) {}
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  /// Finds the newest values. Writes only when the medium is blank: then it formats it. Call it once before
  /// anything else, and again after kStorageFailed has been repaired.
  /// \return kOk;
  ///         kInvalidArgument when the area is too small;
  ///         kUnsupported when another version wrote it;
  ///         kMalformed when it holds something foreign, or an entry has rotted of which not even the item is
  ///         known: somebody must decide (`format` would forget counters, so the library never does it);
  ///         kFull, kStorageFailed from the medium.
  Status mount();

  /// Erases everything and starts empty. For provisioning. \return kOk; kInvalidArgument; kFull;
  /// kStorageFailed.
  Status format();

  /// Copies a value.
  /// \return its size, at most out.size(); kNotFound when never put; kBufferTooSmall; kMalformed when it has
  ///         rotted: put a new one; kStorageFailed; kBadState before `mount`.
  Result<size_t> get(StateItem item, MutableBytes out) const;

  /// Replaces a value; it is durable when kOk. After a power cut inside, the old value or the new one is there.
  /// \param value 0 to kStateValueMax bytes.
  /// \return kOk; kInvalidArgument for its size or an item out of range; kFull when all values together do not
  ///         fit, or the medium is full; kStorageFailed; kBadState before `mount`. Whatever failed, `get` gives
  ///         the old value until the next mount, which gives the old or the new.
  Status put(StateItem item, Bytes value);

  /// Forgets a value, durably. \return as `put`; kOk also when there was none, unless an earlier failure left it open
  /// whether one is on the medium: then that is settled first, and may fail.
  Status remove(StateItem item);

 private:
  struct Slot {
    uint32_t offset = 0;  // of the entry in the active half; 0 is none, for the header is there
    uint32_t size = 0;
  };

  // Where an entry goes.
  struct Place {
    uint8_t half;
    uint32_t generation;
    uint32_t offset;
    uint32_t number;
  };

  Status mount_without_header();
  Status start_half(uint8_t half, uint32_t generation);
  Status write_headers(uint8_t half, uint32_t generation);
  Status scan(uint32_t generation);
  Status check_tail();
  Result<bool> valid_entry_from(uint32_t offset, uint32_t number) const;
  Status store(StateItem item, Bytes value, uint8_t kind);
  Status write_entry(const Place& place, StateItem item, Bytes value, uint8_t kind);
  Status copy_entry(const Place& to, const Slot& slot);
  Status compact(StateItem item, Bytes value, uint8_t kind);
  uint64_t base(uint8_t half) const { return static_cast<uint64_t>(half) * half_size_; }

  Storage& storage_;
  StorageGeometry geometry_;
  uint32_t half_size_ = 0;
  uint32_t generation_ = 0;
  uint32_t entries_ = 0;  // of the active half, superseded ones included
  uint32_t end_ = 0;      // offset in the active half where the next entry goes
  uint8_t half_ = 0;
  bool mounted_ = false;
  bool tail_dirty_ = false;  // the bytes at end_ are not known to be erased: compact before the next entry
  Slot slots_[kStateItemsMax];
};

}  // namespace wayseal

#endif
