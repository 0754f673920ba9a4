// SPDX-License-Identifier: Apache-2.0
#include "capi/ports.hpp"

#include <cstring>

#include "capi/convert.hpp"

namespace wayseal::capi {
namespace {

wayseal_certificate_dates to_c(CertificateDates dates) {
  return {dates.check == CertificateDates::Check::kAgainst, dates.now.ms};
}

// A count that a function gave for a buffer of `max`; 0 stands for nothing yet, which the contracts say by a status.
Result<size_t> moved(Status status, size_t count, size_t max) {
  if (status != Status::kOk) return status;
  if (count == 0) return Status::kWouldBlock;
  if (count > max) return Status::kInvalidArgument;
  return count;
}

}  // namespace

// Filters and frames have one layout in both languages (checks.cpp), and the C types alias anything.
Status TableCanBus::do_set_filters(Span<const CanFilter> filters) {
  if (to_.functions->set_filters == nullptr) return Status::kUnsupported;
  const auto* const data = reinterpret_cast<const wayseal_can_filter*>(filters.data());
  return from_c(to_.functions->set_filters(to_.context, data, filters.size()));
}

Result<size_t> TableCanBus::do_receive(Span<CanFrame> frames) {
  size_t count = 0;
  auto* const data = reinterpret_cast<wayseal_can_frame*>(frames.data());
  const Status status = from_c(to_.functions->receive(to_.context, data, frames.size(), &count));
  if (status != Status::kOk) return status;
  if (count > frames.size()) return Status::kInvalidArgument;
  return count;
}

BusState TableCanBus::do_state(uint8_t bus) const {
  if (bus >= do_bus_count()) return BusState::kDown;
  const int state = to_.functions->state(to_.context, bus);
  const bool known = state >= 0 && state <= static_cast<int>(BusState::kEnded);
  return known ? static_cast<BusState>(state) : BusState::kDown;
}

BusCounters TableCanBus::do_counters(uint8_t bus) const {
  BusCounters out;
  if (bus >= do_bus_count()) return out;
  wayseal_bus_counters counters = {};
  to_.functions->counters(to_.context, bus, &counters);
  std::memcpy(static_cast<void*>(&out), &counters, sizeof out);
  return out;
}

TimeBase TableCanBus::do_time_base() const {
  if (to_.functions->time_base == nullptr) return TimeBase::kMonotonic;
  const int base = to_.functions->time_base(to_.context);
  return base == static_cast<int>(TimeBase::kRecorded) ? TimeBase::kRecorded : TimeBase::kMonotonic;
}

VaultCapabilities TableKeyVault::do_capabilities() const {
  VaultCapabilities out;
  out.suites.bits = to_.functions->suites(to_.context);
  out.monotonic_counter = to_.functions->monotonic_counter != nullptr;
  return out;
}

Status TableKeyVault::do_reopen() { return from_c(to_.functions->reopen(to_.context)); }

Status TableKeyVault::do_random(MutableBytes out) {
  return from_c(to_.functions->random(to_.context, out.data(), out.size()));
}

Status TableKeyVault::do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) {
  const auto which = static_cast<wayseal_identity_key>(key);
  return from_c(to_.functions->sign(to_.context, which, digest.data, signature.data));
}

Status TableKeyVault::do_public_key(IdentityKey key, EcPoint& point) {
  return from_c(to_.functions->public_key(to_.context, static_cast<wayseal_identity_key>(key), point.data));
}

Result<size_t> TableKeyVault::do_read_object(VaultObject object, MutableBytes out) {
  size_t used = 0;
  const auto which = static_cast<wayseal_vault_object>(object);
  const Status status = from_c(to_.functions->read_object(to_.context, which, out.data(), out.size(), &used));
  if (status != Status::kOk) return status;
  if (used > out.size()) return Status::kInvalidArgument;
  return used;
}

Status TableKeyVault::do_make_ephemeral(EphemeralKey& key, EcPoint& point) {
  return from_c(to_.functions->make_ephemeral(to_.context, &key.handle, point.data));
}

Status TableKeyVault::do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                                SessionKeys& keys) {
  wayseal_session_keys made = {};
  const Status status = from_c(to_.functions->derive(to_.context, key.handle, static_cast<wayseal_suite>(suite),
                                                     peer.data, transcript.data, &made));
  if (status == Status::kOk) keys = {{made.vehicle_to_backend}, {made.backend_to_vehicle}};
  return status;
}

Status TableKeyVault::do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                              MutableBytes out) {
  return from_c(to_.functions->seal(to_.context, key.handle, nonce.data, aad.data(), aad.size(),
                                    plaintext.data(), plaintext.size(), out.data()));
}

Status TableKeyVault::do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext,
                              MutableBytes out) {
  return from_c(to_.functions->open(to_.context, key.handle, nonce.data, aad.data(), aad.size(),
                                    ciphertext.data(), ciphertext.size(), out.data()));
}

void TableKeyVault::do_destroy(const SessionKeys& keys) {
  const wayseal_session_keys handles = {keys.vehicle_to_backend.handle, keys.backend_to_vehicle.handle};
  to_.functions->destroy(to_.context, &handles);
}

Result<uint64_t> TableKeyVault::do_monotonic_counter() {
  if (to_.functions->monotonic_counter == nullptr) return Status::kUnsupported;
  uint64_t value = 0;
  const Status status = from_c(to_.functions->monotonic_counter(to_.context, &value));
  if (status != Status::kOk) return status;
  return value;
}

Result<uint64_t> TableKeyVault::do_increment_monotonic_counter() {
  if (to_.functions->increment_monotonic_counter == nullptr) return Status::kUnsupported;
  uint64_t value = 0;
  const Status status = from_c(to_.functions->increment_monotonic_counter(to_.context, &value));
  if (status != Status::kOk) return status;
  return value;
}

uint64_t TableKeyVault::do_diagnostic() const {
  return to_.functions->diagnostic != nullptr ? to_.functions->diagnostic(to_.context) : 0;
}

Status TableCertVerifier::do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) {
  wayseal_bytes certificates[kChainMax] = {};
  for (size_t i = 0; i < chain.count; ++i) {
    certificates[i] = {chain.certificates[i].data(), chain.certificates[i].size()};
  }
  wayseal_certificate_info found = {};
  WAYSEAL_TRY(from_c(to_.functions->verify(to_.context, certificates, chain.count,
                                           static_cast<wayseal_role>(role), to_c(dates), &found)));
  if (found.subject_bytes > kVehicleIdMax) return Status::kInvalidArgument;
  std::memcpy(info.public_key.data, found.public_key, sizeof found.public_key);
  std::memcpy(info.subject.text, found.subject, sizeof found.subject);
  info.subject.size = found.subject_bytes;
  info.not_before.ms = found.not_before_ms;
  info.not_after.ms = found.not_after_ms;
  return Status::kOk;
}

Status TableChannel::do_open(CertificateDates dates) {
  return from_c(to_.functions->open(to_.context, to_c(dates)));
}

Status TableChannel::do_progress() { return from_c(to_.functions->progress(to_.context)); }

Result<size_t> TableChannel::do_write(Bytes data) {
  size_t taken = 0;
  const Status status = from_c(to_.functions->write(to_.context, data.data(), data.size(), &taken));
  return moved(status, taken, data.size());
}

Result<size_t> TableChannel::do_read(MutableBytes out) {
  size_t given = 0;
  const Status status = from_c(to_.functions->read(to_.context, out.data(), out.size(), &given));
  return moved(status, given, out.size());
}

Bytes TableChannel::do_authority() const {
  const char* const name = to_.functions->authority(to_.context);
  if (name == nullptr) return {};
  return {reinterpret_cast<const uint8_t*>(name), std::strlen(name)};
}

ChannelDiagnostic TableChannel::do_diagnostic() const {
  ChannelDiagnostic out;
  if (to_.functions->diagnostic == nullptr) return out;
  wayseal_channel_diagnostic found = {};
  to_.functions->diagnostic(to_.context, &found);
  const int failure = found.failure;
  const bool known = failure >= 0 && failure <= static_cast<int>(ChannelFailure::kProtocolError);
  out.failure = known ? static_cast<ChannelFailure>(failure) : ChannelFailure::kProtocolError;
  out.native = found.native;
  return out;
}

uint64_t TableChannel::do_wire_bytes() const {
  return to_.functions->wire_bytes != nullptr ? to_.functions->wire_bytes(to_.context) : 0;
}

Status TableTransport::do_connect() { return from_c(to_.functions->connect(to_.context)); }

Status TableTransport::do_progress() { return from_c(to_.functions->progress(to_.context)); }

Result<size_t> TableTransport::do_send(Bytes data) {
  size_t taken = 0;
  const Status status = from_c(to_.functions->send(to_.context, data.data(), data.size(), &taken));
  return moved(status, taken, data.size());
}

Result<size_t> TableTransport::do_receive(MutableBytes out) {
  size_t given = 0;
  const Status status = from_c(to_.functions->receive(to_.context, out.data(), out.size(), &given));
  return moved(status, given, out.size());
}

int32_t TableTransport::do_diagnostic() const {
  return to_.functions->diagnostic != nullptr ? to_.functions->diagnostic(to_.context) : 0;
}

StorageGeometry TableStorage::do_geometry() const {
  wayseal_storage_geometry shape = {};
  to_.functions->geometry(to_.context, &shape);
  return {shape.block_size, shape.block_count, shape.program_size};
}

Status TableStorage::do_read(uint64_t offset, MutableBytes out) {
  return from_c(to_.functions->read(to_.context, offset, out.data(), out.size()));
}

Status TableStorage::do_program(uint64_t offset, Bytes data) {
  return from_c(to_.functions->program(to_.context, offset, data.data(), data.size()));
}

Status TableStorage::do_erase(uint32_t block) { return from_c(to_.functions->erase(to_.context, block)); }

Status TableStorage::do_sync() { return from_c(to_.functions->sync(to_.context)); }

}  // namespace wayseal::capi
