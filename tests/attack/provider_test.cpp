// SPDX-License-Identifier: Apache-2.0
// Asking the identity provider, through the gateway, for what one should not get.
#include <catch2/catch_test_macros.hpp>

#include "attacks.hpp"

namespace attack {
namespace {

Request ask(const Member& of, const std::string& body) {
  return {of.client,
          "POST /oauth/token HTTP/1.1",
          {"Host: localhost", "Content-Type: application/x-www-form-urlencoded",
           "Content-Length: " + std::to_string(body.size()), "Connection: close"},
          body};
}

std::string form(const std::string& client, const std::string& scope = "prekeys%20records") {
  return "grant_type=client_credentials&client_id=" + client + "&scope=" + scope;
}

}  // namespace

TEST_CASE("attacks on the token endpoint") {
  Chain& chain = shared_chain();
  if (!chain.has_provider()) SKIP("the locked npm packages are not in the cache: run toolchains/setup");
  Member own = chain.member();
  const Member other = chain.member();
  const auto play_ask = [&](const char* name, const std::string& expected, const Request& bad) {
    play({"provider", name, "certificate", expected, [&] { return chain.send(bad); },
          [&] { return chain.send(ask(own, form(own.id()))); }, chain.watch(), "200", false});
  };
  const std::string good = form(own.id());
  play_ask("in another vehicle's name", "401 invalid_client", ask(own, form(other.id())));
  play_ask("a client that is not there", "401 invalid_client", ask(own, form("v-nobody")));
  play_ask("a client's name that is a path", "401 invalid_client", ask(own, form("..%2F..%2Fidp")));
  play_ask("no client", "400 invalid_request", ask(own, "grant_type=client_credentials&scope=records"));
  play_ask("two clients", "400 invalid_request", ask(own, good + "&client_id=" + other.id()));
  play_ask("a secret instead of the certificate", "401 invalid_client",
           ask(own, form(other.id()) + "&client_secret=x"));
  play_ask("a scope of partners", "400 invalid_scope", ask(own, form(own.id(), "share")));
  play_ask("a scope more than granted", "400 invalid_scope",
           ask(own, form(own.id(), "prekeys%20records%20share")));
  play_ask("no scope", "400 invalid_scope", ask(own, "grant_type=client_credentials&client_id=" + own.id()));
  play_ask("another audience", "400 invalid_target", ask(own, good + "&resource=urn:wayseal:partner-api"));
  for (const char* grant : {"authorization_code", "refresh_token", "password", "implicit"}) {
    play_ask(grant, "400 unsupported_grant_type",
             ask(own, std::string("grant_type=") + grant + "&client_id=" + own.id() + "&scope=records"));
  }
  play_ask("without a certificate", "closed handshake", [&] {
    Request bad = ask(own, good);
    bad.client.clear();
    return bad;
  }());
  play_ask("another's certificate in a field", "401 invalid_client",
           ask(own, form(other.id())).add("x-client-cert-der: eA=="));
  play_ask("the partners' realm in a field, and their scope", "400 invalid_scope",
           ask(own, form(own.id(), "share")).add("x-client-realm: partners"));
  play_ask("as JSON", "415 unsupported-media-type type",
           ask(own, good).set("Content-Type", "application/json"));
  play_ask("more than 1 KiB", "413 too-large size", ask(own, std::string(1025, 'x')));
}

}  // namespace attack
