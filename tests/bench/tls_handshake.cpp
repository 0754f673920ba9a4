// SPDX-License-Identifier: Apache-2.0
// What a full TLS handshake takes: signatures of the token, round trips, bytes and TLS records both ways:
//     bench_tls_handshake
// Our channel with its key in SoftHSM2 against `openssl s_server`, mutual, TLS 1.3, without tickets as the gateway has
// it. Certificates are leaf certificates below a CA that both sides know. Counted between channel and TCP.
#include <sched.h>

#include "bench/counted_functions.hpp"
#include "bench/measure.hpp"
#include "contract/key_vault/token_fixture.hpp"
#include "integration/tls/tls_rig.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace wayseal::bench {
namespace {

/// Looks on at what passes.
class CountedTransport final : public Transport {
 public:
  explicit CountedTransport(Transport& line) : line_(line) {}

  struct Way {
    size_t bytes = 0;
    size_t records = 0;
    size_t flights = 0;
  };
  Way sent;
  Way received;

 private:
  /// Adds what passes one way: a new flight when the other way came before; records by their 5-byte headers.
  void note(Way& way, size_t& skip, Blob& header, Bytes data) {
    if (last_ != &way) ++way.flights;
    last_ = &way;
    way.bytes += data.size();
    for (const uint8_t byte : data) {
      if (skip != 0) {
        --skip;
        continue;
      }
      header.push_back(byte);
      if (header.size() < 5) continue;
      skip = load_be16(&header[3]);
      header.clear();
      ++way.records;
    }
  }

  Status do_connect() override { return line_.connect(); }
  Status do_progress() override { return line_.progress(); }
  Result<size_t> do_send(Bytes data) override {
    const Result<size_t> taken = line_.send(data);
    if (taken.ok()) note(sent, sent_skip_, sent_header_, data.first(taken.value()));
    return taken;
  }
  Result<size_t> do_receive(MutableBytes out) override {
    const Result<size_t> got = line_.receive(out);
    if (got.ok()) note(received, received_skip_, received_header_, out.first(got.value()));
    return got;
  }
  void do_close() override { line_.close(); }
  int32_t do_diagnostic() const override { return line_.diagnostic(); }

  Transport& line_;
  const Way* last_ = nullptr;
  size_t sent_skip_ = 0;
  size_t received_skip_ = 0;
  Blob sent_header_;
  Blob received_header_;
};

template <class Call>
void until_done(Call call) {
  Status status = call();
  while (status == Status::kWouldBlock) {
    sched_yield();
    status = call();
  }
  must(status);
}

/// One line there and back reversed: only then has the server accepted us.
void talk(Channel& channel) {
  static const uint8_t kLine[] = {'a', 'b', 'c', '\n'};
  until_done([&] { return channel.write(kLine).status(); });
  uint8_t answer[64];
  until_done([&] { return channel.read(answer).status(); });
  must(answer[0] == 'c', "the answer");
}

void report(const CountedTransport& line) {
  figure("bytes_sent", line.sent.bytes);
  figure("bytes_received", line.received.bytes);
  figure("records_sent", line.sent.records);
  figure("records_received", line.received.records);
  figure("round_trips", line.received.flights);
}

int run() {
  test::TokenFixture& token = test::TokenFixture::softhsm();
  if (!token.missing().empty()) {
    std::fprintf(stderr, "%s\n", token.missing().c_str());
    return kSkipped;
  }
  CountedFunctions functions(token.module().functions());
  Pkcs11Module module;
  must(module.use(functions.list()));
  Pkcs11Vault vault(module, token.pin());
  Pkcs11VaultOptions vault_options;
  vault_options.token_label = token.token_label();
  must(vault.open(vault_options));
  EcPoint point;
  must(vault.public_key(IdentityKey::kTls, point));

  const test::TlsPki pki;
  const fakes::TestIdentity client =
      fakes::issue(pki.vehicle_ca, test::TlsPki::client_spec(), fakes::key_from(point));
  test::ServerOptions server_options = pki.server_options();
  server_options.arguments = {"-num_tickets", "0"};
  const test::OpensslServer server(server_options);
  TcpOptions tcp_options;
  tcp_options.host = "127.0.0.1";
  tcp_options.port = server.port().c_str();
  TcpTransport tcp(tcp_options);
  CountedTransport line(tcp);
  PosixClock clock;
  TlsChannel channel(line, vault, clock);
  TlsConfig config;
  config.server_name = test::kServerName;
  config.gateway_ca = pki.gateway_ca.bytes();
  config.certificate = client.bytes();
  must(channel.configure(config));

  functions.clear();
  must(channel.open({CertificateDates::Check::kAgainst, {1800000000000}}));
  until_done([&] { return channel.progress(); });
  report(line);
  figure("signatures", functions.calls("C_Sign"));
  figure("certificates", client.der.size() + pki.server.der.size());
  talk(channel);
  must(functions.calls("C_Sign") == 1, "one signature");
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main() {
  return wayseal::bench::guarded([] { return wayseal::bench::run(); });
}
