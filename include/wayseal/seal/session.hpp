// SPDX-License-Identifier: Apache-2.0
/// \file
/// One session: its opening, the records sealed in it, the acks opened with it. PROTOCOL.md, "Opening a
/// session", "Envelope", "Delivery and acks".
#ifndef WAYSEAL_SEAL_SESSION_HPP
#define WAYSEAL_SEAL_SESSION_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/seal/ack.hpp"
#include "wayseal/seal/opening.hpp"
#include "wayseal/seal/opening_source.hpp"
#include "wayseal/seal/policy.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {

/// Why a session cannot seal any more, or that it can.
enum class SessionState : uint8_t {
  kNone,  ///< Never opened, or closed.
  kAlive,
  kSpent,      ///< A limit is reached: open the next one.
  kTokenLost,  ///< The token has lost the keys: reopen it, then open the next session.
  kForked,  ///< The clock's continuity changed (fork, resume): never seal with these keys; open the next one.
};

/// What `seal` made.
struct SealedRecord {
  uint64_t sequence = 0;  ///< The number that was taken. Not 0 without kOk: it is void, note it as lost.
  size_t size = 0;        ///< Bytes of the Sealed message; 0 without kOk.
};

/// States: see SessionState; `open` may be called in each, and ends what was open.
///
/// Threads: the cloud side's. Blocking: as long as token and storage take; with a token of 50 ms a signature
/// and 10 ms an AES operation, `open` about 0.3 s and `seal` 10 ms. About 150 bytes; stack on a Cortex-M4 with
/// X.509 and PSA Crypto in software: 4.6 KiB in `open`, 1.4 KiB in `seal` (tests/stack).
class Session {
 public:
  /// All are borrowed.
  Session(KeyVault& vault, const Clock& clock, OpeningSource& openings, const VehicleIdentity& identity)
      : vault_(vault), clock_(clock), openings_(openings), identity_(identity) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  /// Opens a session and writes its SessionOpen, which must be durable before the first record is. A failure
  /// leaves no session and no key; counter and prekey that were used stay used.
  /// \param out kSessionOpenBytesMax bytes. \param[out] size bytes used, 0 unless kOk.
  /// \return kOk;
  ///         kNotFound, kStale, kNotAuthentic, kMalformed: no valid prekey for a common suite, fetch prekeys;
  ///         kUnsupported: policy and token share no suite; kBadState: the identity is not loaded;
  ///         kInvalidArgument: the policy; kBufferTooSmall;
  ///         kTokenLost: reopen the vault; kFull, kStorageFailed: the counter or the mark could not be stored;
  ///         kExhausted: the session counter has reached its end.
  Status open(const CryptoPolicy& policy, const PreviousSession& previous, MutableBytes out, size_t& size);

  /// Whether it can seal, as of now.
  SessionState state() const;
  const SessionId& id() const { return id_; }
  const Digest& transcript() const { return th_; }
  Suite suite() const { return suite_; }
  /// The last sequence number taken; 0 before the first.
  uint64_t last_sequence() const { return counter_.last(); }

  /// Seals a content. The sequence number is taken before the token is called and never used again, whatever it
  /// returns.
  /// \param content framed and padded, 3 to kContentMax bytes; not in `out`.
  /// \param out sealed_size(content.size()) bytes at least.
  /// \return kOk; kBadState (kNone), kExhausted (kSpent), kTokenLost (kTokenLost, kForked): see `state`;
  ///         kInvalidArgument, kBufferTooSmall; else the token's failure.
  Status seal(Bytes content, MutableBytes out, SealedRecord& record);

  /// Opens a Sealed Ack of the backend. Also when spent: acks arrive after the last record.
  /// \param plaintext memory for the content, kAckContentMax bytes. \param[out] ack the Ack's payload, inside
  ///         `plaintext`.
  /// \return kOk; kMalformed; kUnsupported (version, content type); kNotFound (of another session);
  ///         kNotAuthentic; kTokenLost;
  ///         kBadState (kNone); kBufferTooSmall.
  Status open_ack(Bytes sealed, MutableBytes plaintext, Bytes& ack);

  /// Ends the session and destroys its keys.
  void close();

 private:
  Status agree(SuiteSet offer, Opening& opening);
  bool keys_gone() const { return epoch_ != vault_.epoch(); }
  bool forked() const { return continuity_ != clock_.continuity(); }

  KeyVault& vault_;
  const Clock& clock_;
  OpeningSource& openings_;
  const VehicleIdentity& identity_;
  SessionKeys keys_;
  NonceCounter counter_;
  SessionLimits limits_;
  SessionId id_;
  Digest th_;
  MonotonicTime opened_;
  uint64_t continuity_ = 0;
  uint64_t bytes_ = 0;
  uint32_t epoch_ = 0;
  Suite suite_ = Suite::kP256HkdfSha256Aes256Gcm;
  bool open_ = false;
};

}  // namespace wayseal

#endif
