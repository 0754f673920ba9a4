// SPDX-License-Identifier: Apache-2.0
/// \file
/// The backend's halves of future sessions (PROTOCOL.md, "Prekeys"): kept as signed, verified at every reading,
/// each one-time prekey handed out once.
#ifndef WAYSEAL_TRUST_PREKEY_STORE_HPP
#define WAYSEAL_TRUST_PREKEY_STORE_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/state/state_store.hpp"
#include "wayseal/trust/time_keeper.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {

/// One prekey with what the transcript says about where it came from.
struct TakenPrekey {
  uint64_t id = 0;
  EcPoint point;
  SuiteSet suites;            ///< What the prekey shares with the caller; never empty.
  Digest bundle_digest;       ///< SHA-256 of the bundle's body.
  Digest certificate_digest;  ///< SHA-256 of the prekey certificate's DER.
  bool last_resort = false;
};

/// What is there to take, as of the last load, store or take.
struct PrekeyCounts {
  uint8_t one_time = 0;      ///< Neither used nor expired.
  bool last_resort = false;  ///< There is one that has not expired.
};

/// Largest SignedPrekeyBundle that is kept, in bytes; with the default limits 4.7 KiB.
inline constexpr size_t kPrekeyBundleMax = kStateValueMax;

/// Threads: the cloud side's. Blocking: as long as the storage takes. Signatures are verified in software: each
/// reading costs three ECDSA verifications.
class PrekeyStore {
 public:
  /// All are borrowed. \param workspace at least kPrekeyBundleMax bytes, used only inside calls: it may be
  /// shared with whatever does not call this class meanwhile.
  PrekeyStore(StateStore& state, const TimeKeeper& time, const VehicleIdentity& identity,
              MutableBytes workspace)
      : state_(state), time_(time), identity_(identity), workspace_(workspace) {}

  /// Looks at what is stored and counts it. \return kOk, also when there is nothing or nothing valid;
  /// kStorageFailed;
  ///         kBufferTooSmall for the workspace.
  Status load();

  /// Verifies a bundle and puts it in the place of the former one.
  /// \param message the SignedPrekeyBundle's bytes, unverified. \param challenge of the request that it
  ///         answers.
  /// \return kOk; kMalformed; kNotAuthentic (chain, role, signature, name of another vehicle, challenge, a
  ///         point off the curve);
  ///         kStale (the chain is outside its validity, or nothing in the bundle is usable); kUnsupported
  ///         (version);
  ///         kFull, kStorageFailed. The former bundle stays unless kOk.
  Status store(Bytes message, const Challenge& challenge);

  /// Hands out one prekey: an unused one-time prekey, else the last resort. A one-time prekey is marked used,
  /// durably, before this returns.
  /// \param usable suites that token and policy allow.
  /// \return kOk; kNotFound (none left with such a suite: fetch); kStale, kNotAuthentic, kMalformed (what is
  ///         stored is no longer valid: fetch); kFull, kStorageFailed.
  Status take(SuiteSet usable, TakenPrekey& out);

  PrekeyCounts counts() const { return counts_; }
  /// Bundles that `store` has taken since start.
  uint32_t bundles_stored() const { return bundles_stored_; }

 private:
  class Scan;

  Status read(SignedMessage& message);
  Status read_marks(Scan& scan);
  Status mark(const Scan& scan, uint64_t id);

  StateStore& state_;
  const TimeKeeper& time_;
  const VehicleIdentity& identity_;
  MutableBytes workspace_;
  PrekeyCounts counts_;
  uint32_t bundles_stored_ = 0;
};

}  // namespace wayseal

#endif
