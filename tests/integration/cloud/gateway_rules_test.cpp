// SPDX-License-Identifier: Apache-2.0
// The gateway's rules about the form, the number and the pace of requests, and about revocation while a connection is open.
#include <catch2/catch_test_macros.hpp>

#include "connection.hpp"

namespace cloud_test {
namespace {

struct RulesRig {
  explicit RulesRig(std::vector<std::string> variables = {}) : gateway(world, std::move(variables)) {
    gateway.client("own", "v-rules");
  }
  std::string post(std::vector<std::string> more, const std::string& name = "own") {
    return reader.outcome(gateway.post(name, "/v1/records", "", std::move(more)));
  }
  /// Bytes as they are, on a TLS connection of their own; what comes until the gateway closes it.
  std::string raw(const std::string& bytes) {
    OpenConnection connection(gateway, "own");
    return connection.send(bytes) ? connection.read_to_the_end() : std::string();
  }
  static std::string request(const std::string& line, const std::string& fields, const std::string& body = "") {
    return line + "\r\n" + fields + "\r\n" + body;
  }

  World world;
  Gateway gateway;
  OutcomeReader reader{gateway};
};

const std::string kLine = "POST /v1/records HTTP/1.1";
const std::string kFields = "Host: localhost\r\nContent-Type: application/x-protobuf\r\nConnection: close\r\n";
const std::string kLength = "Content-Length: 0\r\n";

bool says(const std::string& answer, const std::string& status) {
  return answer.rfind("HTTP/1.1 " + status, 0) == 0;
}
size_t answers_in(const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("one reading of every request: what two servers could read in two ways is refused") {
  RulesRig rig;
  const auto send = [&](const std::string& bytes) { return rig.raw(bytes); };
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength)), "200"));
  // Smuggling: two lengths, a length and chunks in either order, chunks spelled otherwise.
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "Content-Length: 5\r\n", "GET /")), "400"));
  CHECK_FALSE(
      says(send(RulesRig::request(kLine, kFields + kLength + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
           "200"));
  CHECK_FALSE(
      says(send(RulesRig::request(kLine, "Transfer-Encoding: chunked\r\n" + kFields + kLength, "0\r\n\r\n")),
           "200"));
  CHECK_FALSE(
      says(send(RulesRig::request(kLine, kFields + "Transfer-Encoding: xchunked\r\n" + kLength)), "200"));
  CHECK_FALSE(
      says(send(RulesRig::request(kLine, kFields + "Transfer-Encoding : chunked\r\n" + kLength)), "200"));
  CHECK(says(send(RulesRig::request(kLine, kFields + "Content-Length: +0\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + "Content-Length: 0x0\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X: a\r\n b\r\n")),
             "200"));  // folding is undone by the gateway
  // A length that wraps at 32 bits; what follows it is not waited for.
  for (const char* length : {"4294967296", "2147483648", "9223372036854775807", "0000000"}) {
    CHECK(says(send(RulesRig::request(kLine, kFields + "Content-Length: " + length + "\r\n")), "413"));
  }
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + kLength)), "200"));  // the same twice is one
  // What ends or starts a line for one server and not for another, and names that look like others.
  using namespace std::string_literals;
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X: a\0b\r\n"s)), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X: a\rb\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X: a\x1b[31mb\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X: a\tb\r\n")), "200"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "Content_Length: 5\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "Content.Length: 5\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "Content-Lengths: 5\r\n")), "200"));
  // A name is sent once, and is the one there is.
  CHECK(says(send(RulesRig::request(kLine, "Host: other\r\n" + kFields + kLength)), "400"));
  CHECK(says(
      send(RulesRig::request(kLine, "Content-Type: application/x-protobuf\r\nConnection: close\r\n" + kLength)),
      "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + "Content-Type: text/html\r\n" + kLength)), "400"));
  CHECK(says(send(RulesRig::request("POST /v1/records HTTP/1.0", kFields + kLength)), "400"));
  CHECK(says(send(RulesRig::request("POST /v1/records HTTP/9.9", kFields + kLength)), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "Upgrade: h2c\r\n")), "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X-Long: " + std::string(9000, 'x') + "\r\n")),
             "400"));
  CHECK(says(send(RulesRig::request(kLine, kFields + kLength + "X-Long: " + std::string(7000, 'x') + "\r\n")),
             "200"));
  CHECK(says(send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"s), "400"));  // HTTP/2 without ALPN
  // What is behind a request is another request, which has to stand alone.
  const std::string two = rig.raw(
      RulesRig::request(kLine, "Host: localhost\r\nContent-Type: application/x-protobuf\r\n" + kLength) +
      "GARBAGE\r\n\r\n");
  CHECK(says(two, "200"));
  CHECK(answers_in(two) == 2);
  CHECK(two.find("HTTP/1.1 400") != std::string::npos);
}

TEST_CASE("no other spelling of a path is that path") {
  RulesRig rig;
  const auto send = [&](const std::string& target) {
    return rig.raw(RulesRig::request("POST " + target + " HTTP/1.1", kFields + kLength));
  };
  CHECK(says(send("/v1/records"), "200"));
  for (const char* target :
       {"/v1/records/", "//v1/records", "/v1//records", "/v1/./records", "/v1/x/../records", "/V1/records",
        "/v1/Records", "/v1/%72ecords", "/v1/records%00", "/v1/records?x=1", "/v1/records#x", "/v1/records;x",
        "http://localhost/v1/records", "*", "/", "/v1/records%2f", "/v1\\records"}) {
    CAPTURE(target);
    const std::string answer = send(target);
    // What HAProxy's parser cannot read gets its own short 400, which no rule sees.
    const bool refused =
        says(answer, "404") && answer.find("urn:wayseal:problem:not-found") != std::string::npos;
    CHECK((refused || says(answer, "400")));
  }
}

TEST_CASE("methods and headers that change a method or claim an identity mean nothing") {
  RulesRig rig;
  CHECK(rig.post({}) == "200");
  for (const char* method : {"GET", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "BREW"}) {
    CHECK(rig.post({"-X", method}) == "method-not-allowed method");
  }
  CHECK(rig.reader.outcome(rig.gateway.request(
            "own", "/v1/records",
            {"-H", "X-HTTP-Method-Override: POST", "-H", "Content-Type: application/x-protobuf"})) ==
        "method-not-allowed method");
  CHECK(rig.post({"-H", "X-HTTP-Method-Override: DELETE", "-H", "X-Method-Override: GET", "-H",
                  "X-Original-URL: /v1/prekeys", "-H", "X-Rewrite-Url: /", "-H", "X-Forwarded-For: 127.0.0.1",
                  "-H", "Forwarded: for=127.0.0.1", "-H", "X-Client-Cert-Der: eA=="}) == "200");
}

TEST_CASE("a vehicle that asks too often is told when to come again, and its neighbour is not") {
  RulesRig rig({"WAYSEAL_RATE_VEHICLE=5"});
  rig.gateway.client("neighbour", "v-neighbour");
  for (int i = 0; i < 5; ++i) CHECK(rig.post({}) == "200");
  CHECK(rig.post({"-D", rig.gateway.folder() / "head"}) == "rate-limited rate");
  CHECK(slurp(rig.gateway.folder() / "head").find("retry-after: 10") != std::string::npos);
  CHECK(rig.post({}, "neighbour") == "200");
  CHECK(rig.post({}) == "rate-limited rate");
}

TEST_CASE("an address that opens too many connections does not get as far as a handshake") {
  RulesRig rig({"WAYSEAL_RATE_SOURCE=4"});
  // The start has looked whether the port answers: that was one, or more.
  int accepted_ones = 0;
  for (int i = 0; i < 6; ++i) accepted_ones += accepted(rig.gateway.post("own", "/v1/records", "")) ? 1 : 0;
  CHECK(accepted_ones >= 1);
  CHECK(accepted_ones <= 4);
  CHECK(refused_by_tls(rig.gateway.post("own", "/v1/records", "")));
}

TEST_CASE("slow senders are let go after their time, while others are served") {
  RulesRig rig;
  OpenConnection slow_body(rig.gateway, "own");
  OpenConnection slow_head(rig.gateway, "own");
  REQUIRE(slow_body.send(RulesRig::request(kLine, kFields + "Content-Length: 10\r\n", "12345")));
  REQUIRE(slow_head.send(kLine + "\r\nHost: localhost\r\nX-A: "));
  CHECK(accepted(rig.gateway.post("own", "/v1/records", "")));
  const std::string answer = slow_body.read_to_the_end();
  CHECK(says(answer, "408"));
  CHECK(answer.find("urn:wayseal:problem:timeout") != std::string::npos);
  // A head that never ends gets HAProxy's own answer: there is no request yet that a rule could look at.
  CHECK(says(slow_head.read_to_the_end(), "408"));
}

TEST_CASE("both forms of the configuration are valid") {
  const World world;
  const TemporaryFolder folder;
  const Gateway gateway(world);
  const auto check = [&](std::vector<std::string> variables) {
    std::vector<std::string> command{"/usr/bin/env", "WAYSEAL_GATEWAY_BIND=127.0.0.1:1",
                                     "WAYSEAL_GATEWAY_PKI=" + gateway.pki(), "WAYSEAL_BACKEND_SOCKET=/nowhere"};
    command.insert(command.end(), variables.begin(), variables.end());
    command.insert(command.end(), {WAYSEAL_HAPROXY, "-c", "-f", WAYSEAL_GATEWAY_CONFIG});
    const Output output = run(command);
    INFO(output.text);
    CHECK(output.text.find("WARNING") == std::string::npos);
    return output.code;
  };
  spill(folder / "revoked", "");
  CHECK(check({}) == 0);
  CHECK(check({"WAYSEAL_IDP_SOCKET=/nowhere", "WAYSEAL_GATEWAY_ADMIN=" + (folder / "admin"),
               "WAYSEAL_GATEWAY_REVOKED=" + (folder / "revoked")}) == 0);
  CHECK(check({"WAYSEAL_GATEWAY_REVOKED=/nowhere/at/all"}) != 0);
}

}  // namespace cloud_test
