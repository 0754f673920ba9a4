// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where the bus side hands its contents to the cloud side.
#ifndef WAYSEAL_RECORD_RECORD_QUEUE_HPP
#define WAYSEAL_RECORD_RECORD_QUEUE_HPP

#include <atomic>

#include "wayseal/record/content.hpp"

namespace wayseal {

/// The oldest content in a RecordQueue. `content` points into the queue and is valid until `pop`.
struct QueuedContent {
  Bytes content;         ///< Framed and padded: what is to be sealed.
  uint32_t samples = 0;  ///< Samples in it, for statistics.
};

/// A queue of contents in fixed slots of memory that the caller gives. The producer writes a payload straight
/// into its slot and the consumer seals it from there: nothing is copied.
///
/// Threads: one producer (reserve, commit), one consumer (front, pop); they may be the same thread, or an
/// interrupt and a thread. Wait-free: no call loops or blocks. The rest may be called by either. About 32 bytes
/// and the memory given.
class RecordQueue {
 public:
  /// Bytes of memory beside each slot.
  static constexpr size_t kSlotHeader = 8;

  /// Bytes of memory that `slots` slots of `slot_bytes` take.
  static constexpr size_t memory_needed(size_t slots, size_t slot_bytes = kContentMax) {
    return slots * (slot_bytes + kSlotHeader);
  }

  /// \param memory any alignment; outlives the queue. Gives memory.size() / (slot_bytes + kSlotHeader) slots;
  ///        with none the queue is always full.
  /// \param slot_bytes largest content, 64 to kContentMax; values outside are brought to the nearer end.
  explicit RecordQueue(MutableBytes memory, size_t slot_bytes = kContentMax);
  RecordQueue(const RecordQueue&) = delete;
  RecordQueue& operator=(const RecordQueue&) = delete;

  /// Producer: room for one payload of up to payload_max() bytes. The same slot again until `commit`.
  /// \return where the payload goes; kFull: nothing is lost yet, try again or count what you drop.
  Result<MutableBytes> reserve();

  /// Producer: frames and pads the payload that lies in the reserved slot, and makes it visible to the
  /// consumer.
  /// \return kOk; kInvalidArgument for more than payload_max() bytes (the slot stays reserved); kBadState
  ///         without room, which means that `reserve` was not called.
  Status commit(ContentType type, size_t payload_bytes, uint32_t samples);

  /// Consumer: looks at the oldest content. \return false when there is none.
  bool front(QueuedContent& out) const;

  /// Consumer: releases the oldest content. Nothing happens when there is none.
  void pop();

  size_t payload_max() const { return slot_bytes_ - kContentHeaderSize; }
  uint32_t capacity() const { return slots_; }
  /// Contents that wait. Exact for the two sides in the sense that the producer never sees too few, the
  /// consumer never too many.
  uint32_t size() const;

 private:
  uint8_t* slot(uint32_t position) const;
  uint32_t next(uint32_t position) const { return position + 1 == 2 * slots_ ? 0 : position + 1; }
  uint32_t distance(uint32_t tail, uint32_t head) const {
    return head >= tail ? head - tail : head + 2 * slots_ - tail;
  }

  uint8_t* memory_;
  size_t slot_bytes_;
  uint32_t slots_;
  // Positions run from 0 to 2 * slots_ - 1, so that an empty and a full queue differ without a third variable.
  std::atomic<uint32_t> head_{0};  // written by the producer
  std::atomic<uint32_t> tail_{0};  // written by the consumer
};

}  // namespace wayseal

#endif
