// SPDX-License-Identifier: Apache-2.0
/// \file
/// How a vehicle learns that its gateways have another authority: certificates of authorities, signed by the data root.
#ifndef WAYSEAL_ENROL_GATEWAY_ANCHORS_HPP
#define WAYSEAL_ENROL_GATEWAY_ANCHORS_HPP

#include "wayseal/enrol/certificate.hpp"
#include "wayseal/enrol/enrolment.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/http/exchange.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal {

/// Authorities that are known at a time: one, and during a rotation its successor.
inline constexpr size_t kGatewayAnchorsMax = kChainMax;
/// Bytes of them in the StateStore: each with its length.
inline constexpr size_t kGatewayAnchorsSize = kGatewayAnchorsMax * (2 + kCertificateMax);
/// Bytes that a GatewayAnchors works in: what is known, and an answer.
inline constexpr size_t kGatewayAnchorsMemory = kGatewayAnchorsSize + kEnrolmentAnswerMax;

/// The gateway authorities that the OEM's data root vouches for. Whoever hands them out need not be trusted: each is verified
/// (CertVerifier::verify_gateway_authority) when it arrives and again when it is read back. What is handed out replaces what
/// was known, so an authority that is handed out no more is trusted no more; until something was, the one that provisioning
/// wrote holds.
///
/// A peer that can pass for the enrolment server can hand out an older list again, and so keep an authority alive that was
/// dropped, or lock the vehicle out of gateways that have the new one alone; it can add none. Reaching the vehicle again takes
/// a list from a server that it still trusts.
///
/// Threads: the cloud side's. Blocking: for two verifications. 0.7 KiB, and the memory given.
class GatewayAnchors {
 public:
  /// \param memory kGatewayAnchorsMemory bytes. Borrowed, as is the verifier.
  GatewayAnchors(CertVerifier& verifier, MutableBytes memory, http::Timeouts timeouts = {});
  GatewayAnchors(const GatewayAnchors&) = delete;
  GatewayAnchors& operator=(const GatewayAnchors&) = delete;

  /// Reads what is stored. \param state mounted; used until the next `load`.
  /// \return kOk: `count` authorities are known; kNotFound: none was ever stored; kMalformed, kNotAuthentic: what is stored is
  ///         rotten or not the OEM's, and counts as none; kStorageFailed.
  Status load(StateStore& state);

  size_t count() const { return count_; }
  /// DER, oldest first. Views into the memory, until the next `load` or the end of a fetch.
  Bytes certificate(size_t index) const { return certificates_[index]; }

  /// Begins to fetch. \param channel to the enrolment server, closed; borrowed until the fetch ends.
  /// \return kOk: call `step`; kBadState before `load` or while one runs; kBufferTooSmall: the memory; kDisconnected.
  Status begin(Channel& channel, CertificateDates dates);
  /// One bounded piece of work. \return kOk: nothing runs; when it did until now, `changed` says whether what is known is
  ///         another list; kWouldBlock: call again; kRefused (by the server), kNotAuthentic (not the OEM's), kMalformed,
  ///         kUnsupported, kDisconnected, kTimeout, kStorageFailed, kFull: the fetch is over and what was known stays.
  Status step(MonotonicTime now);
  bool busy() const { return channel_ != nullptr; }
  bool changed() const { return changed_; }

 private:
  Status advance(MonotonicTime now);
  Status take_answer(size_t size);
  Status take_stored(size_t size);
  MutableBytes stored() const { return memory_.first(kGatewayAnchorsSize); }
  MutableBytes answer() const { return memory_.from(kGatewayAnchorsSize); }

  CertVerifier& verifier_;
  MutableBytes memory_;
  http::Timeouts timeouts_;
  StateStore* state_ = nullptr;
  Channel* channel_ = nullptr;
  alignas(http::Exchange) uint8_t exchange_memory_[sizeof(http::Exchange)] = {};
  http::Exchange* exchange_ = nullptr;
  CertificateDates dates_;
  Bytes certificates_[kGatewayAnchorsMax];
  size_t count_ = 0;
  size_t stored_size_ = 0;
  bool changed_ = false;
};

}  // namespace wayseal

#endif
