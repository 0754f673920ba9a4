// SPDX-License-Identifier: Apache-2.0
#include "unit/capi/tables.hpp"

#include <cstring>
#include <string>

namespace wayseal::test {
namespace {

wayseal_status c(Status status) { return static_cast<wayseal_status>(status); }

template <typename T>
T& as(void* context) {
  return *static_cast<T*>(context);
}

// A count by argument, as in C.
template <typename T>
wayseal_status c(Result<T> result, T* out) {
  *out = result.value();
  return c(result.status());
}

template <typename Fixed>
Fixed fixed(const uint8_t* bytes) {
  Fixed out;
  std::memcpy(out.data, bytes, sizeof out.data);
  return out;
}

template <typename Fixed>
void give(const Fixed& from, uint8_t* to) {
  std::memcpy(to, from.data, sizeof from.data);
}

CertificateDates dates_of(wayseal_certificate_dates dates) {
  return {dates.check ? CertificateDates::Check::kAgainst : CertificateDates::Check::kIgnored, {dates.utc_ms}};
}

using fakes::FakeVault;

wayseal_status set_filters(void* context, const wayseal_can_filter* filters, size_t count) {
  std::vector<CanFilter> own;
  for (size_t i = 0; i < count; ++i) {
    own.push_back({filters[i].id, filters[i].mask, filters[i].extended != 0, filters[i].bus});
  }
  return c(as<CanBus>(context).set_filters({own.data(), own.size()}));
}

wayseal_status receive(void* context, wayseal_can_frame* frames, size_t max, size_t* count) {
  std::vector<CanFrame> own(max);
  const wayseal_status status = c(as<CanBus>(context).receive({own.data(), own.size()}), count);
  for (size_t i = 0; i < *count; ++i) {
    frames[i] = {own[i].time_ns, own[i].id, own[i].bus, own[i].flags, own[i].length, 0, {}};
    std::memcpy(frames[i].data, own[i].data, sizeof own[i].data);
  }
  return status;
}

void counters(void* context, uint8_t bus, wayseal_bus_counters* out) {
  const BusCounters from = as<CanBus>(context).counters(bus);
  *out = {from.frames,      from.frames_dropped, from.error_frames,   from.bus_off_events,
          from.down_events, from.unreadable,     from.time_steps_back};
}

wayseal_status derive(void* context, uint32_t ephemeral, wayseal_suite suite, const uint8_t* peer,
                      const uint8_t* transcript, wayseal_session_keys* keys) {
  SessionKeys made;
  const Status status = as<FakeVault>(context).derive({ephemeral}, static_cast<Suite>(suite),
                                                      fixed<EcPoint>(peer), fixed<Digest>(transcript), made);
  *keys = {made.vehicle_to_backend.handle, made.backend_to_vehicle.handle};
  return c(status);
}

wayseal_status make_ephemeral(void* context, uint32_t* ephemeral, uint8_t* out) {
  EphemeralKey key;
  EcPoint point;
  const Status status = as<FakeVault>(context).make_ephemeral(key, point);
  *ephemeral = key.handle;
  give(point, out);
  return c(status);
}

wayseal_status sign(void* context, wayseal_identity_key key, const uint8_t* digest, uint8_t* out) {
  EcSignature signature;
  const auto which = static_cast<IdentityKey>(key);
  const Status status = as<FakeVault>(context).sign(which, fixed<Digest>(digest), signature);
  give(signature, out);
  return c(status);
}

wayseal_status public_key(void* context, wayseal_identity_key key, uint8_t* out) {
  EcPoint point;
  const Status status = as<FakeVault>(context).public_key(static_cast<IdentityKey>(key), point);
  give(point, out);
  return c(status);
}

wayseal_status seal(void* context, uint32_t key, const uint8_t* nonce, const uint8_t* aad, size_t aad_bytes,
                    const uint8_t* text, size_t text_bytes, uint8_t* out) {
  return c(as<FakeVault>(context).seal_with_nonce({key}, fixed<Nonce>(nonce), {aad, aad_bytes},
                                                  {text, text_bytes}, {out, text_bytes + WAYSEAL_TAG_SIZE}));
}

wayseal_status open_sealed(void* context, uint32_t key, const uint8_t* nonce, const uint8_t* aad,
                           size_t aad_bytes, const uint8_t* sealed, size_t sealed_bytes, uint8_t* out) {
  return c(as<FakeVault>(context).open({key}, fixed<Nonce>(nonce), {aad, aad_bytes}, {sealed, sealed_bytes},
                                       {out, sealed_bytes - WAYSEAL_TAG_SIZE}));
}

void destroy(void* context, const wayseal_session_keys* keys) {
  SessionKeys own{{keys->vehicle_to_backend}, {keys->backend_to_vehicle}};
  as<FakeVault>(context).destroy(own);
}

wayseal_status read_object(void* context, wayseal_vault_object object, uint8_t* out, size_t max, size_t* used) {
  return c(as<FakeVault>(context).read_object(static_cast<VaultObject>(object), {out, max}), used);
}

wayseal_status verify(void* context, const wayseal_bytes* certificates, size_t count, wayseal_role role,
                      wayseal_certificate_dates dates, wayseal_certificate_info* info) {
  CertChain chain;
  chain.count = count;
  for (size_t i = 0; i < count; ++i) chain.certificates[i] = {certificates[i].data, certificates[i].size};
  CertInfo found;
  const Status status =
      as<CertVerifier>(context).verify(chain, static_cast<Role>(role), dates_of(dates), found);
  give(found.public_key, info->public_key);
  std::memcpy(info->subject, found.subject.text, sizeof found.subject.text);
  info->subject_bytes = found.subject.size;
  info->not_before_ms = found.not_before.ms;
  info->not_after_ms = found.not_after.ms;
  return c(status);
}

const char* authority(void* context) {
  static std::string text;  // one channel at a time
  const Bytes name = as<Channel>(context).authority();
  text.assign(name.begin(), name.end());
  return text.c_str();
}

void geometry(void* context, wayseal_storage_geometry* out) {
  const StorageGeometry shape = as<Storage>(context).geometry();
  *out = {shape.block_size, shape.block_count, shape.program_size};
}

}  // namespace

const wayseal_can_bus_functions kCanBusTable = {
    sizeof(wayseal_can_bus_functions),
    set_filters,
    receive,
    [](void* bus) { return as<CanBus>(bus).bus_count(); },
    [](void* bus, uint8_t index) { return static_cast<wayseal_bus_state>(as<CanBus>(bus).state(index)); },
    counters,
    [](void* bus) { return static_cast<wayseal_time_base>(as<CanBus>(bus).time_base()); }};

const wayseal_key_vault_functions kVaultTable = {
    sizeof(wayseal_key_vault_functions),
    [](void* vault) { return as<FakeVault>(vault).capabilities().suites.bits; },
    [](void* vault) { return as<FakeVault>(vault).epoch(); },
    [](void* vault) { return c(as<FakeVault>(vault).reopen()); },
    [](void* vault, uint8_t* out, size_t bytes) {
      return c(as<FakeVault>(vault).random({out, bytes}));
    },
    sign,
    public_key,
    read_object,
    make_ephemeral,
    derive,
    seal,
    open_sealed,
    destroy,
    [](void* vault, uint64_t* value) { return c(as<FakeVault>(vault).monotonic_counter(), value); },
    [](void* vault, uint64_t* value) { return c(as<FakeVault>(vault).increment_monotonic_counter(), value); },
    [](void* vault) { return as<FakeVault>(vault).diagnostic(); }};

const wayseal_cert_verifier_functions kCertVerifierTable = {sizeof(wayseal_cert_verifier_functions), verify};

const wayseal_channel_functions kChannelTable = {
    sizeof(wayseal_channel_functions),
    [](void* line, wayseal_certificate_dates dates) { return c(as<Channel>(line).open(dates_of(dates))); },
    [](void* line) { return c(as<Channel>(line).progress()); },
    [](void* line, const uint8_t* data, size_t bytes, size_t* taken) {
      return c(as<Channel>(line).write({data, bytes}), taken);
    },
    [](void* line, uint8_t* out, size_t max, size_t* given) {
      return c(as<Channel>(line).read({out, max}), given);
    },
    [](void* line) { as<Channel>(line).close(); },
    authority,
    [](void* line, wayseal_channel_diagnostic* out) {
      const ChannelDiagnostic found = as<Channel>(line).diagnostic();
      *out = {static_cast<wayseal_channel_failure>(found.failure), found.native};
    },
    [](void* line) { return as<Channel>(line).wire_bytes(); }};

const wayseal_transport_functions kTransportTable = {
    sizeof(wayseal_transport_functions),
    [](void* line) { return c(as<Transport>(line).connect()); },
    [](void* line) { return c(as<Transport>(line).progress()); },
    [](void* line, const uint8_t* data, size_t bytes, size_t* taken) {
      return c(as<Transport>(line).send({data, bytes}), taken);
    },
    [](void* line, uint8_t* out, size_t max, size_t* given) {
      return c(as<Transport>(line).receive({out, max}), given);
    },
    [](void* line) { as<Transport>(line).close(); },
    [](void* line) { return as<Transport>(line).diagnostic(); }};

const wayseal_clock_functions kClockTable = {sizeof(wayseal_clock_functions),
                                             [](void* clock) { return as<Clock>(clock).now().ns; },
                                             [](void* clock) { return as<Clock>(clock).continuity(); }};

const wayseal_storage_functions kStorageTable = {
    sizeof(wayseal_storage_functions),
    geometry,
    [](void* area, uint64_t offset, uint8_t* out, size_t bytes) {
      return c(as<Storage>(area).read(offset, {out, bytes}));
    },
    [](void* area, uint64_t offset, const uint8_t* data, size_t bytes) {
      return c(as<Storage>(area).program(offset, {data, bytes}));
    },
    [](void* area, uint32_t block) { return c(as<Storage>(area).erase(block)); },
    [](void* area) { return c(as<Storage>(area).sync()); }};

}  // namespace wayseal::test
