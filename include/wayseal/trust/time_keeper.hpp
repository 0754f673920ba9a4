// SPDX-License-Identifier: Apache-2.0
/// \file
/// What time it is, as far as the OEM has signed it (PROTOCOL.md, "Time").
#ifndef WAYSEAL_TRUST_TIME_KEEPER_HPP
#define WAYSEAL_TRUST_TIME_KEEPER_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/core/time.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/clock.hpp"
#include "wayseal/state/state_store.hpp"
#include "wayseal/trust/signed.hpp"

namespace wayseal {

/// A point of this program's own time: when a request was begun, and in which life.
struct Moment {
  MonotonicTime at;
  uint64_t continuity = 0;
};

/// Two states. *Untrusted*: only a floor is known, below which it cannot be. *Trusted*: UTC is known, until the
/// clock's continuity changes (fork, resume from suspend) or the program ends. Never goes back.
///
/// Threads: the cloud side's. Blocking: `load`, `take` and `keep_floor` for as long as the storage takes.
class TimeKeeper {
 public:
  /// \param build_time when this program was built: the floor's lower bound. All are borrowed.
  TimeKeeper(const Clock& clock, CertVerifier& verifier, StateStore& state, UtcTime build_time)
      : clock_(clock), verifier_(verifier), state_(state), floor_(build_time) {}

  /// Reads the stored floor. \return kOk, also when there is none yet; kStorageFailed.
  Status load();

  /// The moment for `take`: call when a request is begun.
  Moment moment() const { return {clock_.now(), clock_.continuity()}; }

  bool trusted() const;
  /// \return UTC; kBadState while it is not trusted.
  Result<UtcTime> now() const;
  /// It is not earlier than this: the trusted time, or max(build time, stored floor).
  UtcTime not_before() const;
  /// UTC minus monotonic time in microseconds, for time stamps of records. \return kBadState while not trusted.
  Result<int64_t> utc_offset_us() const;
  /// How a TLS connection judges dates now.
  CertificateDates dates() const;

  /// Verifies a signed message as of now: with trusted time, against it; without, a signer whose certificate
  /// ended before the floor is kStale. Otherwise as `verify_signed`.
  Status verify(const SignedMessage& message, SignedLabel label, Role role, CertInfo& info) const;

  /// Takes a SignedTime, if it keeps every rule of PROTOCOL.md, "Time". The floor is durable before it counts.
  /// \param message the SignedTime's bytes, unverified.
  /// \param challenge of the request that it answers; \param begun when that request was begun.
  /// \return kOk: trusted from now on; kMalformed, kNotAuthentic (chain, signature, challenge); kTimeout (above
  ///         kTimeRoundTripMaxMs: ask again); kStale (below the floor, outside the signer's validity, or the
  ///         continuity has changed); kStorageFailed, kFull. What was known stays known unless kOk.
  Status take(Bytes message, const Challenge& challenge, const Moment& begun);

  /// Raises the stored floor to now; before sleep, and once a day. \return kOk, also when not trusted; storage
  /// failures.
  Status keep_floor();

 private:
  Status check(int64_t utc_ms, const SignedMessage& message, const CertInfo& signer) const;
  Status raise_floor(UtcTime to);

  const Clock& clock_;
  CertVerifier& verifier_;
  StateStore& state_;
  UtcTime floor_;
  UtcTime stored_ = {};         // what the state store holds
  UtcTime reference_utc_ = {};  // it was this
  Moment reference_ = {};       // at this moment
  bool known_ = false;
};

/// A signer of time may be valid for at most this long: bounds how far a stolen one could jump ahead.
inline constexpr int64_t kTimeSignerValidityMaxMs = 90 * kMsPerDay;

}  // namespace wayseal

#endif
