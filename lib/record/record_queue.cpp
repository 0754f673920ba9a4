// SPDX-License-Identifier: Apache-2.0
#include "wayseal/record/record_queue.hpp"

namespace wayseal {
namespace {

constexpr size_t kSlotBytesMin = 64;

// The slot's header: u32 size of the content, u32 samples.
constexpr size_t kSizeAt = 0;
constexpr size_t kSamplesAt = 4;

size_t clamp_slot_bytes(size_t slot_bytes) {
  if (slot_bytes < kSlotBytesMin) return kSlotBytesMin;
  return slot_bytes < kContentMax ? slot_bytes : kContentMax;
}

}  // namespace

RecordQueue::RecordQueue(MutableBytes memory, size_t slot_bytes)
    : memory_(memory.data()),
      slot_bytes_(clamp_slot_bytes(slot_bytes)),
      slots_(static_cast<uint32_t>(memory.size() / (slot_bytes_ + kSlotHeader))) {}

uint8_t* RecordQueue::slot(uint32_t position) const {
  const uint32_t index = position < slots_ ? position : position - slots_;
  return memory_ + size_t{index} * (slot_bytes_ + kSlotHeader);
}

uint32_t RecordQueue::size() const {
  const uint32_t tail = tail_.load(std::memory_order_acquire);
  return distance(tail, head_.load(std::memory_order_acquire));
}

Result<MutableBytes> RecordQueue::reserve() {
  const uint32_t head = head_.load(std::memory_order_relaxed);
  if (distance(tail_.load(std::memory_order_acquire), head) >= slots_) return Status::kFull;
  return MutableBytes(slot(head) + kSlotHeader + kContentHeaderSize, payload_max());
}

Status RecordQueue::commit(ContentType type, size_t payload_bytes, uint32_t samples) {
  const uint32_t head = head_.load(std::memory_order_relaxed);
  if (distance(tail_.load(std::memory_order_acquire), head) >= slots_) return Status::kBadState;
  uint8_t* const at = slot(head);
  const Result<size_t> size = frame_content(type, payload_bytes, {at + kSlotHeader, slot_bytes_});
  if (!size.ok()) return size.status();
  store_le32(at + kSizeAt, static_cast<uint32_t>(size.value()));
  store_le32(at + kSamplesAt, samples);
  head_.store(next(head), std::memory_order_release);
  return Status::kOk;
}

bool RecordQueue::front(QueuedContent& out) const {
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (head_.load(std::memory_order_acquire) == tail) return false;
  const uint8_t* const at = slot(tail);
  out.content = {at + kSlotHeader, load_le32(at + kSizeAt)};
  out.samples = load_le32(at + kSamplesAt);
  return true;
}

void RecordQueue::pop() {
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (head_.load(std::memory_order_acquire) == tail) return;
  tail_.store(next(tail), std::memory_order_release);
}

}  // namespace wayseal
