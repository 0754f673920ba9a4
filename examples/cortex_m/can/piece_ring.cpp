// SPDX-License-Identifier: Apache-2.0
#include "can/piece_ring.hpp"

namespace can {
namespace {

// An entry: time in 8 bytes, size in 1, the piece; filled up to the next multiple of 8, so that the time never wraps round.
constexpr uint32_t kTimeSize = 8;
constexpr uint32_t kHeadSize = kTimeSize + 1;

constexpr uint32_t entry_size(uint32_t piece) { return (kHeadSize + piece + 7) & ~uint32_t{7}; }

uint32_t power_of_two_below(size_t bytes) {
  constexpr uint32_t kLargest = uint32_t{1} << 30;
  uint32_t size = 1;
  while (size < kLargest && size * size_t{2} <= bytes) size *= 2;
  return size;
}

// Only one side ever writes it, so that this needs no exclusive access.
void add_one(std::atomic<uint32_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

PieceRing::PieceRing(wayseal::Span<uint64_t> memory, const wayseal::Clock& clock)
    : memory_(reinterpret_cast<uint8_t*>(memory.data())),
      size_(memory.size() < kWordsMin ? 0 : power_of_two_below(memory.size() * sizeof(uint64_t))),
      mask_(size_ - 1),
      clock_(clock) {}

bool PieceRing::has_room() const { return size_ != 0 && size_ - used() >= entry_size(kPieceMax); }

// Once a byte, in an interrupt: what can wait for the piece's beginning or end does.
void PieceRing::put(uint8_t byte) {
  if (byte == kDelimiter) return end_piece();
  const uint32_t length = length_;
  if (length < sizeof start_) begin_piece(byte);
  if (length < limit_) memory_[(begin_ + length) & mask_] = byte;
  if (length <= kPieceMax) length_ = length + 1;
}

void PieceRing::begin_piece(uint8_t byte) {
  start_[length_] = byte;
  if (length_ != 0) return;
  limit_ = has_room() ? uint32_t{kPieceMax} : 0;
  begin_ = head_.load(std::memory_order_relaxed) + kHeadSize;
}

void PieceRing::end_piece() {
  const uint32_t length = length_;
  const bool broken = broken_;
  length_ = 0;
  broken_ = false;
  if (length > kPieceMax) return add_one(too_long_);
  if (broken || (length != 0 && limit_ == 0)) {
    const uint8_t bus = length < 2 ? uint8_t{0} : bus_of_piece(start_[0], start_[1]);
    if (bus < kWireBusesMax) add_one(dropped_[bus]);
    return;
  }
  if (length == 0) return;
  const uint32_t head = head_.load(std::memory_order_relaxed);
  const int64_t time_ns = clock_.now().ns;
  std::memcpy(memory_ + (head & mask_), &time_ns, sizeof time_ns);
  memory_[(head + kTimeSize) & mask_] = static_cast<uint8_t>(length);
  head_.store(head + entry_size(length), std::memory_order_release);
}

bool PieceRing::take(Piece& out) {
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (head_.load(std::memory_order_acquire) == tail) return false;
  std::memcpy(&out.time_ns, memory_ + (tail & mask_), sizeof out.time_ns);
  out.size = memory_[(tail + kTimeSize) & mask_];
  const uint32_t from = (tail + kHeadSize) & mask_;
  const uint32_t to_the_end = size_ - from;
  const uint32_t first = out.size < to_the_end ? out.size : to_the_end;
  std::memcpy(out.bytes, memory_ + from, first);
  std::memcpy(out.bytes + first, memory_, out.size - first);
  tail_.store(tail + entry_size(out.size), std::memory_order_release);
  return true;
}

RingLosses PieceRing::losses() const {
  RingLosses out;
  for (size_t bus = 0; bus < kWireBusesMax; ++bus) {
    out.frames_dropped[bus] = dropped_[bus].load(std::memory_order_relaxed);
  }
  out.too_long = too_long_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace can
