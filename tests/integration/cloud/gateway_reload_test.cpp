// SPDX-License-Identifier: Apache-2.0
// What changes while the gateway runs: revocation with examples/cloud/gateway/revoke, keys and lists by a reload; and what
// the identity provider gets to see.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <thread>

#include "connection.hpp"
#include "gateway.hpp"
#include "jwt.hpp"

namespace cloud_test {
namespace {

std::string records_request(const std::string& token) {
  return "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
         "Content-Length: 0\r\n" +
         (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
}

bool says(const std::string& answer, const std::string& status) {
  return answer.find("HTTP/1.1 " + status + " ") == 0;
}

/// A gateway as a master with a worker, which can be reloaded.
struct ReloadRig {
  explicit ReloadRig(bool with_provider = false)
      : list((spill(lists / "revoked", ""), lists / "revoked")),
        gateway(world, {"WAYSEAL_GATEWAY_REVOKED=" + list}) {
    gateway.process().stop(SIGTERM);
    std::vector<std::string> command{"/usr/bin/env",
                                     "WAYSEAL_GATEWAY_BIND=127.0.0.1:" + std::to_string(gateway.port()),
                                     "WAYSEAL_GATEWAY_PKI=" + gateway.pki(),
                                     "WAYSEAL_BACKEND_SOCKET=" + world.socket(),
                                     "WAYSEAL_GATEWAY_REVOKED=" + list,
                                     "WAYSEAL_GATEWAY_ADMIN=" + admin()};
    if (with_provider) command.push_back("WAYSEAL_IDP_SOCKET=" + (lists / "idp.sock"));
    command.insert(command.end(),
                   {WAYSEAL_HAPROXY, "-W", "-db", "-p", lists / "pid", "-f", WAYSEAL_GATEWAY_CONFIG});
    master = Process(command, gateway.log_path());
    thumbprint = gateway.client("own", "v-reload");
    serial = gateway.serial();
    gateway.client("neighbour", "v-neighbour");
    if (!eventually([this] { return gateway.request("own", "/", {}).status == "404"; })) {
      throw std::runtime_error("the gateway did not start: " + gateway.log());
    }
  }
  ~ReloadRig() { master.stop(SIGTERM); }

  std::string admin() const { return lists / "admin.sock"; }
  std::string pid() const {
    const std::string text = slurp(lists / "pid");
    return text.substr(0, text.find('\n'));
  }
  size_t reloads() const {
    const std::string log = gateway.log();
    size_t count = 0;
    for (size_t at = log.find("Loading success"); at != std::string::npos;
         at = log.find("Loading success", at + 1))
      ++count;
    return count;
  }
  Output revoke(std::vector<std::string> more) const {
    more.insert(more.begin(), {WAYSEAL_GATEWAY_REVOKE, gateway.pki(), list});
    return run(more);
  }
  std::string token(char slot, EVP_PKEY* key) const {
    const int64_t now = std::time(nullptr);
    return sign_es256({{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", std::string(1, slot) + "-20260101-1"}},
                      {{"iss", "https://idp.wayseal.example"},
                       {"aud", "urn:wayseal:vehicle-api"},
                       {"sub", "v-reload"},
                       {"client_id", "v-reload"},
                       {"scope", "prekeys records"},
                       {"exp", now + 300},
                       {"cnf", {{"x5t#S256", thumbprint}}}},
                      key);
  }

  World world;
  TemporaryFolder lists;
  std::string list;
  Gateway gateway;
  Process master;
  std::string thumbprint;
  std::string serial;
};

/// Stands where the identity provider would: answers one request with what it got.
class EchoProvider {
 public:
  explicit EchoProvider(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), 0600) != 0 || ::listen(fd_, 8) != 0) {
      throw std::runtime_error("no provider");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~EchoProvider() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  EchoProvider(const EchoProvider&) = delete;
  EchoProvider& operator=(const EchoProvider&) = delete;

 private:
  void serve() const {
    for (;;) {
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      std::string got;
      char buffer[8192];
      while (got.find("\r\n\r\nscope=x") == std::string::npos) {
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        got.append(buffer, static_cast<size_t>(n));
      }
      const std::string answer =
          "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\nContent-Length: " + std::to_string(got.size()) +
          "\r\n\r\n" + got;
      (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(fd);
    }
  }
  int fd_;
  std::thread thread_;
};

}  // namespace

TEST_CASE(
    "revoke: refused on the open connection at once, after the reload in the handshake; neighbours stay") {
  ReloadRig rig;
  OpenConnection own(rig.gateway, "own");
  OpenConnection neighbour(rig.gateway, "neighbour");
  REQUIRE(says(own.ask(records_request("")), "200"));
  REQUIRE(says(neighbour.ask(records_request("")), "200"));

  Fleet::get().pki().revoke("v-reload");
  rig.gateway.write_crl();
  const Output told = rig.revoke({"--admin", rig.admin()});
  INFO(told.text);
  REQUIRE(told.code == 0);
  const std::string refused = own.ask(records_request(""));
  CHECK(says(refused, "403"));
  CHECK(refused.find("urn:wayseal:problem:revoked") != std::string::npos);
  CHECK(own.ask(records_request("")).empty());  // and closed
  CHECK(says(neighbour.ask(records_request("")), "200"));
  CHECK(rig.gateway.post("own", "/v1/records", "").status == "403");
  CHECK(rig.revoke({"--admin", rig.admin()}).code == 0);  // once more changes nothing

  REQUIRE(rig.revoke({"--admin", rig.admin(), "--reload", rig.pid()}).code == 0);
  CHECK(eventually([&] { return refused_by_tls(rig.gateway.post("own", "/v1/records", "")); }));
  CHECK(accepted(rig.gateway.post("neighbour", "/v1/records", "")));
}

TEST_CASE("revoke: lists that do not fit, and a gateway that does not listen, are told and change nothing") {
  ReloadRig rig;
  const std::string good = slurp(rig.gateway.pki() + "/vehicle-crl.pem");
  REQUIRE(rig.revoke({"--admin", rig.admin()}).code == 0);
  const std::string before = slurp(rig.list);
  const auto key = oem::generate_key();
  const auto stranger =
      oem::issue({"OEM vehicle TLS", 30, "critical,CA:TRUE", "critical,keyCertSign,cRLSign", "", ""}, key.get(),
                 nullptr, key.get());
  const std::string foreign = oem::make_crl(stranger.get(), key.get(), {rig.serial}, 30);
  spill(rig.gateway.pki() + "/vehicle-crl.pem", foreign);
  CHECK(rig.revoke({"--admin", rig.admin()}).code == 1);
  CHECK(slurp(rig.list) == before);
  // Next to the good lists a stranger's list says nothing.
  spill(rig.gateway.pki() + "/vehicle-crl.pem", good + foreign);
  CHECK(rig.revoke({"--admin", rig.admin()}).code == 0);
  CHECK(slurp(rig.list) == before);
  CHECK(accepted(rig.gateway.post("own", "/v1/records", "")));
  CHECK(rig.revoke({"--admin", rig.lists / "nobody"}).code == 3);
  CHECK(run({WAYSEAL_GATEWAY_REVOKE, rig.gateway.pki(), rig.lists / "other", "--admin", rig.admin()}).code ==
        3);
  CHECK(rig.revoke({"--admin"}).code == 2);
}

TEST_CASE("a reload takes a new signing key, and nobody is refused meanwhile") {
  ReloadRig rig(true);
  const auto next = oem::generate_key();
  const std::string old_token = rig.token('a', rig.gateway.token_key('a'));
  const std::string new_token = rig.token('b', next.get());
  REQUIRE(says(OpenConnection(rig.gateway, "own").ask(records_request(old_token)), "200"));
  CHECK(says(OpenConnection(rig.gateway, "own").ask(records_request(new_token)), "401"));

  spill(rig.gateway.pki() + "/jwt-b.pem", public_pem_of(next.get()));
  const size_t before = rig.reloads();
  REQUIRE(::kill(static_cast<pid_t>(std::stol(rig.pid())), SIGUSR2) == 0);
  // All through the reload somebody connects and is served.
  size_t served = 0;
  CHECK(eventually([&] {
    CHECK(says(OpenConnection(rig.gateway, "neighbour").ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "404"));
    ++served;
    return rig.reloads() > before;
  }));
  CHECK(eventually(
      [&] { return says(OpenConnection(rig.gateway, "own").ask(records_request(new_token)), "200"); }));
  CHECK(says(OpenConnection(rig.gateway, "own").ask(records_request(old_token)), "200"));
  CHECK(served > 0);
}

TEST_CASE("the provider gets the certificate from the gateway, and nothing that the client says about itself") {
  ReloadRig rig(true);
  const EchoProvider provider(rig.lists / "idp.sock");
  const auto ask = [&](const std::vector<std::string>& fields) {
    std::vector<std::string> more{"-H", "Content-Type: application/x-www-form-urlencoded", "-d", "scope=x"};
    for (const std::string& field : fields) more.insert(more.end(), {"-H", field});
    return rig.gateway.request("own", "/oauth/token", more);
  };
  REQUIRE(accepted(ask({})));
  const std::string plain = rig.gateway.body();
  const size_t at = plain.find("x-client-cert-der: ");
  REQUIRE(at != std::string::npos);
  const std::string pem = slurp(rig.gateway.folder() / "own");
  std::string der = pem.substr(pem.find('\n') + 1, pem.find("-----END") - pem.find('\n') - 1);
  der.erase(std::remove(der.begin(), der.end(), '\n'), der.end());
  CHECK(plain.substr(at + 19, plain.find("\r\n", at) - at - 19) == der);
  REQUIRE(accepted(ask({"X-Client-Cert-Der: eA==", "X-Client-Cert-Sha256: x", "X-Vehicle-Id: v-other",
                        "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: http", "Forwarded: for=10.0.0.1",
                        "X-SSL-Client-Cert: x", "Cookie: a=b", "Authorization: Bearer x", "Accept: x/y"})));
  CHECK(rig.gateway.body() == plain);  // byte for byte the same request
  CHECK(plain.find("accept") == std::string::npos);
}

}  // namespace cloud_test
