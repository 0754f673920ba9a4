// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of the TLS connection.
#include <catch2/catch_test_macros.hpp>

#include "attacks.hpp"

namespace attack {
namespace {

using cloud_test::Fleet;
using cloud_test::spill;

constexpr char kEndEntity[] = "critical,CA:FALSE";
constexpr char kSigns[] = "critical,digitalSignature";

void write_client(Chain& chain, const std::string& file, const std::string& chain_pem, const oem::Key& key) {
  spill(chain.gateway.folder() / file, chain_pem + oem::pem_of(key.get()));
}

/// A certificate of the real authority, after `edit` and signed again.
std::string of_the_authority(const oem::CertificateProfile& profile, const oem::Key& key,
                             const std::function<void(X509*)>& edit = {}) {
  const auto ca = Fleet::get().pki().certificate("tls");
  const auto ca_key = Fleet::get().pki().key("tls");
  const auto leaf = oem::issue(profile, key.get(), ca.get(), ca_key.get());
  if (edit) {
    edit(leaf.get());
    X509_sign(leaf.get(), ca_key.get(), EVP_sha256());
  }
  return oem::pem_of(leaf.get()) + oem::pem_of(ca.get());
}

oem::CertificateProfile client_profile(const std::string& name, int days = 30) {
  return {name, days, kEndEntity, kSigns, "clientAuth", ""};
}

/// Each makes the PEM of a chain for a key that the attacker has.
using Maker = std::function<std::string(const std::string& name, const oem::Key& key)>;

std::string self_signed(const std::string& name, const oem::Key& key) {
  return oem::pem_of(oem::issue(client_profile(name), key.get(), nullptr, key.get()).get());
}

std::string own_authority(const std::string& name, const oem::Key& key) {
  const auto ca_key = oem::generate_key();
  const auto ca =
      oem::issue({"OEM vehicle TLS", 30, "critical,CA:TRUE", "critical,keyCertSign,cRLSign", "", ""},
                 ca_key.get(), nullptr, ca_key.get());
  return oem::pem_of(oem::issue(client_profile(name), key.get(), ca.get(), ca_key.get()).get()) +
         oem::pem_of(ca.get());
}

std::string under_a_leaf(const std::string& name, const oem::Key& key) {
  const auto leaf_key = oem::generate_key();
  const auto issued = Fleet::get().pki().issue_tls_client("v-issuer", leaf_key.get(), 30);
  return oem::pem_of(oem::issue(client_profile(name), key.get(), issued.leaf.get(), leaf_key.get()).get()) +
         oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get());
}

std::string of_role(wayseal::Role role, const std::string& name, const oem::Key& key) {
  const auto issued = Fleet::get().pki().issue_role(role, name, key.get(), 30);
  return oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get());
}

std::string bootstrap(const std::string& name, const oem::Key& key) {
  const auto issued = Fleet::get().pki().issue_bootstrap(name, key.get(), 30);
  return oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get());
}

std::string expired(const std::string& name, const oem::Key& key) {
  return of_the_authority(client_profile(name), key,
                          [](X509* leaf) { X509_gmtime_adj(X509_getm_notAfter(leaf), -1); });
}

std::string not_yet_valid(const std::string& name, const oem::Key& key) {
  return of_the_authority(client_profile(name), key,
                          [](X509* leaf) { X509_gmtime_adj(X509_getm_notBefore(leaf), 3600); });
}

std::string for_servers(const std::string& name, const oem::Key& key) {
  return of_the_authority({name, 30, kEndEntity, kSigns, "serverAuth", ""}, key);
}

std::string of_the_gateway(const std::string& name, const oem::Key& key) {
  return oem::pem_of(Fleet::get().pki().issue_server({name}, key.get(), 30).get());
}

std::string revoked(const std::string& name, const oem::Key& key) {
  const auto issued = Fleet::get().pki().issue_tls_client(name + "-gone", key.get(), 30);
  Fleet::get().pki().revoke(name + "-gone");
  return oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get());
}

/// The request of `own` with the TLS client that `spoil` makes of it.
void play_tls(Chain& chain, Member& own, const std::string& name, const std::string& holds,
              const std::string& expected, const std::function<void(Request&)>& spoil) {
  const Request good = chain.good(own);
  Request bad = good;
  spoil(bad);
  play({"tls", name, holds, expected, [&] { return chain.send(bad); }, [&] { return chain.send(good); },
        chain.watch()});
}

std::function<void(SSL_CTX*)> suites(const char* names) {
  return [names](SSL_CTX* context) { SSL_CTX_set_ciphersuites(context, names); };
}

}  // namespace

TEST_CASE("attacks on the certificate") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  const struct {
    const char* name;
    const char* holds;
    const char* expected;
    Maker make;
  } cases[] = {
      {"self-signed, with the vehicle's name", "name and token", "closed handshake verify=18", self_signed},
      {"another CA that calls itself like ours", "name and token", "closed handshake verify=19", own_authority},
      {"issued by a vehicle's own certificate", "a vehicle's key", "closed handshake verify=79", under_a_leaf},
      {"the gateway's CA", "a gateway's key", "closed handshake verify=19", of_the_gateway},
      {"wrong role: end-to-end identity of the vehicle", "the vehicle's e2e key", "closed handshake verify=20",
       [](auto& name, auto& key) { return of_role(wayseal::Role::kVehicle, name, key); }},
      {"wrong role: prekey identity of the backend", "the backend's key", "closed handshake verify=20",
       [](auto& name, auto& key) { return of_role(wayseal::Role::kPrekey, name, key); }},
      {"bootstrap identity, which is for enrolment alone", "the vehicle's bootstrap key",
       "closed handshake verify=19", bootstrap},
      {"our CA, but for servers", "a server's key", "closed handshake verify=26", for_servers},
      {"expired a second ago", "an old key", "closed handshake verify=10", expired},
      {"not yet valid", "a key for later", "closed handshake verify=9", not_yet_valid},
      {"revoked, the list is loaded", "a revoked key", "closed handshake verify=23", revoked},
  };
  for (const auto& one : cases) {
    const auto key = oem::generate_key();
    write_client(chain, "attacker", one.make(own.id(), key), key);
    if (one.make.target<decltype(&revoked)>() != nullptr &&
        *one.make.target<decltype(&revoked)>() == &revoked) {
      chain.gateway.write_crl();
      chain.restart_gateway();
    }
    play_tls(chain, own, one.name, one.holds, one.expected, [](Request& bad) { bad.client = "attacker"; });
  }
  play_tls(chain, own, "no certificate at all", "a stolen token", "closed handshake",
           [](Request& bad) { bad.client.clear(); });
}

TEST_CASE("attacks on the protocol") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  play_tls(chain, own, "TLS 1.2", "everything", "closed handshake", [](Request& bad) {
    bad.tls = [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); };
  });
  play_tls(chain, own, "AES-128 instead of AES-256", "everything", "closed handshake",
           [](Request& bad) { bad.tls = suites("TLS_AES_128_GCM_SHA256"); });
  play_tls(chain, own, "ChaCha20, which the policy has not", "everything", "closed handshake",
           [](Request& bad) { bad.tls = suites("TLS_CHACHA20_POLY1305_SHA256"); });
  play_tls(chain, own, "another curve", "everything", "closed handshake",
           [](Request& bad) { bad.tls = [](SSL_CTX* c) { SSL_CTX_set1_groups_list(c, "X25519"); }; });
}

TEST_CASE("names that are no vehicle's") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  for (const auto& name :
       {std::string("two words"), std::string("a/b"), std::string("*"), std::string("v\"},{\"x"),
        std::string("v-1\r\nx-vehicle-id: v-2"), std::string(33, 'v')}) {
    const auto key = oem::generate_key();
    write_client(chain, "odd", of_the_authority(client_profile(name), key), key);
    const std::string shown = name.size() > 32 ? "33 letters" : json(name).dump();
    play_tls(chain, own, "common name " + shown, "a certificate of our CA", "403 not-a-vehicle name",
             [](Request& bad) { bad.client = "odd"; });
  }
}

TEST_CASE("revoked while the connection is open") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  Member neighbour = chain.member();
  cloud_test::OpenConnection connection(chain.gateway, own.client);
  cloud_test::OpenConnection other(chain.gateway, neighbour.client);
  const auto ask = [&](cloud_test::OpenConnection& on, Member& as) {
    Request request = chain.good(as);
    request.remove("Connection");
    const size_t mark = chain.log_mark();
    const std::string answer = on.ask(request.bytes());
    if (answer.empty()) return std::string("closed");
    return answer.find("urn:wayseal:problem:revoked") != std::string::npos && chain.describe("", mark) != ""
               ? std::string("403 revoked")
               : answer.substr(9, 3);
  };
  REQUIRE(ask(connection, own) == "200");
  REQUIRE(ask(other, neighbour) == "200");
  Fleet::get().pki().revoke(own.id());
  chain.gateway.write_crl();
  REQUIRE(cloud_test::run({WAYSEAL_GATEWAY_REVOKE, chain.gateway.pki(), chain.revoked_list(), "--admin",
                           chain.admin_socket()})
              .code == 0);
  play({"tls", "revoked: the next request on the open connection", "an open connection and a token",
        "403 revoked", [&] { return ask(connection, own); }, [&] { return ask(other, neighbour); },
        chain.watch()});
  play({"tls", "revoked: once more on the same connection", "an open connection and a token", "closed",
        [&] { return ask(connection, own); }, [&] { return ask(other, neighbour); }, chain.watch()});
  play({"tls", "revoked: a new connection before the list is loaded", "a revoked certificate and a token",
        "403 revoked revoked", [&] { return chain.send(chain.good(own)); },
        [&] { return chain.send(chain.good(neighbour)); }, chain.watch()});
}

}  // namespace attack
