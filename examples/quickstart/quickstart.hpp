// SPDX-License-Identifier: Apache-2.0
// What the quickstart stands on: a PKCS#11 token, two files, a TLS connection. `examples/tcu/ports.cpp` does the same with a
// configuration and an explanation for each failure.
#ifndef WAYSEAL_EXAMPLES_QUICKSTART_HPP
#define WAYSEAL_EXAMPLES_QUICKSTART_HPP

#include <poll.h>

#include <cstdio>
#include <cstdlib>

#include "wayseal/flow/client.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/pkcs11/pkcs11_vault.hpp"
#include "wayseal/posix/candump_player.hpp"
#include "wayseal/posix/file_storage.hpp"
#include "wayseal/posix/posix_clock.hpp"
#include "wayseal/posix/tcp_transport.hpp"

/// Ends the program with a word when something cannot be had.
inline void need(wayseal::Status status, const char* what) {
  if (status == wayseal::Status::kOk) return;
  std::fprintf(stderr, "quickstart: %s: %s\n", what, wayseal::status_name(status));
  std::exit(1);
}

/// A certificate of the token.
class Certificate {
 public:
  Certificate(wayseal::KeyVault& vault, wayseal::VaultObject object, const char* what) {
    const auto size = vault.read_object(object, data_);
    need(size.status(), what);
    size_ = size.value();
  }
  wayseal::Bytes bytes() const { return {data_, size_}; }

 private:
  uint8_t data_[wayseal::kCertificateMax];
  size_t size_ = 0;
};

struct Platform {
  /// argv: MODULE TOKEN HOST PORT TABLE. The PIN comes on file descriptor 3; spool and state lie in the working folder.
  explicit Platform(char** argv)
      : pin(3), vault(module, pin), tcp(tcp_options(argv[3], argv[4])), tls(tcp, vault, clock) {
    need(module.load(argv[1]), "PKCS#11 module");
    wayseal::Pkcs11VaultOptions token;
    token.token_label = argv[2];
    need(vault.open(token), "token");
    need(spool.open("quickstart.spool", {65536, 64, 1}), "spool");
    need(state.open("quickstart.state", {65536, 4, 1}), "state");
    static const Certificate data_root(vault, wayseal::VaultObject::kDataRoot, "data root");
    static const Certificate gateway_ca(vault, wayseal::VaultObject::kGatewayCa, "gateway CA");
    static const Certificate certificate(vault, wayseal::VaultObject::kTlsCertificate, "TLS certificate");
    need(verifier.set_root(data_root.bytes()), "data root");
    wayseal::TlsConfig config;
    config.server_name = argv[3];
    config.gateway_ca = gateway_ca.bytes();
    config.certificate = certificate.bytes();
    need(tls.configure(config), "TLS");
    read_table(argv[5]);
  }

  /// Until the connection has something, 20 ms at most.
  void wait() {
    pollfd waiting{tcp.fd(), static_cast<short>(tcp.connecting() ? POLLOUT : POLLIN), 0};
    (void)poll(&waiting, tcp.fd() < 0 ? 0 : 1, 20);
  }

  wayseal::PosixClock clock;
  wayseal::FileStorage spool;
  wayseal::FileStorage state;
  wayseal::Pkcs11Module module;
  wayseal::FdPin pin;
  wayseal::Pkcs11Vault vault;
  wayseal::X509Verifier verifier;
  wayseal::TcpTransport tcp;
  wayseal::TlsChannel tls;
  wayseal::Bytes table;

 private:
  static wayseal::TcpOptions tcp_options(const char* host, const char* port) {
    wayseal::TcpOptions options;
    options.host = host;
    options.port = port;
    return options;
  }

  void read_table(const char* path) {
    static uint8_t bytes[256 * 1024];
    std::FILE* file = std::fopen(path, "rb");
    need(file != nullptr ? wayseal::Status::kOk : wayseal::Status::kNotFound, "signal table");
    table = {bytes, std::fread(bytes, 1, sizeof bytes, file)};
    std::fclose(file);
  }
};

#endif
