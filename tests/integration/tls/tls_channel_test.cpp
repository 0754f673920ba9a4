// SPDX-License-Identifier: Apache-2.0
// Every way in which the way to the gateway can fail, against real servers, each with an error of its own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <thread>

#include "contract/channel/channel_contract.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "integration/tls/tls_rig.hpp"

using namespace wayseal;
using contract::connect;
using contract::receive;
using contract::send;
using test::ServerOptions;
using test::TlsRig;

namespace {

constexpr CertificateDates kToday{CertificateDates::Check::kAgainst, {1800000000000}};

struct Outcome {
  Status status = Status::kOk;
  ChannelFailure failure = ChannelFailure::kNone;
};

bool operator==(const Outcome& a, const Outcome& b) { return a.status == b.status && a.failure == b.failure; }
std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << status_name(o.status) << '/' << channel_failure_name(o.failure);
}

/// Connects, and when that works sends a line and reads its answer.
Outcome talk(Channel& channel, CertificateDates dates = kToday) {
  Status status = connect(channel, dates);
  std::string answer;
  if (status == Status::kOk) {
    status = send(channel, "abc\n");
    const Status read = receive(channel, 4, answer);
    if (status == Status::kOk || read == Status::kRefused) status = read;
  }
  if (status == Status::kOk) CHECK(answer == "cba\n");
  return {status, channel.diagnostic().failure};
}

constexpr Outcome kWorks{Status::kOk, ChannelFailure::kNone};

/// The outcome against a server whose options a function has changed.
Outcome outcome_with(const std::function<void(TlsRig&, ServerOptions&)>& change,
                     CertificateDates dates = kToday) {
  TlsRig rig;
  ServerOptions options = rig.pki.server_options();
  change(rig, options);
  rig.serve(options);
  REQUIRE(rig.configured == Status::kOk);
  return talk(*rig.channel, dates);
}

/// The outcome against a server with another certificate.
Outcome outcome_with_server(const std::function<void(fakes::CertSpec&)>& change,
                            CertificateDates dates = kToday) {
  return outcome_with(
      [&](TlsRig& rig, ServerOptions& options) {
        fakes::CertSpec spec = fakes::server_spec(test::kServerName);
        change(spec);
        options.identity = fakes::issue(rig.pki.gateway_ca, spec);
      },
      dates);
}

/// A TCP server of one connection that does what a function says.
class RawServer {
 public:
  explicit RawServer(std::function<void(int fd)> serve) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      serve(fd);
      ::close(fd);
    });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  const std::string& port() const { return port_; }

 private:
  int listener_;
  std::string port_;
  std::thread thread_;
};

Outcome outcome_against(std::function<void(int fd)> serve) {
  RawServer server(std::move(serve));
  TlsRig rig;
  rig.config.handshake_timeout_ms = 1000;
  rig.connect_to(server.port());
  REQUIRE(rig.configured == Status::kOk);
  const Outcome outcome = talk(*rig.channel);
  rig.channel->close();
  return outcome;
}

void read_some(int fd) {
  char buffer[64];
  (void)!::read(fd, buffer, sizeof buffer);
}

void reset(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

TEST_CASE("a gateway with the right certificate is spoken to, in TLS 1.3 with AES-256-GCM and P-256 alone") {
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          options.arguments = {"-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-256"};
        }) == kWorks);
  TlsRig rig;
  rig.serve(rig.pki.server_options());
  CHECK(talk(*rig.channel) == kWorks);
  CHECK(rig.vault.calls(fakes::VaultCall::kSign) == 1);
  CHECK(rig.channel->wire_bytes() > 1500);
}

TEST_CASE("session tickets of the server are ignored, and the next connection is a whole handshake again") {
  TlsRig rig;
  ServerOptions options = rig.pki.server_options();
  options.arguments = {"-num_tickets", "4"};
  rig.serve(options);
  CHECK(talk(*rig.channel) == kWorks);
  CHECK(talk(*rig.channel) == kWorks);
  CHECK(rig.vault.calls(fakes::VaultCall::kSign) == 2);
}

TEST_CASE("chains with intermediates work on both sides") {
  CHECK(outcome_with([](TlsRig& rig, ServerOptions& options) {
          const fakes::TestIdentity ca = fakes::issue(rig.pki.gateway_ca, fakes::root_spec("gateway sub ca"));
          options.identity = fakes::issue(ca, fakes::server_spec(test::kServerName));
          options.chain = {ca.der};
        }) == kWorks);
  fakes::Der intermediate;
  CHECK(outcome_with([&](TlsRig& rig, ServerOptions&) {
          const fakes::TestIdentity ca = fakes::issue(rig.pki.vehicle_ca, fakes::root_spec("vehicle sub ca"));
          intermediate = ca.der;
          rig.client = fakes::issue(ca, test::TlsPki::client_spec(),
                                    fakes::key_from(rig.vault.private_key(IdentityKey::kTls)));
          rig.config.intermediate = fakes::bytes_of(intermediate);
        }) == kWorks);
}

TEST_CASE("a server of another authority is untrusted") {
  const Outcome untrusted{Status::kNotAuthentic, ChannelFailure::kServerUntrusted};
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          const fakes::TestIdentity other = fakes::make_root(fakes::root_spec("gateway ca"));
          options.identity = fakes::issue(other, fakes::server_spec(test::kServerName));
        }) == untrusted);
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          options.identity = fakes::make_root(fakes::server_spec(test::kServerName));
        }) == untrusted);
  CHECK(outcome_with([](TlsRig& rig, ServerOptions& options) {
          // The vehicles' authority does not make gateways.
          options.identity = fakes::issue(rig.pki.vehicle_ca, fakes::server_spec(test::kServerName));
        }) == untrusted);
}

TEST_CASE("a server with another name is refused") {
  const Outcome wrong{Status::kNotAuthentic, ChannelFailure::kServerWrongName};
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.alternative_name = "DNS:gateway.example"; }) == wrong);
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.alternative_name = "DNS:gateway.test.evil"; }) == wrong);
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.alternative_name = "DNS:other,DNS:gateway.test"; }) ==
        kWorks);
}

TEST_CASE("a server outside its validity is refused when the time is known, and only then") {
  const Outcome expired{Status::kNotAuthentic, ChannelFailure::kServerExpired};
  const auto old = [](fakes::CertSpec& s) { s.not_after_s = 1700000000; };
  const auto early = [](fakes::CertSpec& s) { s.not_before_s = 1900000000; };
  CHECK(outcome_with_server(old) == expired);
  CHECK(outcome_with_server(early) == expired);
  CHECK(outcome_with_server(old, {}) == kWorks);
  CHECK(outcome_with_server(early, {}) == kWorks);
}

TEST_CASE("without trusted time nothing but dates is relaxed") {
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.alternative_name = "DNS:other"; }, {}).failure ==
        ChannelFailure::kServerWrongName);
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.extended_key_usage = "clientAuth"; }, {}).failure ==
        ChannelFailure::kServerWrongRole);
}

TEST_CASE("a certificate that is not for TLS servers is refused") {
  const Outcome wrong{Status::kNotAuthentic, ChannelFailure::kServerWrongRole};
  for (const char* usage : {"", "clientAuth", "anyExtendedKeyUsage", "critical,codeSigning"}) {
    INFO("usage '" << usage << "'");
    CHECK(outcome_with_server([&](fakes::CertSpec& s) { s.extended_key_usage = usage; }) == wrong);
  }
  CHECK(outcome_with_server([](fakes::CertSpec& s) { s.key_usage = "critical,keyAgreement"; }) == wrong);
}

TEST_CASE("a server that does not speak TLS 1.3 is refused") {
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) { options.arguments = {"-tls1_2"}; }) ==
        Outcome{Status::kRefused, ChannelFailure::kProtocolVersion});
}

TEST_CASE("a server without our cipher, group or kind of key is refused") {
  const Outcome none{Status::kRefused, ChannelFailure::kNoCommonCipher};
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          options.arguments = {"-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"};
        }) == none);
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          options.arguments = {"-groups", "X25519:P-384"};
        }) == none);
  for (const auto kind :
       {fakes::TestKeyKind::kRsa2048, fakes::TestKeyKind::kP384, fakes::TestKeyKind::kEd25519}) {
    CHECK(outcome_with([&](TlsRig& rig, ServerOptions& options) {
            options.identity =
                fakes::issue(rig.pki.gateway_ca, fakes::server_spec(test::kServerName), fakes::make_key(kind));
          }) == none);
  }
}

TEST_CASE(
    "a client certificate that the gateway does not take is reported, although the handshake had worked") {
  const Outcome refused{Status::kRefused, ChannelFailure::kClientCertificateRefused};
  CHECK(outcome_with([](TlsRig&, ServerOptions& options) {
          options.client_cas = {fakes::make_root(fakes::root_spec("other"))};
        }) == refused);
  CHECK(outcome_with([](TlsRig& rig, ServerOptions&) {  // Expired.
          fakes::CertSpec spec = test::TlsPki::client_spec();
          spec.not_after_s = 1650000000;
          rig.client =
              fakes::issue(rig.pki.vehicle_ca, spec, fakes::key_from(rig.vault.private_key(IdentityKey::kTls)));
        }) == refused);
  CHECK(outcome_with([](TlsRig& rig, ServerOptions&) {  // Of another key than the token's.
          rig.client = fakes::issue(rig.pki.vehicle_ca, test::TlsPki::client_spec());
        }) == refused);
}

TEST_CASE(
    "a revoked server is refused, and a list that nobody trusted has signed makes every server untrusted") {
  const auto with_list = [](const std::function<fakes::Der(TlsRig&, ServerOptions&)>& make) {
    return outcome_with([&](TlsRig& rig, ServerOptions& options) { rig.crl = make(rig, options); });
  };
  CHECK(with_list([](TlsRig& rig, ServerOptions& options) {
          return fakes::make_crl(rig.pki.gateway_ca, {options.identity.der});
        }) == Outcome{Status::kNotAuthentic, ChannelFailure::kServerRevoked});
  CHECK(with_list([](TlsRig& rig, ServerOptions&) {
          return fakes::make_crl(rig.pki.gateway_ca, {rig.client.der});
        }) == kWorks);
  CHECK(with_list([](TlsRig&, ServerOptions&) {
          return fakes::make_crl(fakes::make_root(fakes::root_spec("gateway ca")), {});
        }) == Outcome{Status::kNotAuthentic, ChannelFailure::kServerUntrusted});
}

TEST_CASE("a token that fails is told from a gateway that refuses") {
  TlsRig rig;
  rig.serve(rig.pki.server_options());
  rig.vault.fail(fakes::VaultCall::kSign, 1, Status::kDenied);
  CHECK(talk(*rig.channel) == Outcome{Status::kDisconnected, ChannelFailure::kTokenFailed});
  rig.vault.fail(fakes::VaultCall::kRandom, 1, Status::kDenied);
  CHECK(talk(*rig.channel) == Outcome{Status::kDisconnected, ChannelFailure::kTokenFailed});
  rig.vault.lose_token();
  CHECK(talk(*rig.channel) == Outcome{Status::kTokenLost, ChannelFailure::kTokenFailed});
  REQUIRE(rig.vault.reopen() == Status::kOk);
  CHECK(talk(*rig.channel) == kWorks);
}

TEST_CASE("a host that does not exist and a port where nobody listens are told apart") {
  TlsRig rig;
  rig.connect_to("443", "no-such-host.invalid");
  CHECK(talk(*rig.channel) == Outcome{Status::kDisconnected, ChannelFailure::kNameNotFound});
  std::string port;
  {
    RawServer gone([](int) {});
    port = gone.port();
  }
  rig.connect_to(port);
  CHECK(talk(*rig.channel) == Outcome{Status::kDisconnected, ChannelFailure::kUnreachable});
  CHECK(rig.channel->diagnostic().native == ECONNREFUSED);
}

TEST_CASE("a connection that is closed or reset during the handshake is a closed one") {
  const Outcome closed{Status::kDisconnected, ChannelFailure::kClosedByPeer};
  CHECK(outcome_against([](int) {}) == closed);
  CHECK(outcome_against(read_some) == closed);
  CHECK(outcome_against([](int fd) {
          read_some(fd);
          reset(fd);
        }) == closed);
}

TEST_CASE("a peer that says nothing is given up in time") {
  CHECK(outcome_against([](int fd) {
          char buffer[4096];
          while (::read(fd, buffer, sizeof buffer) > 0) {
          }
        }) == Outcome{Status::kDisconnected, ChannelFailure::kTimedOut});
}

TEST_CASE("a peer that speaks something else is a protocol error") {
  CHECK(outcome_against([](int fd) {
          read_some(fd);
          (void)!::write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
        }) == Outcome{Status::kDisconnected, ChannelFailure::kProtocolError});
}

TEST_CASE("an established connection that is reset is reported at the next call") {
  TlsRig rig;
  rig.serve(rig.pki.server_options());
  REQUIRE(talk(*rig.channel) == kWorks);
  rig.server.reset();
  std::string answer;
  Status status = send(*rig.channel, "abc\n");
  if (status == Status::kOk) status = receive(*rig.channel, 4, answer);
  CHECK(status == Status::kDisconnected);
  CHECK(rig.channel->diagnostic().failure == ChannelFailure::kClosedByPeer);
}

TEST_CASE("a configuration that cannot work is refused, and can be replaced by a good one") {
  TlsRig rig;
  rig.serve(rig.pki.server_options());
  CHECK(talk(*rig.channel) == kWorks);
  TlsConfig config = rig.config;
  config.gateway_ca = rig.pki.gateway_ca.bytes();
  config.certificate = rig.client.bytes();
  const auto configure = [&](auto change) {
    TlsConfig changed = config;
    change(changed);
    return rig.channel->configure(changed);
  };
  CHECK(configure([](TlsConfig& c) { c.server_name = nullptr; }) == Status::kInvalidArgument);
  CHECK(rig.channel->open(kToday) == Status::kBadState);
  CHECK(configure([](TlsConfig& c) { c.gateway_ca = {}; }) == Status::kInvalidArgument);
  CHECK(configure([](TlsConfig& c) { c.certificate = {}; }) == Status::kInvalidArgument);
  CHECK(configure([](TlsConfig& c) { c.gateway_ca = c.gateway_ca.first(40); }) == Status::kMalformed);
  CHECK(configure([](TlsConfig& c) { c.certificate = c.certificate.first(40); }) == Status::kMalformed);
  CHECK(configure([](TlsConfig& c) { c.intermediate = c.certificate.first(40); }) == Status::kMalformed);
  CHECK(configure([](TlsConfig& c) { c.server_crl = c.certificate; }) == Status::kMalformed);
  CHECK(configure([](TlsConfig&) {}) == Status::kOk);
  CHECK(talk(*rig.channel) == kWorks);
  REQUIRE(configure([](TlsConfig& c) { c.authority = "gateway.test:8443"; }) == Status::kOk);
  const Bytes authority = rig.channel->authority();
  CHECK(std::string(authority.begin(), authority.end()) == "gateway.test:8443");
}

TEST_CASE("the client key of a real token opens the connection without leaving it") {
  test::TokenFixture& token = test::TokenFixture::softhsm();
  if (!token.missing().empty()) SKIP(token.missing());
  Pkcs11Vault vault(token.module(), token.pin());
  Pkcs11VaultOptions options;
  options.token_label = token.token_label();
  REQUIRE(vault.open(options) == Status::kOk);
  EcPoint point;
  REQUIRE(vault.public_key(IdentityKey::kTls, point) == Status::kOk);

  test::TlsPki pki;
  const fakes::TestIdentity client =
      fakes::issue(pki.vehicle_ca, test::TlsPki::client_spec(), fakes::key_from(point));
  const test::OpensslServer server(pki.server_options());
  TcpOptions tcp_options;
  tcp_options.host = "127.0.0.1";
  tcp_options.port = server.port().c_str();
  TcpTransport tcp(tcp_options);
  PosixClock clock;
  TlsChannel channel(tcp, vault, clock);
  TlsConfig config;
  config.server_name = test::kServerName;
  config.gateway_ca = pki.gateway_ca.bytes();
  config.certificate = client.bytes();
  REQUIRE(channel.configure(config) == Status::kOk);
  for (int round = 0; round < 3; ++round) CHECK(talk(channel) == kWorks);
}
