// SPDX-License-Identifier: Apache-2.0
/// \file
/// A TlsChannel with everything it needs, below two authorities made for the test.
#ifndef WAYSEAL_TESTS_INTEGRATION_TLS_TLS_RIG_HPP
#define WAYSEAL_TESTS_INTEGRATION_TLS_TLS_RIG_HPP

#include <memory>
#include <optional>
#include <string>

#include "fakes/fake_vault.hpp"
#include "fakes/test_pki.hpp"
#include "integration/tls/openssl_server.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/posix/tcp_transport.hpp"

namespace wayseal::test {

inline constexpr char kServerName[] = "gateway.test";

/// Takes and gives one byte at a time, and nothing every other time.
class ThrottledTransport final : public Transport {
 public:
  explicit ThrottledTransport(Transport& line) : line_(line) {}

 private:
  static bool stalled(unsigned& calls) { return (++calls & 1U) != 0; }
  Status do_connect() override { return line_.connect(); }
  Status do_progress() override { return line_.progress(); }
  Result<size_t> do_send(Bytes data) override {
    if (stalled(sends_)) return Status::kWouldBlock;
    return line_.send(data.first(1));
  }
  Result<size_t> do_receive(MutableBytes out) override {
    if (stalled(receives_)) return Status::kWouldBlock;
    return line_.receive(out.first(1));
  }
  void do_close() override { line_.close(); }
  int32_t do_diagnostic() const override { return line_.diagnostic(); }

  Transport& line_;
  unsigned sends_ = 0;
  unsigned receives_ = 0;
};

/// The authorities, a server's certificate, and the certificate of a vault's `tls` key.
struct TlsPki {
  fakes::TestIdentity gateway_ca = fakes::make_root(fakes::root_spec("gateway ca"));
  fakes::TestIdentity vehicle_ca = fakes::make_root(fakes::root_spec("vehicle ca"));
  fakes::TestIdentity server = fakes::issue(gateway_ca, fakes::server_spec(kServerName));

  static fakes::CertSpec client_spec() {
    fakes::CertSpec spec;
    spec.common_name = "vehicle-1";
    spec.basic_constraints = "critical,CA:FALSE";
    spec.key_usage = "critical,digitalSignature";
    spec.extended_key_usage = "clientAuth";
    return spec;
  }

  ServerOptions server_options() const { return {server, {}, {vehicle_ca}, {}}; }
};

/// A channel with a software vault. `connect_to` makes a new one.
class TlsRig {
 public:
  enum class Line : uint8_t { kPlain, kThrottled };

  explicit TlsRig(Line line = Line::kPlain) : line_(line) {
    client = fakes::issue(pki.vehicle_ca, TlsPki::client_spec(),
                          fakes::key_from(vault.private_key(IdentityKey::kTls)));
    config.server_name = kServerName;
    config.handshake_timeout_ms = 20000;
  }

  /// A server with these options, and a channel to it.
  void serve(const ServerOptions& options) {
    server.emplace(options);
    connect_to(server->port());
  }

  void connect_to(const std::string& port, const std::string& host = "127.0.0.1") {
    channel.reset();
    host_ = host;
    port_ = port;
    TcpOptions options;
    options.host = host_.c_str();
    options.port = port_.c_str();
    tcp = std::make_unique<TcpTransport>(options);
    throttled = std::make_unique<ThrottledTransport>(*tcp);
    Transport& transport = line_ == Line::kThrottled ? static_cast<Transport&>(*throttled) : *tcp;
    channel = std::make_unique<TlsChannel>(transport, vault, clock);
    configured = configure();
  }

  Status configure() {
    config.gateway_ca = pki.gateway_ca.bytes();
    config.certificate = client.bytes();
    config.server_crl = fakes::bytes_of(crl);
    return channel->configure(config);
  }

  TlsPki pki;
  fakes::FakeVault vault;
  PosixClock clock;
  fakes::TestIdentity client;
  fakes::Der crl;
  TlsConfig config;
  Status configured = Status::kBadState;
  std::optional<OpensslServer> server;
  std::unique_ptr<TcpTransport> tcp;
  std::unique_ptr<ThrottledTransport> throttled;
  std::unique_ptr<TlsChannel> channel;

 private:
  Line line_;
  std::string host_;
  std::string port_;
};

}  // namespace wayseal::test

#endif
