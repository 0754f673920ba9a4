// SPDX-License-Identifier: Apache-2.0
/// \file
/// Opens everything the client stands on: bus, token, storage, connection.
#ifndef WAYSEAL_EXAMPLES_TCU_PORTS_HPP
#define WAYSEAL_EXAMPLES_TCU_PORTS_HPP

#include <memory>
#include <string>
#include <vector>

#include "config.hpp"
#include "identities.hpp"
#include "wayseal/access/access_token.hpp"
#include "wayseal/flow/ports.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/pkcs11/pkcs11_vault.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/file_storage.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/posix/tcp_transport.hpp"
#include "wayseal/socketcan/socketcan_bus.hpp"

namespace tcu {

/// A CAN bus of either kind, and how to wait for it.
class Bus {
 public:
  Bus(const BusConfig& config, const wayseal::Clock& clock);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  wayseal::CanBus& port();
  bool is_recording() const { return player_ != nullptr; }
  /// Until a frame may be there, or `timeout_ms` have passed.
  void wait(int timeout_ms);

 private:
  const wayseal::Clock& clock_;
  std::unique_ptr<wayseal::SocketCanBus> socketcan_;
  std::unique_ptr<wayseal::CandumpPlayer> player_;
  int log_fd_ = -1;
};

/// Everything but the bus. Its constructor does all that may fail and throws SetupError.
class CloudPorts {
 public:
  explicit CloudPorts(const Config& config);
  ~CloudPorts();
  CloudPorts(const CloudPorts&) = delete;
  CloudPorts& operator=(const CloudPorts&) = delete;

  wayseal::Ports with(wayseal::CanBus& bus);
  wayseal::PosixClock& clock() { return clock_; }
  wayseal::MonotonicTime clock_now() const { return clock_.now(); }
  wayseal::ChannelDiagnostic channel_diagnostic() const { return channel_->diagnostic(); }
  uint64_t wire_bytes() const { return channel_->wire_bytes() + identities_->wire_bytes(); }
  Identities& identities() { return *identities_; }
  const Identities& identities() const { return *identities_; }
  /// The gateway's channel with the TLS identity in use now. Closes it.
  void set_up_channel();
  uint64_t token_diagnostic() const { return vault_->diagnostic(); }
  /// Until the connection has something, or `timeout_ms` have passed.
  void wait(int timeout_ms);

 private:
  void open_pin(const TokenConfig& token);
  void open_vault(const TokenConfig& token);
  void open_stores(const StoreConfig& store);
  void open_channel();
  void prepare_access(const GatewayConfig& gateway);
  std::vector<uint8_t> read_object(wayseal::VaultObject object, const char* what);

  wayseal::PosixClock clock_;
  std::string gateway_host_;
  std::string gateway_port_;
  std::string authority_;
  std::string token_label_;
  std::string module_args_;  // outlives the module, which borrows it
  int pin_fd_ = -1;
  bool owns_pin_fd_ = false;
  std::vector<uint8_t> data_root_;
  std::vector<uint8_t> gateway_ca_;
  std::vector<uint8_t> certificate_;
  std::vector<uint8_t> intermediate_;
  wayseal::FileStorage spool_;
  wayseal::FileStorage state_;
  std::unique_ptr<wayseal::FdPin> pin_;
  std::unique_ptr<wayseal::Pkcs11Module> module_;
  std::unique_ptr<wayseal::Pkcs11Vault> vault_;
  wayseal::X509Verifier verifier_;
  std::unique_ptr<wayseal::TcpTransport> transport_;
  std::unique_ptr<wayseal::TlsChannel> channel_;
  std::unique_ptr<Identities> identities_;
  std::string scope_;
  std::vector<uint8_t> access_token_memory_;
  std::unique_ptr<wayseal::AccessToken> access_token_;  // null: the gateway wants none
};

}  // namespace tcu

#endif
