// SPDX-License-Identifier: Apache-2.0
#include "identities.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "ports.hpp"

namespace tcu {
namespace {

using wayseal::ChannelFailure;
using wayseal::EnrolmentAs;
using wayseal::IdentityKey;
using wayseal::IdentityPart;
using wayseal::IdentitySlot;
using wayseal::MonotonicTime;
using wayseal::Status;

constexpr IdentityKey kKeys[] = {IdentityKey::kTls, IdentityKey::kE2e};
constexpr const char* kNames[] = {"tls", "e2e"};
/// How often dates and refusals are looked at.
constexpr int64_t kLookMs = 1'000;
/// How often the gateways' authorities are asked for, and when that has failed.
constexpr int64_t kAnchorsMs = wayseal::kMsPerDay;
constexpr int64_t kAnchorsAgainMs = 10 * 60 * 1'000;
constexpr int64_t kRetryMaxMs = 3'600'000;
constexpr unsigned kDoublingsMax = 10;
/// Refusals in a row that make an identity on trial the wrong one, and one that is not on trial worth replacing.
constexpr uint32_t kRefusalsMax = 3;
constexpr int64_t kFirstEnrolmentMs = 60'000;
constexpr std::chrono::milliseconds kStepPause{5};

size_t index(IdentityKey key) { return static_cast<size_t>(key); }

wayseal::Bytes view(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

wayseal::TcpOptions tcp(const std::string& host, const std::string& port) {
  wayseal::TcpOptions out;
  out.host = host.c_str();
  out.port = port.c_str();
  return out;
}

}  // namespace

Identities::Identities(const Config& config, const IdentityParts& parts)
    : enrol_host_(config.enrolment.host),
      enrol_port_(std::to_string(config.enrolment.port)),
      enrol_authority_(enrol_host_ + ":" + enrol_port_),
      gateway_host_(config.gateway.host),
      gateway_port_(std::to_string(config.gateway.port)),
      gateway_authority_(gateway_host_ + ":" + gateway_port_),
      renew_ms_(config.enrolment.renew_days * wayseal::kMsPerDay),
      retry_ms_(config.delivery.retry_min_ms),
      configured_(config.enrolment.port != 0),
      parts_(parts),
      store_(parts.vault),
      bootstrap_key_(parts.vault, "bootstrap"),
      enrol_transport_(tcp(enrol_host_, enrol_port_)),
      probe_transport_(tcp(gateway_host_, gateway_port_)),
      enrol_channel_(enrol_transport_, parts.vault, parts.clock),
      probe_channel_(probe_transport_, parts.vault, parts.clock),
      workspace_(wayseal::kEnrolmentWorkspace),
      enrolment_({store_, parts.verifier, *this}, {workspace_.data(), workspace_.size()}),
      anchors_memory_(wayseal::kGatewayAnchorsMemory),
      anchors_(parts.verifier, {anchors_memory_.data(), anchors_memory_.size()}) {}

Status Identities::restore(wayseal::Storage& state) {
  first_state_ = std::make_unique<wayseal::StateStore>(state);
  const Status mounted = first_state_->mount();
  if (mounted != Status::kOk) return mounted;
  static_cast<void>(anchors_.load(*first_state_));  // none, or no good ones: those of provisioning hold
  return enrolment_.restore(*first_state_);
}

void Identities::enrol_first(wayseal::Storage& state) {
  const Status restored = restore(state);
  if (restored == Status::kOk) return;
  if (restored != Status::kNotFound)
    throw SetupError(std::string("the token's identities cannot be chosen (") + wayseal::status_name(restored) +
                     ")");
  if (!configured_)
    throw SetupError("the token has no identity: run `wayseal-oem provision`, or give an [enrolment] port");
  const MonotonicTime deadline = wayseal::after_ms(parts_.clock.now(), kFirstEnrolmentMs);
  for (const IdentityKey key : kKeys) {
    wayseal::UtcTime end;
    if (enrolment_.not_after(key, end) == Status::kOk) continue;
    Status status = enrolment_.begin(key, EnrolmentAs::kBootstrap, bootstrap_id(), {});
    while (status == Status::kOk && enrolment_.busy() && parts_.clock.now() < deadline) {
      status = enrolment_.step(parts_.clock.now());
      if (status != Status::kWouldBlock) break;
      std::this_thread::sleep_for(kStepPause);
      status = Status::kOk;
    }
    // For the TLS key the gateway has answered; for the other the first prekeys will tell, and there is nothing to return to.
    if (status == Status::kOk && !enrolment_.busy()) status = enrolment_.confirm(key);
    if (status == Status::kOk && !enrolment_.busy()) continue;
    throw SetupError(std::string("the token has no identity '") + kNames[index(key)] +
                     "' and enrolment has failed (" + wayseal::status_name(status) + ", HTTP " +
                     std::to_string(enrolment_.http_status()) + ")");
  }
}

void Identities::attach(wayseal::Client& client, IdentityHooks hooks) {
  client_ = &client;
  hooks_ = std::move(hooks);
  first_state_.reset();
  static_cast<void>(enrolment_.restore(client.state()));
  static_cast<void>(anchors_.load(client.state()));
}

bool Identities::step(MonotonicTime now) {
  if (client_ == nullptr) return false;
  if (enrolment_.busy()) {
    const Status status = enrolment_.step(now);
    if (status == Status::kWouldBlock) return true;
    finished(status, now);
    return false;
  }
  if (anchors_.busy()) return step_anchors(now);
  if (now < look_again_at_) return false;
  look_again_at_ = wayseal::after_ms(now, kLookMs);
  watch_trials();
  if (!configured_) return false;
  look_at_dates();
  look_at_refusals();
  // Where the enrolment server is shows in the first prekeys: before them, there may be no network at all.
  if (fetch_anchors_at_ <= now && client_->stats().courier.prekey_replies > 0) {
    fetch_anchors_at_ = wayseal::after_ms(now, kAnchorsMs);
    wayseal::Channel* const channel = do_enrolment(EnrolmentAs::kCurrent);
    if (channel != nullptr && anchors_.begin(*channel, client_->certificate_dates()) == Status::kOk)
      return true;
  }
  if (now < try_again_at_) return false;
  for (const IdentityKey key : kKeys) {
    if (!wanted_[index(key)] || enrolment_.on_trial(key)) continue;
    begin(key, by_bootstrap_[index(key)] ? EnrolmentAs::kBootstrap : EnrolmentAs::kCurrent, now);
    return true;
  }
  return false;
}

bool Identities::step_anchors(MonotonicTime now) {
  const Status status = anchors_.step(now);
  if (status == Status::kWouldBlock) return true;
  if (status != Status::kOk) {
    log("gateway authorities not fetched", wayseal::status_name(status));
    fetch_anchors_at_ = wayseal::after_ms(now, kAnchorsAgainMs);
  } else if (anchors_.changed()) {
    log("gateway authorities", std::to_string(anchors_.count()));
    client_->hang_up();
    hooks_.tls_changed();
  }
  return false;
}

void Identities::set_anchors(wayseal::TlsConfig& tls) const {
  tls.gateway_ca = anchors_.count() > 0 ? anchors_.certificate(0) : parts_.gateway_ca;
  if (anchors_.count() > 1) tls.next_gateway_ca = anchors_.certificate(1);
}

// Dates mean something only while there is trusted time.
void Identities::look_at_dates() {
  const wayseal::CertificateDates dates = client_->certificate_dates();
  if (dates.check != wayseal::CertificateDates::Check::kAgainst) return;
  for (const IdentityKey key : kKeys) {
    wayseal::UtcTime end;
    if (enrolment_.not_after(key, end) != Status::kOk) continue;
    if (end.ms - dates.now.ms > renew_ms_) continue;
    wanted_[index(key)] = true;
    if (end <= dates.now && key == IdentityKey::kTls) by_bootstrap_[0] = by_bootstrap_[1] = true;
  }
}

// A vehicle that was off until its certificate had expired learns that from the gateway, or from a backend that gives no
// prekeys and with them no time.
void Identities::look_at_refusals() {
  const wayseal::CourierStats stats = client_->stats().courier;
  const bool refused = stats.last_channel_failure.failure == ChannelFailure::kClientCertificateRefused &&
                       stats.last_failure == Status::kRefused;
  if (refused && !enrolment_.on_trial(IdentityKey::kTls)) {
    wanted_[0] = true;
    by_bootstrap_[0] = true;
  }
  const bool no_prekeys = !client_->stats().time_trusted && stats.prekey_replies == 0 &&
                          stats.prekey_fetches >= kRefusalsMax && stats.last_http_status >= 400 &&
                          stats.last_http_status < 500;
  if (no_prekeys && !enrolment_.on_trial(IdentityKey::kE2e)) wanted_[1] = true;
}

void Identities::begin(IdentityKey key, EnrolmentAs as, MonotonicTime now) {
  key_ = key;
  const Status status = enrolment_.begin(key, as, id(), client_->certificate_dates());
  if (status != Status::kOk) finished(status, now);
}

void Identities::finished(Status status, MonotonicTime now) {
  const size_t key = index(key_);
  if (status == Status::kOk) {
    wanted_[key] = false;
    by_bootstrap_[key] = false;
    failures_in_a_row_ = 0;
    ++renewals_;
    log("identity on trial", kNames[key]);
    return;
  }
  ++failures_;
  // Who refuses the identity that asks may take the other one.
  if (status == Status::kRefused || status == Status::kNotAuthentic) by_bootstrap_[key] = !by_bootstrap_[key];
  const int64_t wait_ms = std::min(retry_ms_ << std::min(failures_in_a_row_, kDoublingsMax), kRetryMaxMs);
  ++failures_in_a_row_;
  const int64_t asked_ms = int64_t{enrolment_.retry_after_s()} * wayseal::kMsPerSecond;
  try_again_at_ = wayseal::after_ms(now, std::max(wait_ms, std::min(asked_ms, kRetryMaxMs)));
  log("identity not renewed", std::string(kNames[key]) + ", " + wayseal::status_name(status) + ", HTTP " +
                                  std::to_string(enrolment_.http_status()));
}

void Identities::watch_trials() {
  for (const IdentityKey key : kKeys) {
    if (!enrolment_.on_trial(key)) continue;
    if (proved(key)) {
      if (enrolment_.confirm(key) == Status::kOk) log("identity confirmed", kNames[index(key)]);
    } else if (failed(key) && enrolment_.roll_back(key) == Status::kOk) {
      ++roll_backs_;
      log("identity rolled back", kNames[index(key)]);
    }
  }
}

bool Identities::proved(IdentityKey key) const {
  const wayseal::CourierStats now = client_->stats().courier;
  const Baseline& before = baselines_[index(key)];
  if (key == IdentityKey::kE2e) return now.prekey_replies > before.prekey_replies;
  const bool answered = now.uploads_acked > before.uploads_acked || now.prekey_replies > before.prekey_replies;
  return now.connections > before.connections && answered;
}

bool Identities::failed(IdentityKey key) const {
  const wayseal::CourierStats now = client_->stats().courier;
  const Baseline& before = baselines_[index(key)];
  if (key == IdentityKey::kTls) {
    return now.last_channel_failure.failure == ChannelFailure::kClientCertificateRefused &&
           now.connections_failed + now.connections >=
               before.connections_failed + before.connections + kRefusalsMax;
  }
  return now.prekey_fetches >= before.prekey_fetches + kRefusalsMax && now.last_http_status >= 400 &&
         now.last_http_status < 500;
}

wayseal::Channel* Identities::do_enrolment(EnrolmentAs as) {
  wayseal::TlsConfig tls;
  tls.server_name = enrol_host_.c_str();
  tls.authority = enrol_authority_.c_str();
  if (as == EnrolmentAs::kBootstrap) {
    shown_leaf_ = bootstrap_certificate();
    shown_intermediate_.clear();
    tls.key = &bootstrap_key_;
  } else {
    shown_leaf_ = certificate(IdentityPart::kLeaf);
    shown_intermediate_ = certificate(IdentityPart::kIntermediate);
  }
  tls.certificate = view(shown_leaf_);
  tls.intermediate = view(shown_intermediate_);
  return configure(enrol_channel_, tls);
}

wayseal::Channel* Identities::do_probe(IdentitySlot slot, wayseal::Bytes leaf, wayseal::Bytes intermediate) {
  // The chain lies where the answer will: mbedTLS reads certificates in place.
  shown_leaf_.assign(leaf.begin(), leaf.end());
  shown_intermediate_.assign(intermediate.begin(), intermediate.end());
  probe_key_ = std::make_unique<wayseal::IdentityPlaceKey>(store_, IdentityKey::kTls, slot);
  wayseal::TlsConfig tls;
  tls.server_name = gateway_host_.c_str();
  tls.authority = gateway_authority_.c_str();
  tls.key = probe_key_.get();
  tls.certificate = view(shown_leaf_);
  tls.intermediate = view(shown_intermediate_);
  return configure(probe_channel_, tls);
}

wayseal::Channel* Identities::configure(wayseal::TlsChannel& channel, wayseal::TlsConfig tls) {
  set_anchors(tls);
  return channel.configure(tls) == Status::kOk ? &channel : nullptr;
}

void Identities::do_changed(IdentityKey key) {
  if (client_ == nullptr) return;
  const wayseal::CourierStats stats = client_->stats().courier;
  baselines_[index(key)] = {stats.connections, stats.connections_failed, stats.uploads_acked,
                            stats.prekey_fetches, stats.prekey_replies};
  client_->hang_up();
  if (key == IdentityKey::kTls) {
    hooks_.tls_changed();
  } else if (const Status status = client_->reload_identity(); status != Status::kOk) {
    log("identity not loaded", wayseal::status_name(status));
  }
}

std::vector<uint8_t> Identities::certificate(IdentityPart part) {
  std::vector<uint8_t> out(wayseal::kCertificateMax);
  const auto size = store_.read_certificate(IdentityKey::kTls, enrolment_.slot(IdentityKey::kTls), part,
                                            {out.data(), out.size()});
  out.resize(size.value_or(0));
  return out;
}

std::vector<uint8_t> Identities::bootstrap_certificate() {
  std::vector<uint8_t> out(wayseal::kCertificateMax);
  const auto size = bootstrap_key_.read_certificate({out.data(), out.size()});
  out.resize(size.value_or(0));
  return out;
}

wayseal::VehicleId Identities::bootstrap_id() {
  wayseal::CertificateFields fields;
  const std::vector<uint8_t> der = bootstrap_certificate();
  if (wayseal::read_certificate_fields(view(der), fields) != Status::kOk)
    throw SetupError(
        "the token has neither an identity nor a bootstrap certificate: run `wayseal-oem provision`");
  return fields.subject;
}

wayseal::VehicleId Identities::id() { return client_->vehicle_id(); }

uint64_t Identities::wire_bytes() const { return enrol_channel_.wire_bytes() + probe_channel_.wire_bytes(); }

void Identities::log(const char* event, const std::string& detail) const {
  if (hooks_.log) hooks_.log(event, detail);
}

}  // namespace tcu
