// SPDX-License-Identifier: Apache-2.0
/// \file
/// Ports written in C++ under the C form of their contract: what a port written in C looks like to the library. The context
/// of each table is the object.
#ifndef WAYSEAL_TESTS_UNIT_CAPI_TABLES_HPP
#define WAYSEAL_TESTS_UNIT_CAPI_TABLES_HPP

#include "fakes/fake_vault.hpp"
#include "wayseal/capi/handles.hpp"

namespace wayseal::test {

extern const wayseal_can_bus_functions kCanBusTable;              // CanBus
extern const wayseal_key_vault_functions kVaultTable;             // fakes::FakeVault, which takes any nonce
extern const wayseal_cert_verifier_functions kCertVerifierTable;  // CertVerifier
extern const wayseal_channel_functions kChannelTable;             // Channel
extern const wayseal_transport_functions kTransportTable;         // Transport
extern const wayseal_clock_functions kClockTable;                 // Clock
extern const wayseal_storage_functions kStorageTable;             // Storage

/// `port` behind its table, in memory of its own.
template <typename Contract, typename Functions, typename Handle>
class ThroughTable {
 public:
  using Adapt = wayseal_status (*)(wayseal_port_memory*, const Functions*, void*, Handle**);
  template <typename Port>
  ThroughTable(Adapt adapt, const Functions& table, Port& port)
      : status_(adapt(&memory_, &table, &port, &handle_)) {}
  ThroughTable(const ThroughTable&) = delete;
  ThroughTable& operator=(const ThroughTable&) = delete;

  wayseal_status status() const { return status_; }
  Handle* handle() const { return handle_; }
  Contract& port() const { return capi::port(handle_); }

 private:
  wayseal_port_memory memory_ = {};
  Handle* handle_ = nullptr;
  wayseal_status status_;
};

struct TableCanBus : ThroughTable<CanBus, wayseal_can_bus_functions, wayseal_can_bus> {
  explicit TableCanBus(CanBus& port) : ThroughTable(wayseal_can_bus_adapt, kCanBusTable, port) {}
};
struct TableVault : ThroughTable<KeyVault, wayseal_key_vault_functions, wayseal_key_vault> {
  explicit TableVault(fakes::FakeVault& port) : ThroughTable(wayseal_key_vault_adapt, kVaultTable, port) {}
};
struct TableCertVerifier : ThroughTable<CertVerifier, wayseal_cert_verifier_functions, wayseal_cert_verifier> {
  explicit TableCertVerifier(CertVerifier& port)
      : ThroughTable(wayseal_cert_verifier_adapt, kCertVerifierTable, port) {}
};
struct TableChannel : ThroughTable<Channel, wayseal_channel_functions, wayseal_channel> {
  explicit TableChannel(Channel& port) : ThroughTable(wayseal_channel_adapt, kChannelTable, port) {}
};
struct TableTransport : ThroughTable<Transport, wayseal_transport_functions, wayseal_transport> {
  explicit TableTransport(Transport& port) : ThroughTable(wayseal_transport_adapt, kTransportTable, port) {}
};
struct TableClock : ThroughTable<Clock, wayseal_clock_functions, wayseal_clock> {
  explicit TableClock(Clock& port) : ThroughTable(wayseal_clock_adapt, kClockTable, port) {}
};
struct TableStorage : ThroughTable<Storage, wayseal_storage_functions, wayseal_storage> {
  explicit TableStorage(Storage& port) : ThroughTable(wayseal_storage_adapt, kStorageTable, port) {}
};

}  // namespace wayseal::test

#endif
