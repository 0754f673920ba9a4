// SPDX-License-Identifier: Apache-2.0
/// \file
/// The vehicle's side of POST /v1/prekeys: makes the request and judges the answer.
#ifndef WAYSEAL_TRUST_PREKEY_CLIENT_HPP
#define WAYSEAL_TRUST_PREKEY_CLIENT_HPP

#include "wayseal/core/types.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/trust/prekey_store.hpp"
#include "wayseal/trust/time_keeper.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

namespace wayseal {

/// Largest SignedPrekeysRequest in bytes.
inline constexpr size_t kPrekeysRequestMax = 256 + kChainMax * (kCertificateMax + 4);

/// What came of an answer. Each part stands alone.
struct PrekeysOutcome {
  Status time = Status::kBadState;    ///< As TimeKeeper::take; kNotFound when the answer held none.
  Status bundle = Status::kBadState;  ///< As PrekeyStore::store; kNotFound when the answer held none.
};

/// One request at a time. Threads: the cloud side's. Blocking: for as long as token and storage take. 72 bytes.
class PrekeyClient {
 public:
  /// All are borrowed.
  PrekeyClient(KeyVault& vault, const VehicleIdentity& identity, TimeKeeper& time, PrekeyStore& store)
      : vault_(vault), identity_(identity), time_(time), store_(store) {}

  /// Makes a signed request with a fresh challenge; a former request's answer is then no longer taken. Call
  /// right before sending: the round trip counts from here.
  /// \param suites that token and policy allow. \param wanted one-time prekeys, at most kPrekeysMax.
  /// \param out kPrekeysRequestMax bytes. \param[out] size bytes used, 0 unless kOk.
  /// \return kOk; kInvalidArgument; kBadState (identity not loaded); kBufferTooSmall; kTokenLost and other
  ///         failures of the token.
  Status make_request(SuiteSet suites, size_t wanted, MutableBytes out, size_t& size);

  /// Judges the body of a 200 answer: first the time, then, as of that time, the bundle. Each request's answer
  /// is taken once.
  /// \return kOk when at least one part was taken; kBadState without a request; kMalformed when the answer is
  ///         no PrekeysReply; else the bundle's status. `outcome` says both.
  Status take_reply(Bytes reply, PrekeysOutcome& outcome);

 private:
  KeyVault& vault_;
  const VehicleIdentity& identity_;
  TimeKeeper& time_;
  PrekeyStore& store_;
  Challenge challenge_;
  Moment begun_ = {};
  bool waiting_ = false;
};

}  // namespace wayseal

#endif
