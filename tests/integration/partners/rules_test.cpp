// SPDX-License-Identifier: Apache-2.0
// The rules of the partners' listener. Each refusal stands beside a request that differs in one thing and is accepted.
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <ctime>

#include "../idp/rig.hpp"
#include "gateway.hpp"
#include "jwt.hpp"
#include "rig.hpp"

namespace partners_test {
namespace {

/// A partner with a grant, and requests with a good token.
struct Rules {
  Rules() : vehicle(rig.vehicle().id()) {
    rig.grant(partner, {vehicle}, {"Engine.Speed"});
    bearer = "Authorization: Bearer " + rig.token(partner) + "\r\n";
  }
  std::string get(const std::string& target, const std::string& headers = "") {
    return rig.outcome(rig.request(partner, "GET", target, bearer + headers));
  }
  std::string with(const std::string& method, const std::string& headers, const std::string& body = "") {
    return rig.outcome(rig.request(partner, method, signals_of(vehicle), bearer + headers, body));
  }
  std::string with_token(const std::string& token) {
    return rig.outcome(rig.request(partner, "GET", signals_of(vehicle),
                                   token.empty() ? "" : "Authorization: Bearer " + token + "\r\n"));
  }

  Rig rig;
  Partner partner = rig.partner();
  std::string vehicle;
  std::string bearer;
};

}  // namespace

TEST_CASE("targets and parameters have one spelling") {
  Rules rules;
  const std::string& v = rules.vehicle;
  const std::string since = "since=2023-11-14T22:13:20Z";
  const struct {
    std::string target;
    const char* expected;
  } cases[] = {
      {signals_of(v), "200"},
      {signals_of(v, "?" + since), "200"},
      {signals_of(v, "?" + since + "&until=2023-11-15T00:00:00Z&name=Engine.Speed"), "200"},
      {signals_of(v, "?name=Engine.Speed&" + since), "200"},
      {"/v1/share/vehicles", "200"},
      {"/v1/share/vehicles?after=v-0", "200"},
      // The gateway knows no such target.
      {signals_of(v, "?"), "not-found path"},
      {"/v1/share/vehicles/", "not-found path"},
      {"/v1/share/vehicles//signals", "not-found path"},
      {"/v1/share/vehicles/" + v, "not-found path"},
      {signals_of(v) + "/", "not-found path"},
      {signals_of("."), "not-found path"},
      {signals_of(".."), "not-found path"},
      {signals_of("..%2f" + v), "not-found path"},
      {signals_of("%76" + v.substr(1)), "not-found path"},
      {signals_of(v + "%00"), "not-found path"},
      {signals_of(v + ";x=1"), "not-found path"},
      {signals_of(std::string(33, 'v')), "not-found path"},
      {"/v1/share/vehicles/x/../" + v + "/signals", "not-found path"},
      {"/v1//share/vehicles", "not-found path"},
      {"/v1/Share/vehicles", "not-found path"},
      {"/v1/records", "not-found path"},
      {"/v1/prekeys", "not-found path"},
      {"/jwks", "not-found path"},
      {"/healthz", "not-found path"},
      {"https://localhost/v1/share/vehicles", "not-found path"},
      {signals_of(v, "?name=Engine%2eSpeed"), "not-found path"},
      {signals_of(v, "?name=a+b"), "not-found path"},
      {signals_of(v, "?name=" + std::string(520, 'a')), "not-found path"},
      // The share process does not know such parameters.
      {signals_of(v, "?x=1"), "bad-request"},
      {signals_of(v, "?vehicle=" + v), "bad-request"},
      {signals_of(v, "?" + since + "&" + since), "bad-request"},
      {signals_of(v, "?name=Engine.Speed&name=Engine.Speed"), "bad-request"},
      {signals_of(v, "?name[]=Engine.Speed"), "not-found path"},
      {signals_of(v, "?name"), "bad-request"},
      {signals_of(v, "?name="), "bad-request"},
      {signals_of(v, "?=1"), "bad-request"},
      {signals_of(v, "?name=Engine.Speed&"), "bad-request"},
      {signals_of(v, "?&name=Engine.Speed"), "bad-request"},
      {signals_of(v, "?Name=Engine.Speed"), "bad-request"},
      {signals_of(v, "?name=Speed"), "bad-request"},
      {signals_of(v, "?since=all"), "bad-request"},
      {signals_of(v, "?since=-10d"), "bad-request"},
      {signals_of(v, "?since=1700000000"), "bad-request"},
      {signals_of(v, "?since=2023-11-14"), "bad-request"},
      {signals_of(v, "?since=2023-02-30T00:00:00Z"), "bad-request"},
      {signals_of(v, "?since=2023-11-14T22:13:60Z"), "bad-request"},
      {signals_of(v, "?since=2023-11-14T24:00:00Z"), "bad-request"},
      {signals_of(v, "?since=2023-11-15T00:00:00Z&until=2023-11-15T00:00:00Z"), "bad-request"},
      {signals_of(v, "?cursor=1"), "bad-request"},
      {signals_of(v, "?cursor=" + std::string(32, 'a') + "&name=Engine.Speed"), "bad-request"},
      {signals_of(v, "?after=v-0"), "bad-request"},
      {"/v1/share/vehicles?name=Engine.Speed", "bad-request"},
      {"/v1/share/vehicles?after=", "bad-request"},
      {"/v1/share/vehicles?after=v-0&after=v-1", "bad-request"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.target);
    CHECK(rules.get(one.target) == one.expected);
  }
  // What HAProxy cannot read is refused before any rule.
  CHECK(rules.rig.request(rules.partner, "GET", signals_of(v, "?name=Engine.Speed#x"), rules.bearer).status ==
        400);
}

TEST_CASE("methods, bodies and headers are looked at, and what a partner says about itself is dropped") {
  Rules rules;
  CHECK(rules.with("GET", "") == "200");
  for (const char* const method : {"POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get"}) {
    const Reply reply = rules.rig.request(rules.partner, method, signals_of(rules.vehicle), rules.bearer);
    CAPTURE(method);
    CHECK(reply.status == 405);
    CHECK(reply.head.find("allow: get") != std::string::npos);
  }
  CHECK(rules.with("GET", "", "x") == "too-large size");
  CHECK(rules.with("GET", "Transfer-Encoding: chunked\r\n") == "too-large size");
  CHECK(rules.with("GET", "Content-Length: 4294967296\r\n") == "too-large size");
  CHECK(rules.with("GET", "Content-Length: 0\r\n") == "200");
  CHECK(rules.with("GET", "Content-Encoding: gzip\r\n") == "unsupported-media-type type");
  CHECK(rules.with("GET", "Upgrade: h2c\r\n") == "bad-request form");
  CHECK(rules.with(
            "GET",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") ==
        "bad-request form");
  CHECK(rules.with("GET", rules.bearer) == "bad-request form");
  CHECK(rules.with("GET", "X_Partner_Id: " + rules.partner.name + "\r\n") == "bad-request form");
  CHECK(rules.with("GET", "X-Long: " + std::string(8200, 'x') + "\r\n") == "bad-request form");
  CHECK(rules.with("GET",
                   "X-Control: a\x01"
                   "b\r\n") == "bad-request form");

  // Another partner's grants by a header: what counts is the certificate.
  const Partner other = rules.rig.partner();
  const std::string foreign = rules.rig.vehicle().id();
  rules.rig.grant(other, {foreign}, {"Engine.Speed"});
  CHECK(rules.rig.outcome(rules.rig.get(other, signals_of(foreign))) == "200");
  for (const std::string& header :
       {"X-Partner-Id: " + other.name, "X-Forwarded-For: " + other.name,
        "X-Original-URL: " + signals_of(foreign), std::string("X-Client-Realm: vehicles"),
        std::string("X-HTTP-Method-Override: POST"), "Cookie: partner=" + other.name}) {
    CAPTURE(header);
    CHECK(rules.get(signals_of(foreign), header + "\r\n") == "not-found");
    CHECK(rules.get(signals_of(rules.vehicle), header + "\r\n") == "200");
  }
  // Never in plain, whatever a client says that it would like.
  for (const char* const accept :
       {"application/json", "text/html", "*/*;q=0", "application/json, application/jose;q=0"}) {
    const Reply reply = rules.rig.request(rules.partner, "GET", signals_of(rules.vehicle),
                                          rules.bearer + "Accept: " + accept + "\r\nAccept-Encoding: gzip\r\n");
    CHECK(reply.status == 200);
    CHECK(reply.head.find("content-type: application/jose") != std::string::npos);
    CHECK(reply.head.find("content-encoding") == std::string::npos);
    CHECK(rules.rig.open(rules.partner, reply.body).contains("payload"));
  }
  // Last, because HAProxy's own refusals have no line of the kind that is counted.
  CHECK(rules.rig.request(rules.partner, "GET", signals_of(rules.vehicle), rules.bearer + "Host: other\r\n")
            .status == 400);
}

TEST_CASE("every part of a partner's token is looked at") {
  Rules rules;
  const json header{{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", "b-20260101-1"}};
  const json claims = rules.rig.good_claims(rules.partner);
  const int64_t now = std::time(nullptr);
  const auto forge = [&](const char* name, const json& value) {
    json changed = claims;
    changed[name] = value;
    if (value.is_null()) changed.erase(name);
    return rules.with_token(rules.rig.forge(header, changed));
  };
  const auto with_header = [&](const char* name, const json& value) {
    json changed = header;
    changed[name] = value;
    return rules.with_token(rules.rig.forge(changed, claims));
  };
  CHECK(rules.with_token(rules.rig.forge(header, claims)) == "200");
  CHECK(rules.with_token("") == "token-required no_token");
  CHECK(rules.with_token("x.y.z") == "token-invalid alg");
  CHECK(forge("iss", "https://evil.example") == "token-invalid iss");
  CHECK(forge("aud", "urn:wayseal:vehicle-api") == "token-invalid aud");
  CHECK(forge("aud", nullptr) == "token-invalid aud");
  CHECK(forge("aud", {"urn:wayseal:partner-api"}) == "token-invalid aud");
  CHECK(forge("exp", now) == "token-invalid exp");
  for (const int64_t never : {int64_t{0}, int64_t{-1}, -now, INT64_MIN, INT64_MIN + now}) {
    CAPTURE(never);
    CHECK(forge("exp", never) == "token-invalid exp");
  }
  CHECK(forge("exp", nullptr) == "token-invalid exp");
  CHECK(forge("nbf", now + 3600) == "token-invalid nbf");
  CHECK(forge("nbf", now) == "200");
  CHECK(forge("nbf", "soon") == "token-invalid nbf");
  CHECK(forge("cnf", nullptr) == "token-invalid cnf");
  CHECK(forge("cnf", {{"x5t#S256", ""}}) == "token-invalid cnf");
  CHECK(forge("client_id", "partner-0") == "token-invalid client");
  CHECK(forge("sub", "partner-0") == "token-invalid client");
  CHECK(forge("scope", "prekeys records") == "scope-insufficient scope");
  CHECK(forge("scope", "shares xshare") == "scope-insufficient scope");
  CHECK(forge("scope", nullptr) == "scope-insufficient scope");
  CHECK(forge("scope", "x share") == "200");
  CHECK(with_header("alg", "none") == "token-invalid alg");
  CHECK(with_header("alg", "HS256") == "token-invalid alg");
  CHECK(with_header("typ", "JWT") == "token-invalid typ");
  CHECK(with_header("kid", "c-1") == "token-invalid kid");
  CHECK(with_header("kid", "a-1") == "token-invalid sig");
  const std::string good = rules.rig.forge(header, claims);
  CHECK(rules.with_token(good.substr(0, good.rfind('.') + 1)) == "token-invalid sig");
  CHECK(rules.with_token(cloud_test::sign_hs256(
            header, claims, cloud_test::public_pem_of(rules.rig.test_key()))) == "token-invalid sig");
}

TEST_CASE("vehicles and partners are strangers to each other: certificates, tokens and clients") {
  Rules rules;
  // The certificate of a vehicle that has the very name of this partner.
  const auto key = wayseal::oem::generate_key();
  const auto issued = cloud_test::Fleet::get().pki().issue_tls_client(rules.partner.name, key.get(), 30);
  spill(rules.partner.file("v.pem"),
        wayseal::oem::pem_of(issued.leaf.get()) + wayseal::oem::pem_of(issued.intermediate.get()));
  spill(rules.partner.file("v.key"), wayseal::oem::pem_of(key.get()));
  CHECK(rules.rig.outcome(rules.rig.request(rules.partner, "GET", signals_of(rules.vehicle), rules.bearer, "",
                                            "v")) == "none");
  const std::string ca = rules.rig.pki() + "/gateway-ca.pem";
  const auto at_vehicles = [&](const std::string& certificate, const std::string& request) {
    // Its answers are not counted: they are in the other listener's log.
    return Connection(rules.rig.vehicle_port(), ca, rules.partner.file(certificate + ".pem"),
                      rules.partner.file(certificate + ".key"), std::make_shared<size_t>(0))
        .ask(request);
  };
  const std::string form = "grant_type=client_credentials&client_id=" + rules.partner.name + "&scope=";
  const auto token_request = [&](const std::string& scope) {
    const std::string body = form + scope;
    return "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
           "application/x-www-form-urlencoded\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  CHECK(at_vehicles("a", token_request("share")).status == 0);
  CHECK(at_vehicles("v", token_request("prekeys")).status == 401);  // no such vehicle is a client
  wayseal::oem::add_idp_client(rules.rig.fleet(), rules.partner.name);
  CHECK(at_vehicles("v", token_request("share")).status == 400);
  const Reply vehicles = at_vehicles("v", token_request("prekeys"));
  REQUIRE(vehicles.status == 200);
  const std::string vehicle_token = json::parse(vehicles.body).at("access_token");
  CHECK(idp_test::Token(vehicle_token).claims.at("aud") == "urn:wayseal:vehicle-api");
  CHECK(rules.with_token(vehicle_token) == "token-invalid aud");
  // And the reverse: the same name is a partner's client here, with its own audience and scope.
  CHECK(rules.rig.ask_token(rules.partner, "a", "prekeys").status == 400);
  CHECK(rules.rig.ask_token(rules.partner, "a", "share%20records").status == 400);
  const json claims = idp_test::Token(rules.rig.token(rules.partner)).claims;
  CHECK(claims.at("aud") == "urn:wayseal:partner-api");
  CHECK(claims.at("scope") == "share");
  CHECK(claims.at("client_id") == rules.partner.name);
  const std::string stolen = rules.bearer.substr(0, rules.bearer.size() - 2);
  const Reply record =
      at_vehicles("v", "POST /v1/records HTTP/1.1\r\nHost: localhost\r\n" + stolen +
                           "\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n");
  CHECK(record.status == 401);
  CHECK(rules.with("GET", "") == "200");
}

TEST_CASE("the share process looks at everything again, for who reaches its socket") {
  Rules rules;
  const std::string digest(64, 'a');
  const auto ask = [&](const std::string& method, const std::string& target, const std::string& headers) {
    return cloud_test::http_raw(rules.rig.share_socket(),
                                method + " " + target + " HTTP/1.1\r\nHost: share\r\n" + headers + "\r\n")
        .status;
  };
  const std::string who = "x-partner-id: " + rules.partner.name + "\r\n";
  const std::string certificate = "x-partner-certificate: " + digest + "\r\n";
  const std::string target = signals_of(rules.vehicle);
  CHECK(ask("GET", target, who + certificate) == 200);
  CHECK(ask("GET", target, certificate) == 403);
  CHECK(ask("GET", target, who) == 403);
  CHECK(ask("GET", target, who + who + certificate) == 403);
  CHECK(ask("GET", target, who + "x-partner-certificate: x\r\n") == 403);
  CHECK(ask("GET", target, "x-partner-id: a b\r\n" + certificate) == 403);
  CHECK(ask("GET", target, "x-partner-id: nobody\r\n" + certificate) == 403);
  CHECK(ask("POST", target, who + certificate) == 405);
  CHECK(ask("GET", target, who + certificate + "Content-Length: 1\r\n") == 413);
  for (const char* const other :
       {"/v1/share", "/v1/share/vehicles/../vehicles", "/v1/share/vehicles/..%2f/signals",
        "/v1/share/vehicles/..//signals", "/v1/share/vehicles/signals", "/v1/share/vehicles/"}) {
    CAPTURE(other);
    CHECK(ask("GET", other, who + certificate) == 404);
  }
  CHECK(ask("GET", "/v1/share/vehicles?", who + certificate) == 400);
}

TEST_CASE("rates are a partner's own, and a listener of TLS answers nothing in plain") {
  Rig rig({"WAYSEAL_RATE_PARTNER=5"});
  const Partner partner = rig.partner();
  const Partner neighbour = rig.partner();
  const std::string vehicle = rig.vehicle().id();
  rig.grant(partner, {vehicle}, {"Engine.Speed"});
  rig.grant(neighbour, {vehicle}, {"Engine.Speed"});
  const std::string bearer = "Authorization: Bearer " + rig.token(partner) + "\r\n";
  int refused = 0;
  for (int i = 0; i < 8; ++i) {
    const Reply reply = rig.request(partner, "GET", signals_of(vehicle), bearer);
    if (reply.status != 429) continue;
    ++refused;
    CHECK(rig.outcome(reply) == "rate-limited rate");
    CHECK(reply.head.find("retry-after: 10") != std::string::npos);
  }
  CHECK(refused == 4);
  CHECK(rig.outcome(rig.get(neighbour, signals_of(vehicle))) == "200");
  const Output plain = run({WAYSEAL_CURL, "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20",
                            "http://localhost:" + std::to_string(rig.port()) + "/v1/share/vehicles"});
  CHECK(plain.text == "000");
  const Output no_certificate = run({WAYSEAL_CURL, "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time",
                                     "20", "--cacert", rig.pki() + "/gateway-ca.pem",
                                     "https://localhost:" + std::to_string(rig.port()) + "/v1/share/vehicles"});
  CHECK(no_certificate.text == "000");
}

}  // namespace partners_test
