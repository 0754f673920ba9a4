// SPDX-License-Identifier: Apache-2.0
// What vehicles get from the identity provider, and what nobody gets.
#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <set>

#include "rig.hpp"

using cloud_test::http_raw;
using idp_test::base64;
using idp_test::certificate_with_names;
using idp_test::form;
using idp_test::Idp;
using idp_test::json;
using idp_test::kBothScopes;
using idp_test::kTokenPath;
using idp_test::outcome;
using idp_test::request;
using idp_test::Token;

namespace {

// One process for all tests that change nothing.
Idp& shared() {
  static Idp idp;
  return idp;
}

std::set<std::string> names_of(const json& object) {
  std::set<std::string> names;
  for (const auto& item : object.items()) names.insert(item.key());
  return names;
}

std::string certificate_header(const std::string& value) { return "x-client-cert-der: " + value + "\r\n"; }

std::string post(const std::string& target, const std::string& type, const std::string& length,
                 const std::string& body) {
  return request("POST", target,
                 certificate_header(base64(shared().certificate())) +
                     (type.empty() ? "" : "Content-Type: " + type + "\r\n") + length,
                 body);
}

const std::string kForm = "application/x-www-form-urlencoded";
std::string length_of(const std::string& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

}  // namespace

TEST_CASE("a vehicle gets a token bound to its certificate, which the gateway's key verifies") {
  Idp& idp = shared();
  const auto before = static_cast<int64_t>(std::time(nullptr));
  const auto reply = idp.ask();
  REQUIRE(reply.status == 200);
  CHECK(reply.head.find("no-store") != std::string::npos);
  CHECK(reply.head.find("Access-Control") == std::string::npos);
  const json answer = json::parse(reply.body);
  CHECK(names_of(answer) == std::set<std::string>{"access_token", "expires_in", "scope", "token_type"});
  CHECK(answer["token_type"] == "Bearer");
  CHECK(answer["expires_in"] == 300);
  CHECK(answer["scope"] == "prekeys records");

  const Token token(answer["access_token"]);
  CHECK(token.compact.size() <= 1024);
  CHECK(names_of(token.header) == std::set<std::string>{"alg", "kid", "typ"});
  CHECK(token.header["alg"] == "ES256");
  CHECK(token.header["typ"] == "at+jwt");
  CHECK(token.header["kid"].get<std::string>().rfind("a-", 0) == 0);
  CHECK(names_of(token.claims) ==
        std::set<std::string>{"aud", "client_id", "cnf", "exp", "iat", "iss", "jti", "scope", "sub"});
  CHECK(token.claims["iss"] == "https://idp.wayseal.example");
  CHECK(token.claims["aud"] == "urn:wayseal:vehicle-api");
  CHECK(token.claims["sub"] == idp.vehicle());
  CHECK(token.claims["client_id"] == idp.vehicle());
  CHECK(token.claims["scope"] == "prekeys records");
  const auto issued = token.claims["iat"].get<int64_t>();
  CHECK(issued >= before);
  CHECK(issued <= static_cast<int64_t>(std::time(nullptr)));
  CHECK(token.claims["exp"].get<int64_t>() == issued + 300);
  CHECK(token.claims["cnf"] == json{{"x5t#S256", idp_test::base64url(idp_test::sha256(idp.certificate()))}});

  CHECK(token.verified_by(idp.public_key('a')));
  CHECK_FALSE(token.verified_by(idp.public_key('b')));
  const Token next(json::parse(idp.ask().body)["access_token"]);
  CHECK(next.claims["jti"] != token.claims["jti"]);
}

TEST_CASE("each vehicle gets its own tokens") {
  Idp& idp = shared();
  const Token token(json::parse(idp.ask(form(idp.vehicle(1)), idp.certificate(1)).body)["access_token"]);
  CHECK(token.claims["sub"] == idp.vehicle(1));
  CHECK(token.claims["cnf"]["x5t#S256"] == idp_test::base64url(idp_test::sha256(idp.certificate(1))));
}

TEST_CASE("the lifetime, issuer and audience of the configuration are those of the token") {
  Idp idp({{"ttl_seconds", 7}, {"issuer", "https://other.example"}, {"audience", "urn:other"}});
  const json answer = json::parse(idp.ask().body);
  CHECK(answer["expires_in"] == 7);
  const Token token(answer["access_token"]);
  CHECK(token.claims["exp"].get<int64_t>() - token.claims["iat"].get<int64_t>() == 7);
  CHECK(token.claims["iss"] == "https://other.example");
  CHECK(token.claims["aud"] == "urn:other");
}

TEST_CASE("a token has the scopes that were asked for, when all of them are granted") {
  Idp& idp = shared();
  for (const std::string scope : {"prekeys", "records", "records%20prekeys"}) {
    const auto reply = idp.ask(form(idp.vehicle(), scope), idp.certificate());
    CAPTURE(scope, reply.body);
    REQUIRE(reply.status == 200);
    const Token token(json::parse(reply.body)["access_token"]);
    CHECK(json::parse(reply.body)["scope"] == token.claims["scope"]);
    CHECK(token.claims["scope"] == (scope == "records%20prekeys" ? "records prekeys" : scope));
  }
  for (const std::string scope : {"", "%20", "admin", "prekeys%20admin", "PREKEYS", "prekeys,records", "openid",
                                  "prekeys%20%20records"}) {
    CAPTURE(scope);
    CHECK(outcome(idp.ask(form(idp.vehicle(), scope), idp.certificate())) == "400 invalid_scope");
  }
}

TEST_CASE("a scope that a client was not granted is refused, not left out") {
  Idp idp;
  cloud_test::spill(idp.client_file(idp.vehicle()),
                    json{{"client_id", idp.vehicle()}, {"scopes", {"prekeys"}}}.dump());
  CHECK(outcome(idp.ask()) == "400 invalid_scope");
  CHECK(outcome(idp.ask(form(idp.vehicle(), "records"), idp.certificate())) == "400 invalid_scope");
  CHECK(outcome(idp.ask(form(idp.vehicle(), "prekeys"), idp.certificate())) == "200");
}

TEST_CASE("nobody gets a token without the one certificate of that vehicle") {
  Idp& idp = shared();
  const std::string id = idp.vehicle();
  const std::string good = base64(idp.certificate());
  const auto der = [](const std::vector<std::string>& names) { return base64(certificate_with_names(names)); };
  const std::string pem = "-----BEGIN CERTIFICATE-----\n" + good + "\n-----END CERTIFICATE-----\n";
  const std::pair<const char*, std::string> refused[] = {
      {"none", ""},
      {"an empty one", certificate_header("")},
      {"another vehicle's", certificate_header(base64(idp.certificate(1)))},
      {"two headers", certificate_header(good) + certificate_header(base64(idp.certificate(1)))},
      {"two in one header", certificate_header(good + "," + good)},
      {"PEM", certificate_header(base64(pem))},
      {"a byte more", certificate_header(base64(idp.certificate() + '\0'))},
      {"a byte less", certificate_header(base64(idp.certificate().substr(0, idp.certificate().size() - 1)))},
      {"two of them", certificate_header(base64(idp.certificate() + idp.certificate(1)))},
      {"no base64", certificate_header("*" + good)},
      {"base64url", certificate_header("_-__")},
      {"no padding", certificate_header(good.substr(0, good.size() - 1))},
      {"something else", certificate_header(base64("certificate"))},
      {"far too long", certificate_header(std::string(8000, 'A'))},
      {"no name", certificate_header(der({}))},
      {"two names, the first right", certificate_header(der({id, "other"}))},
      {"two names, the last right", certificate_header(der({"other", id}))},
      {"the same name twice", certificate_header(der({id, id}))},
      {"a name with more", certificate_header(der({id + "0"}))},
      {"a name with NUL", certificate_header(der({id + std::string("\0x", 2)}))},
      {"a name with a line", certificate_header(der({id + "\nCN=other"}))},
      {"a name in capitals", certificate_header(der({"V" + id.substr(1)}))},
  };
  for (const auto& [what, header] : refused) {
    CAPTURE(what);
    CHECK(outcome(idp.ask(form(id), "", header)) == "401 invalid_client");
  }
  // The same way with the right name is accepted: only the name was wrong above. The gateway looks at the chain.
  CHECK(outcome(idp.ask(form(id), "", certificate_header(der({id})))) == "200");
  CHECK(outcome(idp.ask(form(id), "", certificate_header(good))) == "200");
}

TEST_CASE("nobody gets a token for a client that is not there, whatever its id looks like") {
  Idp& idp = shared();
  const std::string long_id(33, 'v');
  for (const std::string& id : {std::string("v-0000000000000000"), std::string("."), std::string(".."),
                                std::string("../") + idp.vehicle(), std::string("clients"), long_id,
                                std::string("v\n"), std::string("__proto__")}) {
    CAPTURE(id);
    std::string encoded;
    for (const char c : id) {
      char text[4];
      std::snprintf(text, sizeof text, "%%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      encoded += text;
    }
    CHECK(outcome(idp.ask(form(encoded), certificate_with_names({id}))) == "401 invalid_client");
  }
  CHECK(outcome(idp.ask("grant_type=client_credentials&scope=prekeys", idp.certificate())) ==
        "400 invalid_request");
}

TEST_CASE("an id leads to no file outside of the folder") {
  Idp idp;
  const std::string id = "../outside";
  cloud_test::spill(idp.file("outside.json"), json{{"client_id", id}, {"scopes", {"prekeys"}}}.dump());
  CHECK(outcome(idp.ask(form("..%2Foutside", "prekeys"), certificate_with_names({id}))) ==
        "401 invalid_client");
}

TEST_CASE("no other grant, no other proof, no other audience") {
  Idp& idp = shared();
  const std::string client = "client_id=" + idp.vehicle() + "&scope=prekeys";
  for (const char* const grant :
       {"authorization_code", "refresh_token", "password", "implicit", "client_credentials%20",
        "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:token-exchange"}) {
    CAPTURE(grant);
    CHECK(outcome(idp.ask("grant_type=" + std::string(grant) + "&" + client, idp.certificate())) ==
          "400 unsupported_grant_type");
  }
  const std::string good = form(idp.vehicle());
  const auto with = [&](const std::string& more) { return outcome(idp.ask(good + more, idp.certificate())); };
  CHECK(outcome(idp.ask(client, idp.certificate())) == "400 invalid_request");
  CHECK(with("&grant_type=client_credentials") == "400 invalid_request");
  CHECK(with("&client_id=" + idp.vehicle(1)) == "400 invalid_request");
  CHECK(with("&scope=records") == "400 invalid_request");
  // What could prove a client elsewhere proves nothing here.
  CHECK(outcome(idp.ask(good + "&client_secret=x", "")) == "401 invalid_client");
  CHECK(outcome(idp.ask(good + "&client_assertion=e30.e30.&client_assertion_type=x", "")) ==
        "401 invalid_client");
  CHECK(with("&resource=urn:other") == "400 invalid_target");
  CHECK(with("&resource=urn:wayseal:vehicle-api") == "200");
  const std::string basic = "Authorization: Basic " + base64(idp.vehicle() + ":x") + "\r\n";
  CHECK(outcome(idp.ask(good, idp.certificate(), basic)) == "401 invalid_client");
  CHECK(with("") == "200");
}

TEST_CASE("two routes, and nothing else") {
  Idp& idp = shared();
  const auto status = [&](const char* method, const std::string& target) {
    return http_raw(idp.socket(), request(method, target, "Content-Length: 0\r\n", "")).status;
  };
  for (const char* const path : {"/",
                                 "/token",
                                 "/oauth/token/",
                                 "/oauth//token",
                                 "/OAUTH/TOKEN",
                                 "/oauth/%74oken",
                                 "/oauth/token?x",
                                 "/oauth/./token",
                                 "/.well-known/openid-configuration",
                                 "/.well-known/oauth-authorization-server",
                                 "/auth",
                                 "/me",
                                 "/reg",
                                 "/session/end",
                                 "/token/introspection",
                                 "/token/revocation",
                                 "/request",
                                 "/device",
                                 "/backchannel",
                                 "/__proto__",
                                 "*"}) {
    CAPTURE(path);
    CHECK(status("POST", path) == 404);
    CHECK(status("GET", path) == 404);
  }
  for (const char* const method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    CAPTURE(method);
    const auto reply = http_raw(idp.socket(), request(method, kTokenPath, "", ""));
    CHECK(reply.status == 405);
    CHECK(reply.head.find("Allow: POST") != std::string::npos);
  }
  CHECK(status("POST", "/jwks") == 405);
  CHECK(status("OPTIONS", "/jwks") == 405);
}

TEST_CASE("bodies have the one type, a declared length and at most 1024 bytes") {
  Idp& idp = shared();
  const std::string good = form(idp.vehicle());
  const auto send = [&](const std::string& type, const std::string& length, const std::string& body) {
    return http_raw(idp.socket(), post(kTokenPath, type, length, body)).status;
  };
  CHECK(send(kForm, length_of(good), good) == 200);
  CHECK(send(kForm + "; charset=UTF-8", length_of(good), good) == 200);
  for (const std::string& type : {std::string(), std::string("application/json"), std::string("text/plain"),
                                  kForm + "x", kForm + "; charset=utf-16"}) {
    CAPTURE(type);
    CHECK(send(type, length_of(good), good) == 415);
  }
  CHECK(send(kForm, "Content-Encoding: gzip\r\n" + length_of(good), good) == 415);
  CHECK(send(kForm, "Transfer-Encoding: chunked\r\n", "5\r\nscope\r\n0\r\n\r\n") == 411);
  CHECK(send(kForm, "", "") == 411);
  CHECK(send(kForm, "Transfer-Encoding: chunked\r\n" + length_of(good), "0\r\n\r\n") == 400);
  std::string large = good + "&x=";
  large.resize(1024, 'a');
  CHECK(send(kForm, length_of(large), large) == 200);
  large += 'a';
  CHECK(send(kForm, length_of(large), large) == 413);
  CHECK(send(kForm, "Content-Length: 1000000000000\r\n", "x") == 413);
  CHECK(send(kForm, length_of(good) + "Content-Length: 5\r\n", good) == 400);
  CHECK(outcome(idp.ask()) == "200");
}

TEST_CASE("a body that is no form is refused and harms nobody") {
  Idp& idp = shared();
  for (const std::string& body :
       {std::string(), std::string("="), std::string("&&&&"), std::string("%"), std::string("%ff%fe"),
        std::string(1024, '\0'), std::string(1024, '&'), std::string("client_id[]=x&client_id[a]=y"),
        std::string("__proto__=x&constructor=y&client_id=v")}) {
    CAPTURE(body);
    const unsigned status = idp.ask(body, idp.certificate()).status;
    CHECK(status >= 400);
    CHECK(status < 500);
  }
  CHECK(http_raw(idp.socket(), "nonsense\r\n\r\n").status == 400);
  CHECK(http_raw(idp.socket(), request("POST", kTokenPath, "x: " + std::string(20000, 'x') + "\r\n", ""))
            .status == 400);
  CHECK(outcome(idp.ask()) == "200");
}

TEST_CASE("the provider publishes public keys only") {
  Idp& idp = shared();
  const json keys = json::parse(http_raw(idp.socket(), request("GET", "/jwks", "", "")).body)["keys"];
  REQUIRE(keys.size() == 1);
  CHECK(names_of(keys[0]) == std::set<std::string>{"alg", "crv", "kid", "kty", "use", "x", "y"});
}
