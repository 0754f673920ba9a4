// SPDX-License-Identifier: Apache-2.0
/// \file
/// The contracts on tables of functions: three words each, no state of their own.
#ifndef WAYSEAL_LIB_CAPI_PORTS_HPP
#define WAYSEAL_LIB_CAPI_PORTS_HPP

#include "wayseal/capi/handles.hpp"

namespace wayseal::capi {

/// What every adapter holds; both borrowed.
template <typename Functions>
struct Adapted {
  const Functions* functions;
  void* context;
};

class TableCanBus final : public CanBus {
 public:
  explicit TableCanBus(const Adapted<wayseal_can_bus_functions>& to) : to_(to) {}

 private:
  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override { return to_.functions->bus_count(to_.context); }
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override;

  Adapted<wayseal_can_bus_functions> to_;
};

class TableKeyVault final : public KeyVault {
 public:
  explicit TableKeyVault(const Adapted<wayseal_key_vault_functions>& to) : to_(to) {}

 private:
  VaultCapabilities do_capabilities() const override;
  uint32_t do_epoch() const override { return to_.functions->epoch(to_.context); }
  Status do_reopen() override;
  Status do_random(MutableBytes out) override;
  Status do_sign(IdentityKey key, const Digest& digest, EcSignature& signature) override;
  Status do_public_key(IdentityKey key, EcPoint& point) override;
  Result<size_t> do_read_object(VaultObject object, MutableBytes out) override;
  Status do_make_ephemeral(EphemeralKey& key, EcPoint& point) override;
  Status do_derive(EphemeralKey key, Suite suite, const EcPoint& peer, const Digest& transcript,
                   SessionKeys& keys) override;
  Status do_seal(SessionKey key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes out) override;
  Status do_open(SessionKey key, const Nonce& nonce, Bytes aad, Bytes ciphertext, MutableBytes out) override;
  void do_destroy(const SessionKeys& keys) override;
  Result<uint64_t> do_monotonic_counter() override;
  Result<uint64_t> do_increment_monotonic_counter() override;
  uint64_t do_diagnostic() const override;

  Adapted<wayseal_key_vault_functions> to_;
};

class TableCertVerifier final : public CertVerifier {
 public:
  explicit TableCertVerifier(const Adapted<wayseal_cert_verifier_functions>& to) : to_(to) {}

 private:
  Status do_verify(const CertChain& chain, Role role, CertificateDates dates, CertInfo& info) override;

  Adapted<wayseal_cert_verifier_functions> to_;
};

class TableChannel final : public Channel {
 public:
  explicit TableChannel(const Adapted<wayseal_channel_functions>& to) : to_(to) {}

 private:
  Status do_open(CertificateDates dates) override;
  Status do_progress() override;
  Result<size_t> do_write(Bytes data) override;
  Result<size_t> do_read(MutableBytes out) override;
  void do_close() override { to_.functions->close(to_.context); }
  Bytes do_authority() const override;
  ChannelDiagnostic do_diagnostic() const override;
  uint64_t do_wire_bytes() const override;

  Adapted<wayseal_channel_functions> to_;
};

class TableTransport final : public Transport {
 public:
  explicit TableTransport(const Adapted<wayseal_transport_functions>& to) : to_(to) {}

 private:
  Status do_connect() override;
  Status do_progress() override;
  Result<size_t> do_send(Bytes data) override;
  Result<size_t> do_receive(MutableBytes out) override;
  void do_close() override { to_.functions->close(to_.context); }
  int32_t do_diagnostic() const override;

  Adapted<wayseal_transport_functions> to_;
};

class TableClock final : public Clock {
 public:
  explicit TableClock(const Adapted<wayseal_clock_functions>& to) : to_(to) {}

 private:
  MonotonicTime do_now() const override { return {to_.functions->now_ns(to_.context)}; }
  uint64_t do_continuity() const override { return to_.functions->continuity(to_.context); }

  Adapted<wayseal_clock_functions> to_;
};

class TableStorage final : public Storage {
 public:
  explicit TableStorage(const Adapted<wayseal_storage_functions>& to) : to_(to) {}

 private:
  StorageGeometry do_geometry() const override;
  Status do_read(uint64_t offset, MutableBytes out) override;
  Status do_program(uint64_t offset, Bytes data) override;
  Status do_erase(uint32_t block) override;
  Status do_sync() override;

  Adapted<wayseal_storage_functions> to_;
};

}  // namespace wayseal::capi

#endif
