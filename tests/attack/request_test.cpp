// SPDX-License-Identifier: Apache-2.0
// What is in a request: two readings of one request, fields that claim an identity, other spellings of a path, methods, sizes.
#include <catch2/catch_test_macros.hpp>

#include "attacks.hpp"

namespace attack {
namespace {

using namespace std::string_literals;

constexpr char kForm[] = "400 bad-request form";
constexpr char kOwn400[] = "400 unreadable";  // HAProxy's own short answer: no rule has seen a request

constexpr char kType[] = "415 unsupported-media-type type";

/// What makes an attack of a request.
struct Spoiled {
  const char* name;
  const char* expected;
  std::function<void(Request&)> spoil;
};

void play_all(const char* group, const std::vector<Spoiled>& cases) {
  Chain& chain = shared_chain();
  Member own = chain.member();
  for (const Spoiled& one : cases) {
    play_request(chain, own, group, one.name, "certificate, token", one.expected, one.spoil);
  }
}

std::string length_of(const Request& r) { return std::to_string(r.body.size()); }

/// Of all answers, in their order.
std::string statuses(const std::string& answers) {
  std::string all;
  for (size_t at = answers.find("HTTP/1.1 "); at != std::string::npos; at = answers.find("HTTP/1.1 ", at + 1)) {
    all += (all.empty() ? "" : " ") + answers.substr(at + 9, 3);
  }
  return all;
}

/// One chunk with the body, then the end.
std::string chunked(const std::string& body) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size());
  return size + "\r\n"s + body + "\r\n0\r\n\r\n";
}

Spoiled with_field(const char* name, const char* expected, const std::string& field) {
  return {name, expected, [field](Request& r) { r.add(field); }};
}

Spoiled with_target(const char* target, const char* expected) {
  return {target, expected, [target](Request& r) { r.line = "POST "s + target + " HTTP/1.1"; }};
}

Spoiled with_method(const char* method, const char* expected) {
  return {method, expected, [method](Request& r) { r.line = method + " /v1/records HTTP/1.1"s; }};
}

}  // namespace

TEST_CASE("smuggling: one request that two servers could read in two ways") {
  play_all("smuggling",
           {{"CL.TE: a length, then chunks", "411 length-required length",
             [](Request& r) {
               r.add("Transfer-Encoding: chunked");
               r.body = chunked(r.body);
             }},
            {"TE.CL: chunks, then a length", "411 length-required length",
             [](Request& r) {
               r.fields.insert(r.fields.begin(), "Transfer-Encoding: chunked");
               r.body = chunked(r.body);
             }},
            {"TE.TE: chunked twice", kOwn400,
             [](Request& r) {
               r.remove("Content-Length").add("Transfer-Encoding: chunked").add("Transfer-Encoding: identity");
               r.body = chunked(r.body);
             }},
            {"chunks alone", "411 length-required length",
             [](Request& r) {
               r.remove("Content-Length").add("Transfer-Encoding: chunked");
               r.body = chunked(r.body);
             }},
            with_field("TE that is spelled otherwise", kOwn400, "Transfer-Encoding: xchunked"),
            with_field("TE with a space before the colon", kOwn400, "Transfer-Encoding : chunked"),
            with_field("TE with a tab", kOwn400, "Transfer-Encoding:\tchunked"),
            with_field("TE with an underscore", kForm, "Transfer_Encoding: chunked"),
            with_field("two lengths that differ", kOwn400, "Content-Length: 3"),
            with_field("a list of lengths that differ", kOwn400, "Content-Length: 3, 4"),
            {"a length with a sign", kOwn400, [](Request& r) { r.set("Content-Length", "+" + length_of(r)); }},
            {"a length in hexadecimal", kOwn400, [](Request& r) { r.set("Content-Length", "0x10"); }},
            {"a negative length", kOwn400, [](Request& r) { r.set("Content-Length", "-1"); }},
            {"an empty length", kOwn400, [](Request& r) { r.set("Content-Length", ""); }},
            {"a length that wraps at 32 bits", "413 too-large size",
             [](Request& r) { r.set("Content-Length", std::to_string((1ULL << 32) + r.body.size())); }},
            {"a length that wraps at 64 bits", "413 too-large size",
             [](Request& r) { r.set("Content-Length", "18446744073709551617"); }},
            {"a length with leading zeros", "413 too-large size",
             [](Request& r) { r.set("Content-Length", "0000000" + length_of(r)); }},
            {"no length", "411 length-required length", [](Request& r) { r.remove("Content-Length"); }},
            {"a space before the first field", kOwn400,
             [](Request& r) { r.fields.insert(r.fields.begin(), " X-A: b"); }},
            {"a field without a name", kOwn400, [](Request& r) { r.add(": b"); }},
            {"a line without a colon", kOwn400, [](Request& r) { r.add("X-A"); }},
            {"a NUL in a value", kForm, [](Request& r) { r.add("X-A: a\0b"s); }},
            {"a bare CR in a value", kOwn400, [](Request& r) { r.add("X-A: a\rX-B: b"); }},
            {"an escape sequence in a value", kForm, [](Request& r) { r.add("X-A: \x1b[2J"); }},
            with_field("a second Host", kOwn400, "Host: other"),
            {"no Host", kForm, [](Request& r) { r.remove("Host"); }},
            with_field("a second Content-Type", kForm, "Content-Type: text/plain"),
            {"HTTP/1.0", kForm, [](Request& r) { r.line = "POST /v1/records HTTP/1.0"; }},
            {"HTTP/0.9", kOwn400, [](Request& r) { r.line = "POST /v1/records"; }},
            {"HTTP/2 by its preface", "400 request",
             [](Request& r) {
               r.line = "PRI * HTTP/2.0";
               r.fields.clear();
               r.body = "SM\r\n\r\n\0\0\0\4\0\0\0\0\0"s;
             }},
            with_field("upgrade to h2c", kForm, "Upgrade: h2c"),
            with_field("upgrade to a websocket", kForm, "Upgrade: websocket"),
            {"a head of more than 8 KiB", kForm, [](Request& r) { r.add("X-A: " + std::string(9000, 'a')); }}});
}

TEST_CASE("smuggling: what is behind a request stands alone") {
  Chain& chain = shared_chain();
  Member own = chain.member();
  Member victim = chain.member();
  // A second request hides in what a careless server would take for the first one's body, or for the next request.
  const Request hidden = chain.good(victim);
  const auto play_hidden = [&](const char* name, const char* expected,
                               const std::function<std::string(Request)>& bytes) {
    const Request good = chain.good(own);
    play({"smuggling", name, "certificate, token, another's upload", expected,
          [&] {
            Request outer = good;
            outer.remove("Connection").remove("Authorization");
            chain.send_bytes(outer, bytes(outer));
            return statuses(chain.last_answer());
          },
          [&] { return chain.send(good); }, chain.watch()});
  };
  play_hidden("a request of another vehicle behind one's own", "401 401",
              [&](const Request& outer) { return outer.bytes() + hidden.bytes(); });
  play_hidden("a request in the body of a chunked one", "411", [&](Request outer) {
    outer.remove("Content-Length").add("Transfer-Encoding: chunked");
    outer.body = "0\r\n\r\n" + hidden.bytes();
    return outer.bytes();
  });
  play_hidden("a request behind a length of nought and chunks", "411", [&](Request outer) {
    outer.set("Content-Length", "0").add("Transfer-Encoding: chunked");
    outer.body = "0\r\n\r\n" + hidden.bytes();
    return outer.bytes();
  });
}

TEST_CASE("fields that claim an identity: a thief sends what it has recorded of a victim") {
  Chain& chain = shared_chain();
  Member victim = chain.member();
  Member thief = chain.member();
  const auto spoof = [&](const std::string& name, const std::string& field, const char* expected) {
    const std::string body = victim.vehicle.prekeys_request(1);
    play({"spoofing", name, "own certificate and token, a recorded request", expected,
          [&] {
            Request bad = chain.request(thief, body, "/v1/prekeys");
            if (!field.empty()) bad.add(field);
            return chain.send(bad);
          },
          [&] { return chain.send(chain.request(victim, body, "/v1/prekeys")); }, chain.watch()});
  };
  constexpr char kWrong[] = "403 forbidden wrong-vehicle";
  spoof("without any", "", kWrong);
  const std::string id = victim.id();
  spoof("x-vehicle-id", "x-vehicle-id: " + id, kWrong);
  spoof("X-VEHICLE-ID", "X-VEHICLE-ID: " + id, kWrong);
  spoof("x-vehicle-cert-sha256", "x-vehicle-cert-sha256: " + std::string(64, '0'), kWrong);
  spoof("x-client-cert-der", "x-client-cert-der: eA==", kWrong);
  spoof("x-forwarded-for", "X-Forwarded-For: 127.0.0.1", kWrong);
  spoof("x-forwarded-user", "X-Forwarded-User: " + id, kWrong);
  spoof("x-ssl-client-s-dn", "X-SSL-Client-S-DN: CN=" + id, kWrong);
  spoof("forwarded", "Forwarded: for=127.0.0.1;by=" + id, kWrong);
  spoof("client-cert (RFC 9440)", "Client-Cert: :eA==:", kWrong);
  spoof("x-real-ip", "X-Real-IP: 127.0.0.1", kWrong);
  spoof("connection that names the gateway's own field", "Connection: x-vehicle-id", kWrong);
  spoof("look-alike with underscores", "x_vehicle_id: " + id, kForm);
  spoof("look-alike with a dot", "x.vehicle.id: " + id, kForm);
  spoof("look-alike with a space", "x-vehicle-id : " + id, kOwn400);
  spoof("a second one behind a bare LF", "X-A: b\nx-vehicle-id: " + id, kWrong);
  spoof("folded into a field before it", "X-A: b\r\n x-vehicle-id: " + id, kWrong);
}

TEST_CASE("other spellings of a path") {
  constexpr char kPath[] = "404 not-found path";
  play_all("path",
           {with_target("/v1/records/", kPath),
            with_target("//v1/records", kPath),
            with_target("/v1//records", kPath),
            with_target("/v1/./records", kPath),
            with_target("/v1/x/../records", kPath),
            with_target("/v1/prekeys/../records", kPath),
            with_target("/V1/records", kPath),
            with_target("/v1/Records", kPath),
            with_target("/v1/%72ecords", kPath),
            with_target("/v1%2frecords", kPath),
            with_target("/v1/%2e%2e/v1/records", kPath),
            with_target("/v1/records%00", kPath),
            with_target("/v1/records%20", kPath),
            with_target("/v1/records?x=1", kPath),
            with_target("/v1/records?", kPath),
            with_target("/v1/records#x", kOwn400),
            with_target("/v1/records;x=1", kPath),
            with_target("/v1\\records", kPath),
            with_target("http://localhost/v1/records", kPath),
            with_target("https://other/v1/records", kOwn400),
            with_target("*", kPath),
            with_target("/healthz", kPath),
            with_target("/jwks", kPath),
            with_target("/oauth/token/../../v1/records", kPath),
            {"a NUL in the path", kOwn400, [](Request& r) { r.line = "POST /v1/records\0x HTTP/1.1"s; }},
            {"a tab in the path", kOwn400, [](Request& r) { r.line = "POST /v1/rec\tords HTTP/1.1"; }},
            {"UTF-8 in the path", kOwn400, [](Request& r) {
               r.line =
                   "POST /v1/r\xc3\xa9"
                   "cords HTTP/1.1";
             }}});
}

TEST_CASE("other methods, and fields that change one") {
  constexpr char kMethod[] = "405 method-not-allowed method";
  std::vector<Spoiled> cases;
  for (const char* method : {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "post"}) {
    cases.push_back(with_method(method, kMethod));
  }
  cases[1].expected = "405 request";  // an answer to HEAD has no body
  cases.push_back(with_method("CONNECT", kOwn400));
  for (const char* field : {"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"}) {
    cases.push_back({field, kMethod, [field](Request& r) {
                       r.line = "GET /v1/records HTTP/1.1";
                       r.add(field + ": POST"s);
                     }});
  }
  for (const char* field : {"X-Original-URL", "X-Rewrite-URL"}) {
    cases.push_back({field, "404 not-found path", [field](Request& r) {
                       r.line = "POST / HTTP/1.1";
                       r.add(field + ": /v1/records"s);
                     }});
  }
  play_all("method", cases);
}

TEST_CASE("sizes, types and codings") {
  const auto type = [](const char* value) {
    return Spoiled{value, kType, [value](Request& r) { r.set("Content-Type", value); }};
  };
  const auto declared = [](const char* name, const char* path, const char* length) {
    return Spoiled{name, "413 too-large size", [path, length](Request& r) {
                     r.line = "POST "s + path + " HTTP/1.1";
                     r.set("Content-Length", length).body.clear();
                   }};
  };
  play_all("body",
           {type("application/json"),
            type("text/plain"),
            type("application/x-protobuf; charset=utf-8"),
            type("application/x-www-form-urlencoded"),

            {"no type", kType, [](Request& r) { r.remove("Content-Type"); }},
            with_field("coded as gzip", kType, "Content-Encoding: gzip"),
            with_field("coded as deflate", kType, "Content-Encoding: deflate"),
            with_field("coded as br", kType, "Content-Encoding: br"),
            with_field("coded as identity", kType, "Content-Encoding: identity"),
            {"a bomb: 1 MiB of zeros as gzip in 1 KiB", kType,
             [](Request& r) {
               r.add("Content-Encoding: gzip").body = "\x1f\x8b\x08\0\0\0\0\0\0\3"s + std::string(1014, '\0');
               r.set("Content-Length", length_of(r));
             }},
            declared("records: one byte too many", "/v1/records", "262145"),
            declared("prekeys: one byte too many", "/v1/prekeys", "8193"),
            {"cut short by a byte", "400 bad-request uploads_malformed",
             [](Request& r) { r.set("Content-Length", std::to_string(r.body.size() - 1)).body.pop_back(); }},
            {"a body that is no protobuf", "400 bad-request uploads_malformed",
             [](Request& r) { r.body.assign(r.body.size(), '\xff'); }},
            {"1,025 items", "400 bad-request uploads_malformed", [](Request& r) {
               v1::Upload upload;
               for (int i = 0; i < 1025; ++i) upload.add_items();
               r.body = upload.SerializeAsString();
               r.set("Content-Length", length_of(r));
             }}});
}

}  // namespace attack
