// SPDX-License-Identifier: Apache-2.0
// Access tokens at the gateway. Each refusal has a twin that differs in one thing and is accepted.
#include <catch2/catch_test_macros.hpp>
#include <ctime>

#include "gateway.hpp"
#include "jwt.hpp"

namespace cloud_test {
namespace {

using nlohmann::json;

/// A gateway that wants tokens, and a vehicle with a certificate. The provider's socket is only reached by the token's own route.
struct TokenRig {
  TokenRig() : vehicle(Fleet::get().make_vehicle()), thumbprint(gateway.client("own", vehicle.id())) {}

  json header() const { return {{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", "a-20260101-1"}}; }
  json claims() const {
    const int64_t now = std::time(nullptr);
    return {{"iss", "https://idp.wayseal.example"},
            {"aud", "urn:wayseal:vehicle-api"},
            {"sub", vehicle.id()},
            {"client_id", vehicle.id()},
            {"scope", "prekeys records"},
            {"iat", now},
            {"exp", now + 300},
            {"jti", "1"},
            {"cnf", {{"x5t#S256", thumbprint}}}};
  }
  std::string good() const { return sign_es256(header(), claims(), gateway.token_key('a')); }

  Gateway::Answer post(const std::string& token, const std::string& target = "/v1/records",
                       std::vector<std::string> more = {}) {
    if (!token.empty()) more.insert(more.end(), {"-H", "Authorization: Bearer " + token});
    return gateway.post("own", target, "", std::move(more));
  }

  std::string outcome(const Gateway::Answer& answer) { return reader.outcome(answer); }

  World world;
  Gateway gateway{world, {"WAYSEAL_IDP_SOCKET=@/idp.sock", "WAYSEAL_GATEWAY_ADMIN=@/admin.sock"}};
  TestVehicle vehicle;
  std::string thumbprint;
  OutcomeReader reader{gateway};
};

}  // namespace

TEST_CASE("a token of either signing key opens the routes of its scope") {
  TokenRig rig;
  CHECK(rig.outcome(rig.post(rig.good())) == "200");
  json header = rig.header();
  header["kid"] = "b-20260101-1";
  CHECK(rig.outcome(rig.post(sign_es256(header, rig.claims(), rig.gateway.token_key('b')))) == "200");
  json claims = rig.claims();
  claims["scope"] = "records";
  CHECK(rig.outcome(rig.post(sign_es256(rig.header(), claims, rig.gateway.token_key('a')))) == "200");
  CHECK(rig.outcome(rig.post(sign_es256(rig.header(), claims, rig.gateway.token_key('a')), "/v1/prekeys")) ==
        "scope-insufficient scope");
  claims["scope"] = "prekeysx xprekeys pre keys";
  CHECK(rig.outcome(rig.post(sign_es256(rig.header(), claims, rig.gateway.token_key('a')), "/v1/prekeys")) ==
        "scope-insufficient scope");
  claims["scope"] = "x prekeys";  // reaches the backend, which finds nothing in the body
  CHECK(rig.post(sign_es256(rig.header(), claims, rig.gateway.token_key('a')), "/v1/prekeys").status == "400");
  claims.erase("scope");
  CHECK(rig.outcome(rig.post(sign_es256(rig.header(), claims, rig.gateway.token_key('a')))) ==
        "scope-insufficient scope");
}

TEST_CASE("no token, two tokens and what is no token are told apart from a good one") {
  TokenRig rig;
  const std::string good = rig.good();
  CHECK(rig.outcome(rig.post("")) == "token-required no_token");
  CHECK(rig.outcome(rig.post("", "/v1/records", {"-H", "Authorization: Basic " + good})) ==
        "token-required no_token");
  CHECK(rig.outcome(rig.post(good, "/v1/records", {"-H", "Authorization: Bearer " + good})) ==
        "bad-request form");
  CHECK(rig.outcome(rig.post(good + "," + good)) == "bad-request form");
  CHECK(rig.outcome(rig.post("x")) == "token-invalid alg");
  CHECK(rig.outcome(rig.post("..")) == "token-invalid alg");
  CHECK(rig.outcome(rig.post("e30.e30.")) == "token-invalid alg");
  CHECK(rig.outcome(rig.post(good.substr(0, good.rfind('.') + 1))) == "token-invalid sig");
  CHECK(rig.outcome(rig.post(good)) == "200");
}

TEST_CASE("the algorithm is the gateway's, never the token's") {
  TokenRig rig;
  EVP_PKEY* const key = rig.gateway.token_key('a');
  const auto with = [&](const char* name, const json& value) {
    json header = rig.header();
    header[name] = value;
    return header;
  };
  const std::string unsigned_token =
      base64url(with("alg", "none").dump()) + "." + base64url(rig.claims().dump()) + ".";
  CHECK(rig.outcome(rig.post(unsigned_token)) == "token-invalid alg");
  CHECK(rig.outcome(rig.post(sign_es256(with("alg", "none"), rig.claims(), key))) == "token-invalid alg");
  // The public key as a secret: whoever let the token choose would take it.
  const std::string confused = sign_hs256(with("alg", "HS256"), rig.claims(), public_pem_of(key));
  CHECK(rig.outcome(rig.post(confused)) == "token-invalid alg");
  CHECK(rig.outcome(rig.post(sign_hs256(rig.header(), rig.claims(), public_pem_of(key)))) ==
        "token-invalid sig");
  for (const char* other : {"RS256", "ES384", "es256", "ES256K"}) {
    CHECK(rig.outcome(rig.post(sign_es256(with("alg", other), rig.claims(), key))) == "token-invalid alg");
  }
  CHECK(rig.outcome(rig.post(sign_es256(with("typ", "JWT"), rig.claims(), key))) == "token-invalid typ");
  json header = rig.header();
  header.erase("typ");
  CHECK(rig.outcome(rig.post(sign_es256(header, rig.claims(), key))) == "token-invalid typ");
  CHECK(rig.outcome(rig.post(sign_es256(with("kid", "c-1"), rig.claims(), key))) == "token-invalid kid");
  CHECK(rig.outcome(rig.post(sign_es256(with("kid", "../../a-"), rig.claims(), key))) == "token-invalid kid");
  header = rig.header();
  header.erase("kid");
  CHECK(rig.outcome(rig.post(sign_es256(header, rig.claims(), key))) == "token-invalid kid");
  // Right form, other key: that of the other slot, and a stranger's that the token brings along.
  CHECK(rig.outcome(rig.post(sign_es256(with("kid", "b-1"), rig.claims(), key))) == "token-invalid sig");
  const auto stranger = oem::generate_key();
  CHECK(rig.outcome(rig.post(sign_es256(with("jwk", {{"kty", "EC"}}), rig.claims(), stranger.get()))) ==
        "token-invalid sig");
  CHECK(rig.outcome(rig.post(sign_es256(with("jwk", {{"kty", "EC"}}), rig.claims(), key))) == "200");
}

TEST_CASE("every claim is looked at, and what is absent is wrong") {
  TokenRig rig;
  EVP_PKEY* const key = rig.gateway.token_key('a');
  const int64_t now = std::time(nullptr);
  const std::string other = Fleet::get().make_vehicle().id();
  const struct {
    const char* claim;
    json value;  ///< Null: taken away.
    const char* expected;
  } cases[] = {
      {"iss", "https://idp.wayseal.example.evil", "token-invalid iss"},
      {"iss", {}, "token-invalid iss"},
      {"aud", "urn:wayseal:operator-api", "token-invalid aud"},
      {"aud", {}, "token-invalid aud"},
      {"exp", now - 1, "token-invalid exp"},
      {"exp", now, "token-invalid exp"},
      {"exp", {}, "token-invalid exp"},
      {"exp", now + 60, "200"},
      {"nbf", now + 3600, "token-invalid nbf"},
      {"nbf", now, "200"},
      {"nbf", "soon", "token-invalid nbf"},
      {"nbf", -now, "token-invalid nbf"},
      {"sub", other, "token-invalid client"},
      {"sub", {}, "token-invalid client"},
      {"client_id", other, "token-invalid client"},
      {"client_id", {}, "token-invalid client"},
      {"cnf", {}, "token-invalid cnf"},
      {"cnf", {{"x5t#S256", ""}}, "token-invalid cnf"},
      {"cnf", {{"x5t", "x"}}, "token-invalid cnf"},
      {"jti", {}, "200"},
  };
  for (const auto& one : cases) {
    json claims = rig.claims();
    claims[one.claim] = one.value;
    if (one.value.is_null()) claims.erase(one.claim);
    CAPTURE(one.claim, one.value.dump());
    CHECK(rig.outcome(rig.post(sign_es256(rig.header(), claims, key))) == one.expected);
  }
}

TEST_CASE(
    "a stolen token is of no use: not without its certificate, not with another one of the same vehicle") {
  TokenRig rig;
  const std::string stolen = rig.good();
  TestVehicle thief = Fleet::get().make_vehicle();
  rig.gateway.client("thief", thief.id());
  CHECK(refused_by_tls(rig.gateway.post("", "/v1/records", "", {"-H", "Authorization: Bearer " + stolen})));
  CHECK(rig.outcome(rig.gateway.post("thief", "/v1/records", "", {"-H", "Authorization: Bearer " + stolen})) ==
        "token-invalid cnf");
  rig.gateway.client("second", rig.vehicle.id());
  CHECK(rig.outcome(rig.gateway.post("second", "/v1/records", "", {"-H", "Authorization: Bearer " + stolen})) ==
        "token-invalid cnf");
  CHECK(rig.outcome(rig.post(stolen)) == "200");
}

TEST_CASE("the token's own route wants the certificate alone, and keeps to its method, type and size") {
  TokenRig rig;
  const std::string form = "Content-Type: application/x-www-form-urlencoded";
  const auto ask = [&](const std::string& body, std::vector<std::string> more) {
    more.insert(more.end(), {"-d", body});
    return rig.gateway.request("own", "/oauth/token", std::move(more));
  };
  // The provider is not there: what reaches it is a 503.
  CHECK(ask("grant_type=client_credentials", {"-H", form}).status == "503");
  CHECK(ask(std::string(1024, 'x'), {"-H", form}).status == "503");
  CHECK(rig.outcome(ask(std::string(1025, 'x'), {"-H", form})) == "too-large size");
  CHECK(rig.outcome(ask("x", {"-H", "Content-Type: application/json"})) == "unsupported-media-type type");
  CHECK(rig.outcome(rig.gateway.request("own", "/oauth/token", {})) == "method-not-allowed method");
  CHECK(rig.outcome(rig.gateway.request("own", "/oauth/token?x=1", {"-H", form, "-d", "x"})) ==
        "not-found path");
  CHECK(refused_by_tls(rig.gateway.request("", "/oauth/token", {"-H", form, "-d", "x"})));
}

}  // namespace cloud_test
