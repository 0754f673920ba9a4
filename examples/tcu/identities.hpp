// SPDX-License-Identifier: Apache-2.0
/// \file
/// Keeps the vehicle's certificates fresh while the agent works: when to renew, by whom to ask, when a new identity has proved
/// itself.
#ifndef WAYSEAL_EXAMPLES_TCU_IDENTITIES_HPP
#define WAYSEAL_EXAMPLES_TCU_IDENTITIES_HPP

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config.hpp"
#include "wayseal/enrol/enrolment.hpp"
#include "wayseal/enrol/gateway_anchors.hpp"
#include "wayseal/flow/client.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/pkcs11/pkcs11_identities.hpp"
#include "wayseal/posix/tcp_transport.hpp"

namespace tcu {

/// What the agent does for it.
struct IdentityHooks {
  /// The TLS identity in use, or the authorities that gateways are trusted by, have changed: set up the gateway's channel anew.
  std::function<void()> tls_changed;
  /// One line of log: event, detail.
  std::function<void(const char*, const std::string&)> log;
};

struct IdentityParts {
  wayseal::Pkcs11Vault& vault;
  wayseal::CertVerifier& verifier;
  wayseal::Clock& clock;
  wayseal::Bytes gateway_ca;  ///< As provisioned. Borrowed.
};

class Identities final : private wayseal::EnrolmentLine {
 public:
  Identities(const Config& config, const IdentityParts& parts);
  Identities(const Identities&) = delete;
  Identities& operator=(const Identities&) = delete;

  /// Chooses the places of the token that are in use, by what `state` holds. Before anything reads an identity.
  /// \param state the storage of the Client's state, which nobody else uses yet.
  wayseal::Status restore(wayseal::Storage& state);
  /// The token has no identity that is whole: asks for both by the bootstrap identity, and waits for them. Throws SetupError.
  void enrol_first(wayseal::Storage& state);

  /// Once the client has started.
  void attach(wayseal::Client& client, IdentityHooks hooks);
  /// A bounded piece of work. \return true when there is more to do at once.
  bool step(wayseal::MonotonicTime now);
  /// Replaces both keys as soon as possible, whatever their certificates say.
  void renew_now() {
    wanted_[0] = wanted_[1] = true;
    look_again_at_ = try_again_at_ = fetch_anchors_at_ = {};
  }

  /// Fills in whom gateways are trusted by.
  void set_anchors(wayseal::TlsConfig& tls) const;

  uint32_t renewals() const { return renewals_; }
  uint32_t failures() const { return failures_; }
  uint32_t roll_backs() const { return roll_backs_; }
  uint64_t wire_bytes() const;

 private:
  /// What the Courier had counted when an identity went on trial.
  struct Baseline {
    uint32_t connections = 0;
    uint32_t connections_failed = 0;
    uint32_t uploads_acked = 0;
    uint32_t prekey_fetches = 0;
    uint32_t prekey_replies = 0;
  };

  wayseal::Channel* do_enrolment(wayseal::EnrolmentAs as) override;
  wayseal::Channel* do_probe(wayseal::IdentitySlot slot, wayseal::Bytes leaf,
                             wayseal::Bytes intermediate) override;
  void do_changed(wayseal::IdentityKey key) override;

  wayseal::Channel* configure(wayseal::TlsChannel& channel, wayseal::TlsConfig tls);
  std::vector<uint8_t> certificate(wayseal::IdentityPart part);
  std::vector<uint8_t> bootstrap_certificate();
  bool step_anchors(wayseal::MonotonicTime now);
  void look_at_dates();
  void look_at_refusals();
  void begin(wayseal::IdentityKey key, wayseal::EnrolmentAs as, wayseal::MonotonicTime now);
  void finished(wayseal::Status status, wayseal::MonotonicTime now);
  void watch_trials();
  bool proved(wayseal::IdentityKey key) const;
  bool failed(wayseal::IdentityKey key) const;
  wayseal::VehicleId bootstrap_id();
  wayseal::VehicleId id();
  void log(const char* event, const std::string& detail) const;

  std::string enrol_host_;
  std::string enrol_port_;
  std::string enrol_authority_;
  std::string gateway_host_;
  std::string gateway_port_;
  std::string gateway_authority_;
  int64_t renew_ms_;
  int64_t retry_ms_;
  bool configured_;
  IdentityParts parts_;
  wayseal::Pkcs11Identities store_;
  wayseal::Pkcs11SigningKey bootstrap_key_;
  std::unique_ptr<wayseal::IdentityPlaceKey> probe_key_;
  wayseal::TcpTransport enrol_transport_;
  wayseal::TcpTransport probe_transport_;
  wayseal::TlsChannel enrol_channel_;
  wayseal::TlsChannel probe_channel_;
  std::vector<uint8_t> shown_leaf_;
  std::vector<uint8_t> shown_intermediate_;
  std::vector<uint8_t> workspace_;
  wayseal::Enrolment enrolment_;
  std::vector<uint8_t> anchors_memory_;
  wayseal::GatewayAnchors anchors_;
  std::unique_ptr<wayseal::StateStore> first_state_;
  wayseal::Client* client_ = nullptr;
  IdentityHooks hooks_;
  Baseline baselines_[2];
  bool wanted_[2] = {};
  bool by_bootstrap_[2] = {};
  wayseal::IdentityKey key_ = wayseal::IdentityKey::kTls;
  wayseal::MonotonicTime look_again_at_;
  wayseal::MonotonicTime try_again_at_;
  wayseal::MonotonicTime fetch_anchors_at_;
  uint32_t failures_in_a_row_ = 0;
  uint32_t renewals_ = 0;
  uint32_t failures_ = 0;
  uint32_t roll_backs_ = 0;
};

}  // namespace tcu

#endif
