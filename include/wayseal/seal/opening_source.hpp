// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a session's counter and its prekey come from.
#ifndef WAYSEAL_SEAL_OPENING_SOURCE_HPP
#define WAYSEAL_SEAL_OPENING_SOURCE_HPP

#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/trust/prekey_store.hpp"

namespace wayseal {

class StateStore;

/// What a Session needs once, when it is opened. StoredOpenings is the usual one; a device of the tiny profile without
/// storage brings its own: a counter of its token, and a prekey that was provisioned.
///
/// Threads: one, the cloud side's. Blocking: as long as storage or token take.
class OpeningSource {
 public:
  /// The number of the session to open: greater than every one given before, also after a power cut (durable before
  /// this returns).
  /// \return kOk; kExhausted at the end of the numbers; kFull, kStorageFailed, kTokenLost.
  Status next_counter(uint64_t& counter) { return do_next_counter(counter); }

  /// One of the backend's prekeys, which this vehicle trusts as the backend's: verified under the OEM's data root, by
  /// itself or by who provisioned it. A one-time prekey is never given again.
  /// \param usable suites that token and policy allow. \param[out] out set only with kOk.
  /// \return kOk; kNotFound, kStale, kNotAuthentic, kMalformed: there is none, fetch; kFull, kStorageFailed.
  Status take(SuiteSet usable, TakenPrekey& out) { return do_take(usable, out); }

 protected:
  ~OpeningSource() = default;

 private:
  virtual Status do_next_counter(uint64_t& counter) = 0;
  virtual Status do_take(SuiteSet usable, TakenPrekey& out) = 0;
};

/// Counter and prekeys from the state store. 12 bytes on a 32-bit MCU.
class StoredOpenings final : public OpeningSource {
 public:
  /// Both are borrowed.
  StoredOpenings(StateStore& state, PrekeyStore& prekeys) : state_(state), prekeys_(prekeys) {}

 private:
  Status do_next_counter(uint64_t& counter) override;
  Status do_take(SuiteSet usable, TakenPrekey& out) override { return prekeys_.take(usable, out); }

  StateStore& state_;
  PrekeyStore& prekeys_;
};

}  // namespace wayseal

#endif
