// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <csignal>
#include <stdexcept>

namespace cloud_test {
namespace {

constexpr timeval kPatience = {30, 0};

size_t length_in(const std::string& head) {
  const size_t at = head.find("content-length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

OpenConnection::OpenConnection(const Gateway& gateway, const std::string& client,
                               const std::function<void(SSL_CTX*)>& configure)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      bio_((prepare(gateway, client, configure), BIO_new_ssl_connect(context_.get())), BIO_free_all) {
  BIO_set_conn_hostname(bio_.get(), ("localhost:" + std::to_string(gateway.port())).c_str());
  std::signal(SIGPIPE, SIG_IGN);  // writing to what has closed is an answer, not an end
  if (BIO_do_connect(bio_.get()) != 1) throw std::runtime_error("no connection");
  int fd = -1;
  BIO_get_fd(bio_.get(), &fd);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
}

void OpenConnection::prepare(const Gateway& gateway, const std::string& client,
                             const std::function<void(SSL_CTX*)>& configure) const {
  const std::string file = gateway.folder() / client;
  const std::string ca = gateway.pki() + "/gateway-ca.pem";
  bool ok = SSL_CTX_load_verify_locations(context_.get(), ca.c_str(), nullptr) == 1;
  if (!client.empty()) {
    ok = ok && SSL_CTX_use_certificate_chain_file(context_.get(), file.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context_.get(), file.c_str(), SSL_FILETYPE_PEM) == 1;
  }
  if (!ok) throw std::runtime_error("no client certificate");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  if (configure) configure(context_.get());
}

bool OpenConnection::read_more(std::string& all) {
  char buffer[4096];
  const int n = BIO_read(bio_.get(), buffer, sizeof buffer);
  if (n > 0) all.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

std::string OpenConnection::ask(const std::string& request) {
  if (!send(request)) return {};
  std::string all;
  do {
    const size_t end = all.find("\r\n\r\n");
    if (end != std::string::npos && all.size() >= end + 4 + length_in(all)) break;
  } while (read_more(all));
  return all;
}

bool OpenConnection::send(const std::string& bytes) {
  return BIO_write(bio_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string OpenConnection::read_to_the_end() {
  std::string all;
  while (read_more(all)) {
  }
  return all;
}

}  // namespace cloud_test
