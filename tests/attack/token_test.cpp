// SPDX-License-Identifier: Apache-2.0
// Access tokens: each is right but for one thing.
#include <catch2/catch_test_macros.hpp>
#include <ctime>

#include "attacks.hpp"

namespace attack {
namespace {

using cloud_test::base64url;
using cloud_test::Fleet;
using cloud_test::public_pem_of;
using cloud_test::sign_es256;
using cloud_test::sign_hs256;

std::string unsigned_token(const json& header, const json& claims) {
  return base64url(header.dump()) + "." + base64url(claims.dump()) + ".";
}

/// RS256 with a real RSA key of the attacker's.
std::string sign_rs256(const json& header, const json& claims) {
  const oem::Key key(EVP_RSA_gen(2048));
  const std::string input = base64url(header.dump()) + "." + base64url(claims.dump());
  const std::unique_ptr<EVP_MD_CTX, oem::Freer<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  size_t size = 256;
  std::string signature(size, '\0');
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(input.data()), input.size());
  return input + "." + base64url(signature.substr(0, size));
}

struct HeaderCase {
  const char* name;
  const char* field;
  json value;  ///< Null: taken away.
  const char* why;
};

json edited(json object, const std::string& field, const json& value) {
  object[field] = value;
  if (value.is_null()) object.erase(field);
  return object;
}

void play_token(Chain& chain, Member& own, const std::string& name, const std::string& holds,
                const std::string& expected, const std::string& token) {
  play_request(chain, own, "token", name, holds, expected, [&](Request& bad) { bad.token(token); });
}

}  // namespace

TEST_CASE("attacks on the token's header and signature") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  EVP_PKEY* const key = chain.gateway.token_key('b');
  const std::string pem = public_pem_of(key);
  const HeaderCase cases[] = {
      {"alg none, signed all the same", "alg", "none", "alg"},
      {"alg None", "alg", "None", "alg"},
      {"alg ES384 over an ES256 signature", "alg", "ES384", "alg"},
      {"alg es256", "alg", "es256", "alg"},
      {"alg missing", "alg", {}, "alg"},
      {"alg is a list", "alg", json::array({"ES256"}), "alg"},
      {"alg is a number", "alg", 256, "alg"},
      {"typ JWT: an id token", "typ", "JWT", "typ"},
      {"typ missing", "typ", {}, "typ"},
      {"typ in capitals", "typ", "AT+JWT", "typ"},
      {"kid of a key that is not there", "kid", "c-1", "kid"},
      {"kid that is a path", "kid", "../../jwt-b.pem", "kid"},
      {"kid missing", "kid", {}, "kid"},
      {"kid is a number", "kid", 1, "kid"},
      {"kid of the other slot", "kid", "a-20260101-1", "sig"},
  };
  for (const HeaderCase& one : cases) {
    play_token(chain, own, one.name, "certificate, a signing key", std::string("401 token-invalid ") + one.why,
               sign_es256(edited(chain.token_header(), one.field, one.value), chain.claims(own), key));
  }
  const json header = chain.token_header();
  const json claims = chain.claims(own);
  const auto with_alg = [&](const char* alg) { return edited(header, "alg", alg); };
  const oem::Key stranger = oem::generate_key();
  const std::string good = chain.token(own);
  play_token(chain, own, "alg none without signature", "certificate", "401 token-invalid alg",
             unsigned_token(with_alg("none"), claims));
  play_token(chain, own, "HS256 with the public key as the secret", "certificate, public key",
             "401 token-invalid alg", sign_hs256(with_alg("HS256"), claims, pem));
  play_token(chain, own, "HS256 signature under the name of ES256", "certificate, public key",
             "401 token-invalid sig", sign_hs256(header, claims, pem));
  play_token(chain, own, "RS256 with a real signature", "certificate, an RSA key", "401 token-invalid alg",
             sign_rs256(with_alg("RS256"), claims));
  play_token(chain, own, "RS256 signature under the name of ES256", "certificate, an RSA key",
             "401 token-invalid sig", sign_rs256(header, claims));
  play_token(chain, own, "signed by a stranger", "certificate, a key", "401 token-invalid sig",
             sign_es256(header, claims, stranger.get()));
  play_token(chain, own, "signed by a stranger whose key it brings along", "certificate, a key",
             "401 token-invalid sig",
             sign_es256(edited(header, "jwk", {{"kty", "EC"}, {"crv", "P-256"}}), claims, stranger.get()));
  play_token(chain, own, "signature cut off", "certificate, a token", "401 token-invalid sig",
             good.substr(0, good.rfind('.') + 1));
  play_token(chain, own, "one letter of the signature changed", "certificate, a token", "401 token-invalid sig",
             [&] {
               std::string changed = good;
               char& c = changed[good.rfind('.') + 10];
               c = c == 'A' ? 'B' : 'A';
               return changed;
             }());
  play_token(chain, own, "signature all zero", "certificate", "401 token-invalid sig",
             good.substr(0, good.rfind('.') + 1) + base64url(std::string(64, '\0')));
  play_token(chain, own, "claims replaced under a good signature", "certificate, another's token",
             "401 token-invalid sig",
             good.substr(0, good.find('.')) + "." + base64url(edited(claims, "jti", "2").dump()) +
                 good.substr(good.rfind('.')));
  play_token(chain, own, "no token's form", "certificate", "401 token-invalid alg", "x");
  play_token(chain, own, "empty parts", "certificate", "401 token-invalid alg", "..");
}

TEST_CASE("attacks on the token's claims") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  const Member other = chain.member();
  const int64_t now = std::time(nullptr);
  const HeaderCase cases[] = {
      {"issuer that only begins like ours", "iss", "https://idp.wayseal.example.evil", "iss"},
      {"issuer missing", "iss", {}, "iss"},
      {"issuer is a list with ours in it", "iss", json::array({"https://idp.wayseal.example"}), "iss"},
      {"audience of the partners' API", "aud", "urn:wayseal:partner-api", "aud"},
      {"audience of operators", "aud", "urn:wayseal:operator-api", "aud"},
      {"audience missing", "aud", {}, "aud"},
      {"audience is a list with ours in it", "aud", json::array({"urn:wayseal:vehicle-api", "x"}), "aud"},
      {"expired a second ago", "exp", now - 1, "exp"},
      {"expiry missing", "exp", {}, "exp"},
      {"expiry is zero", "exp", 0, "exp"},
      {"expiry is negative", "exp", -1, "exp"},
      {"expiry is an object", "exp", json::object(), "exp"},
      {"not before an hour from now", "nbf", now + 3600, "nbf"},
      {"subject is another vehicle", "sub", other.id(), "client"},
      {"subject missing", "sub", {}, "client"},
      {"client is another vehicle", "client_id", other.id(), "client"},
      {"client missing", "client_id", {}, "client"},
      {"client is a list", "client_id", json::array({own.id()}), "client"},
      {"client with a suffix", "client_id", own.id() + "0", "client"},
      {"no binding to a certificate", "cnf", {}, "cnf"},
      {"bound to an empty thumbprint", "cnf", {{"x5t#S256", ""}}, "cnf"},
      {"bound by SHA-1", "cnf", {{"x5t", own.thumbprint}}, "cnf"},
      {"bound to a key instead", "cnf", {{"jkt", own.thumbprint}}, "cnf"},
      {"binding is text", "cnf", own.thumbprint, "cnf"},
      {"bound to another vehicle's certificate", "cnf", {{"x5t#S256", other.thumbprint}}, "cnf"},
  };
  for (const HeaderCase& one : cases) {
    play_token(chain, own, one.name, "certificate, a signing key", std::string("401 token-invalid ") + one.why,
               chain.sign(chain.token_header(), edited(chain.claims(own), one.field, one.value)));
  }
  const struct {
    const char* name;
    json scope;
  } scopes[] = {{"scope of the other route", "prekeys"},
                {"scope that only contains the word", "xrecords recordsx pre-records"},
                {"scope of partners", "share"},
                {"scope missing", {}},
                {"scope is a list", json::array({"records"})},
                {"scope empty", ""}};
  for (const auto& one : scopes) {
    play_token(chain, own, one.name, "certificate, a token", "403 scope-insufficient scope",
               chain.sign(chain.token_header(), edited(chain.claims(own), "scope", one.scope)));
  }
}

TEST_CASE("tokens that are somebody else's, or none, or two") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  Member thief = chain.member();
  const auto request = [&](const std::string& name, const std::string& holds, const std::string& expected,
                           const std::function<void(Request&)>& spoil) {
    play_request(chain, own, "token", name, holds, expected, spoil);
  };
  const std::string good = chain.token(own);
  request("no token", "certificate", "401 token-required no_token",
          [](Request& r) { r.remove("Authorization"); });
  request("stolen, with the thief's certificate", "a stolen token", "401 token-invalid cnf",
          [&](Request& r) { r.client = thief.client; });
  request("stolen, without a certificate", "a stolen token", "closed handshake",
          [](Request& r) { r.client.clear(); });
  chain.gateway.client("second", own.id());
  request("of the same vehicle's former certificate", "another certificate", "401 token-invalid cnf",
          [](Request& r) { r.client = "second"; });
  request("another vehicle's token with one's own certificate", "a stolen token", "401 token-invalid cnf",
          [&](Request& r) { r.token(chain.token(thief)); });
  request("two Authorization fields, the good one first", "certificate, token", "400 bad-request form",
          [&](Request& r) { r.add("Authorization: Bearer " + chain.token(thief)); });
  request("two Authorization fields, both good", "certificate, token", "400 bad-request form",
          [&](Request& r) { r.add("authorization: Bearer " + good); });
  request("two tokens in one field", "certificate, token", "400 bad-request form",
          [&](Request& r) { r.token(good + ", Bearer " + good); });
  request("as Basic", "certificate, token", "401 token-required no_token",
          [&](Request& r) { r.set("Authorization", "Basic " + good); });
  request("in the query", "certificate, token", "404 not-found path", [&](Request& r) {
    r.remove("Authorization").line = "POST /v1/records?access_token=" + good + " HTTP/1.1";
  });
  request("in a cookie", "certificate, token", "401 token-required no_token",
          [&](Request& r) { r.remove("Authorization").add("Cookie: access_token=" + good); });
  request("as Proxy-Authorization", "certificate, token", "401 token-required no_token",
          [&](Request& r) { r.remove("Authorization").add("Proxy-Authorization: Bearer " + good); });
}

}  // namespace attack
