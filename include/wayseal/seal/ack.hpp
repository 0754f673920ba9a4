// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the backend says it has. PROTOCOL.md, "Delivery and acks".
#ifndef WAYSEAL_SEAL_ACK_HPP
#define WAYSEAL_SEAL_ACK_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/status.hpp"
#include "wayseal/core/types.hpp"

#ifndef WAYSEAL_ACK_CONTENT_MAX
#define WAYSEAL_ACK_CONTENT_MAX 4096
#endif

namespace wayseal {

/// Bytes of an entry's bitmap at most.
inline constexpr size_t kAckBitmapMax = 32;
/// Entries of one Ack at most.
inline constexpr size_t kAckSessionsMax = 32;
/// Padded content of a sealed Ack at most, in bytes. kAckSessionsMax entries with full bitmaps take 2,000.
inline constexpr size_t kAckContentMax = WAYSEAL_ACK_CONTENT_MAX;
static_assert(kAckContentMax >= 2304 && kAckContentMax <= 4096, "every Ack that PROTOCOL.md allows, padded");

/// One session of an Ack.
struct SessionAck {
  SessionId session;
  uint64_t contiguous = 0;
  uint8_t beyond[kAckBitmapMax] = {};
  size_t beyond_size = 0;

  Bytes bitmap() const { return {beyond, beyond_size}; }
  /// The highest sequence that it names; 0 for none.
  uint64_t highest() const;
};

/// Reads the entries of an Ack one after another, so that they never lie in memory all at once. Only for what
/// has been opened under the session's key.
class AckReader {
 public:
  explicit AckReader(Bytes payload) : rest_(payload) {}

  /// \return kOk and an entry; kNotFound at the end; kMalformed: no protobuf, a session id that is not 16
  ///         bytes, a bitmap or a number out of range, more than kAckSessionsMax entries.
  Status next(SessionAck& out);

 private:
  Bytes rest_;
  size_t count_ = 0;
};

}  // namespace wayseal

#endif
