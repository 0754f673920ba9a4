// SPDX-License-Identifier: Apache-2.0
/// \file
/// From the receive interrupt to the program: whole pieces with the time at which they arrived.
#ifndef CAN_PIECE_RING_HPP
#define CAN_PIECE_RING_HPP

#include <atomic>

#include "can/frame_format.hpp"
#include "wayseal/hal/clock.hpp"

namespace can {

/// One piece as it arrived, coded still.
struct Piece {
  int64_t time_ns = 0;  ///< When its delimiter came, on the Clock's time base.
  uint8_t size = 0;
  uint8_t bytes[kPieceMax];
};

/// What the producer left out. 32 bits, which wrap: the reader takes differences.
struct RingLosses {
  uint32_t frames_dropped[kWireBusesMax] = {};  ///< No room, or a byte of them was lost in the UART.
  uint32_t too_long = 0;                        ///< Longer than any piece: garbage.
};

/// A ring of bytes with one producer (an interrupt or a thread) and one consumer, and no lock.
///
/// A piece is handed over when its delimiter arrives, whole or not at all; a delimiter behind a delimiter is nothing.
/// A piece of an 8-byte frame takes 24 bytes (29-bit ids: 32), so 4 KiB hold about 170 of them. Two 32-bit indices,
/// loaded and stored only: no read-modify-write, no 64-bit atomic.
///
/// Threads: `put`, `note_lost_byte` and `blocked` from the producer, `take` and `losses` from the consumer, `has_room` from both.
/// Blocking: never. About 80 bytes beside the memory.
class PieceRing {
 public:
  static constexpr size_t kWordsMin = 32;  ///< 256 bytes.

  /// \param memory at least kWordsMin words, else every frame is dropped and counted. The largest power of two in it is used.
  ///        Borrowed.
  /// \param clock read once a piece, by the producer. Borrowed.
  PieceRing(wayseal::Span<uint64_t> memory, const wayseal::Clock& clock);
  PieceRing(const PieceRing&) = delete;
  PieceRing& operator=(const PieceRing&) = delete;

  /// One byte came.
  void put(uint8_t byte);
  /// The UART lost a byte before the one that `put` gets next: the piece is given up, and counted as a dropped frame.
  void note_lost_byte() { broken_ = true; }
  /// The next byte would begin a piece, for which there is no room: a line that can wait should be made to wait.
  bool blocked() const { return length_ == 0 && !has_room(); }

  /// \return false when no whole piece waits.
  bool take(Piece& out);
  /// As counted so far.
  RingLosses losses() const;

  /// Whether the longest piece fits.
  bool has_room() const;

 private:
  void begin_piece(uint8_t byte);
  void end_piece();
  uint32_t used() const {
    return head_.load(std::memory_order_relaxed) - tail_.load(std::memory_order_acquire);
  }

  uint8_t* memory_;
  uint32_t size_;  // bytes, a power of two, or 0
  uint32_t mask_;
  const wayseal::Clock& clock_;
  std::atomic<uint32_t> head_{0};  // counts bytes on, modulo 2^32; a multiple of 8
  std::atomic<uint32_t> tail_{0};
  std::atomic<uint32_t> dropped_[kWireBusesMax] = {};
  std::atomic<uint32_t> too_long_{0};

  // The producer's own: the piece that is coming in.
  uint32_t length_ = 0;
  uint8_t start_[2] = {};
  uint32_t begin_ = 0;  // where its bytes go, before the mask
  uint32_t limit_ = 0;  // how many may be stored; 0: there was no room when it began
  bool broken_ = false;
};

}  // namespace can

#endif
