// SPDX-License-Identifier: Apache-2.0
/// \file
/// Replaces the vehicle's certificates and keys in the field: EST (RFC 7030) and a second place in the token.
#ifndef WAYSEAL_ENROL_ENROLMENT_HPP
#define WAYSEAL_ENROL_ENROLMENT_HPP

#include "wayseal/enrol/certificate.hpp"
#include "wayseal/hal/cert_verifier.hpp"
#include "wayseal/hal/channel.hpp"
#include "wayseal/hal/identity_store.hpp"
#include "wayseal/http/exchange.hpp"
#include "wayseal/state/state_store.hpp"

namespace wayseal {

/// Who asks for the new certificate.
enum class EnrolmentAs : uint8_t {
  kCurrent,  ///< The vehicle's TLS identity in use: simplereenroll (RFC 7030, 4.2.2).
  kBootstrap,  ///< The manufacturer's identity, good for enrolment and nothing else: simpleenroll. For a vehicle that has no
               ///< certificate yet, or whose own has expired while it was off.
};

/// Where a replacement stands.
enum class EnrolmentPhase : uint8_t {
  kIdle,
  kConnecting,  ///< To the enrolment server.
  kAsking,
  kProbing,  ///< The new TLS identity connects to the gateway.
  kProbeAsking,
};

/// What an Enrolment needs of the firmware: connections that differ in who we are. Called from `step`, by its thread; no call
/// waits.
class EnrolmentLine {
 public:
  /// The connection to the enrolment server, set up to show this identity, closed.
  /// \return null when it cannot be had: `step` gives kNotFound.
  Channel* enrolment(EnrolmentAs as) { return do_enrolment(as); }
  /// A connection to the gateway that shows this chain, and signs with IdentityKey::kTls in `slot`, closed. The chain is
  /// borrowed until the next call. \return null as above.
  Channel* probe(IdentitySlot slot, Bytes leaf, Bytes intermediate) {
    return do_probe(slot, leaf, intermediate);
  }
  /// The identity in use has changed: for kTls set up the gateway's channel anew (which closes it), for kE2e call
  /// Client::reload_identity.
  void changed(IdentityKey key) { do_changed(key); }

 protected:
  ~EnrolmentLine() = default;

 private:
  virtual Channel* do_enrolment(EnrolmentAs as) = 0;
  virtual Channel* do_probe(IdentitySlot slot, Bytes leaf, Bytes intermediate) = 0;
  virtual void do_changed(IdentityKey key) = 0;
};

struct EnrolmentParts {
  IdentityStore& identities;
  CertVerifier& verifier;
  EnrolmentLine& line;
};

/// Base64 of the request, then the answer with line breaks of 64: what an Enrolment works in.
inline constexpr size_t kEnrolmentAnswerMax = base64_size(kChainMax * kCertificateMax + 256) * 67 / 64;
inline constexpr size_t kEnrolmentWorkspace = base64_size(kSigningRequestMax) > kEnrolmentAnswerMax
                                                  ? base64_size(kSigningRequestMax)
                                                  : kEnrolmentAnswerMax;

/// Make before break. A replacement of one key goes: a fresh key pair in the place that is not in use; a request signed by it;
/// the answer checked (its key, its name, for `e2e` its chain under the data root) and written; for `tls` a connection to the
/// gateway with it, which has to get an answer; then, in one durable write, it is the one in use, **on trial**. The former one
/// stays until `confirm`, and `roll_back` returns to it. Power may go at any instant: `restore` finds the former identity or the
/// new one, whole (test "invariant 5: exactly once" stays true over it: a session goes on under the certificate that it began
/// with).
///
/// Names are not taken on faith: a certificate for another vehicle, or for a key that is not the one in the token, is refused.
/// The `tls` chain ends in a root that the vehicle does not know; the gateway's acceptance is its proof.
///
/// The server may be expired or lie: what comes of it is at worst no new certificate.
///
/// Threads: the cloud side's. Blocking: as the token does when it makes and writes keys. 0.8 KiB on a 32-bit MCU, and the
/// workspace; `step` uses 0.6 KiB of stack besides what the ports use.
class Enrolment {
 public:
  /// \param workspace kEnrolmentWorkspace bytes, used while `busy`. Borrowed, as are the parts.
  Enrolment(const EnrolmentParts& parts, MutableBytes workspace, http::Timeouts timeouts = {});
  Enrolment(const Enrolment&) = delete;
  Enrolment& operator=(const Enrolment&) = delete;

  /// Makes the identity in use what was decided before the last power loss, and erases what was left half made. Call it at
  /// start before anything reads an identity, with a StateStore that is mounted and used for this alone; then again with the
  /// Client's (Client::state), after Client::start, which the later calls write to.
  /// When the place in use has lost its key, the other one is used if it is whole.
  /// \return kOk; kNotFound: neither place of a key is whole, so the vehicle has to enrol (`begin` is allowed); kTokenLost,
  ///         kDenied, kStorageFailed, kMalformed as of the parts: try again.
  Status restore(StateStore& state);

  /// Begins to replace a key and its certificate.
  /// \param id this vehicle. \param dates for the server's certificate: TimeKeeper's, or unjudged while there is no trusted
  ///        time.
  /// \return kOk: call `step`; kBadState before `restore`, while one is under way, or while `key` is on trial.
  Status begin(IdentityKey key, EnrolmentAs as, const VehicleId& id, CertificateDates dates);

  /// One bounded piece of work.
  /// \return kOk: nothing is under way; when it was until now, the new identity is in use, on trial.
  ///         kWouldBlock: under way, call again.
  ///         Everything else ends the replacement, the former identity stays in use, and `begin` may be called again after a
  ///         while: kRefused: the server says no (`http_status` 4xx), or the gateway refuses the new certificate;
  ///         kNotAuthentic: the certificate is another's; kMalformed, kUnsupported: the answer is no such answer;
  ///         kFull: retry after `retry_after_s` (202, 429, 503); kDisconnected, kTimeout: the network; kTokenLost, kDenied,
  ///         kNotFound, kStorageFailed: the parts.
  Status step(MonotonicTime now);

  /// Gives up what is under way. The identity in use stays.
  void abandon();

  bool busy() const { return phase_ != EnrolmentPhase::kIdle; }
  EnrolmentPhase phase() const { return phase_; }
  /// Of the last answer; 0 before one.
  uint16_t http_status() const { return http_status_; }
  uint32_t retry_after_s() const { return retry_after_s_; }
  IdentitySlot slot(IdentityKey key) const { return places_[index(key)].slot; }
  bool on_trial(IdentityKey key) const { return places_[index(key)].trial; }

  /// The new identity has done its work: for `tls` a request of the Courier was answered, for `e2e` prekeys were given. Erases
  /// the former one. \return kOk; kBadState when not on trial; kStorageFailed, kTokenLost: call again.
  Status confirm(IdentityKey key);
  /// Back to the former identity, which is told to the line. \return as `confirm`.
  Status roll_back(IdentityKey key);

  /// Until when the certificate in use is valid. \return kOk; kNotFound; kMalformed; kTokenLost.
  Status not_after(IdentityKey key, UtcTime& out);

 private:
  struct Place {
    IdentitySlot slot = IdentitySlot::kA;
    bool trial = false;
  };
  static constexpr size_t kKeys = 2;
  static constexpr IdentityKey kAllKeys[kKeys] = {IdentityKey::kTls, IdentityKey::kE2e};

  static size_t index(IdentityKey key) { return static_cast<size_t>(key); }
  IdentitySlot candidate() const { return other_slot(places_[index(key_)].slot); }
  Status load(StateStore& state);
  Status settle(IdentityKey key);
  Status save(IdentityKey key, Place place);
  Status make_request();
  Status connect(Channel* channel, EnrolmentPhase phase);
  Status step_connecting();
  Status step_exchange(MonotonicTime now);
  Status ask(MonotonicTime now);
  Status take_answer();
  Status check_chain(CertificateList& list);
  Status take_probe_answer();
  Status switch_over();
  Status advance(MonotonicTime now);

  EnrolmentParts parts_;
  MutableBytes workspace_;
  http::Timeouts timeouts_;
  StateStore* state_ = nullptr;
  Channel* channel_ = nullptr;
  alignas(http::Exchange) uint8_t exchange_memory_[sizeof(http::Exchange)] = {};
  http::Exchange* exchange_ = nullptr;
  http::FixedBody body_{Bytes{}};
  CertificateDates dates_;
  VehicleId id_;
  EcPoint point_;
  size_t request_size_ = 0;
  uint32_t retry_after_s_ = 0;
  uint16_t http_status_ = 0;
  IdentityKey key_ = IdentityKey::kTls;
  EnrolmentAs as_ = EnrolmentAs::kCurrent;
  EnrolmentPhase phase_ = EnrolmentPhase::kIdle;
  Place places_[kKeys];
};

}  // namespace wayseal

#endif
