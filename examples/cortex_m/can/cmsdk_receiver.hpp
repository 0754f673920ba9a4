// SPDX-License-Identifier: Apache-2.0
/// \file
/// Receives on a CMSDK UART (Arm, Cortex-M System Design Kit), as MPS2 boards have it, by interrupt.
#ifndef CAN_CMSDK_RECEIVER_HPP
#define CAN_CMSDK_RECEIVER_HPP

#include "can/piece_ring.hpp"

namespace can {

/// What happens while the ring is full.
enum class WhenRingFull : uint8_t {
  kDropAndCount,  ///< Goes on reading, since a bus does not wait.
  /// Stops reading, and the UART's sender has to wait: only where it can (an emulator's socket), for recordings. Call `resume`
  /// after each `receive`.
  kHoldBack,
};

/// The UART has a buffer of one byte, so there is an interrupt a byte. A byte that comes before the one before it was read
/// is lost; the UART says so, and the frame is counted as dropped. Under QEMU no byte is lost: it gives the next one only
/// when the last was read.
///
/// Threads: `start` and `resume` from the program. 20 bytes.
class CmsdkReceiver {
 public:
  /// \param base of the registers. \param interrupt number of "receive". \param ring borrowed; its only producer is this.
  CmsdkReceiver(uintptr_t base, uint8_t interrupt, PieceRing& ring, WhenRingFull when_full)
      : base_(base), interrupt_(interrupt), ring_(ring), when_full_(when_full) {}
  CmsdkReceiver(const CmsdkReceiver&) = delete;
  CmsdkReceiver& operator=(const CmsdkReceiver&) = delete;

  /// Switches on receiver and interrupt. Once; this object then stays where it is.
  void start();
  /// Goes on reading when it was held back and there is room again. Does nothing otherwise.
  void resume();

 private:
  static void on_interrupt(void* self);
  void read_all();

  uintptr_t base_;
  uint8_t interrupt_;
  PieceRing& ring_;
  WhenRingFull when_full_;
  volatile bool held_back_ = false;
};

}  // namespace can

#endif
