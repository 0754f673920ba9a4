// SPDX-License-Identifier: Apache-2.0
// The gateway's rules about the form, the number and the pace of requests, and about revocation while a connection is open.
#include <catch2/catch_test_macros.hpp>

#include "gateway.hpp"

namespace cloud_test {
namespace {

struct RulesRig {
  explicit RulesRig(std::vector<std::string> variables = {}) : gateway(world, std::move(variables)) {
    gateway.client("own", "v-rules");
  }
  std::string post(std::vector<std::string> more, const std::string& name = "own") {
    return reader.outcome(gateway.post(name, "/v1/records", "", std::move(more)));
  }
  /// Bytes as they are, on a TLS connection of their own; what came back, up to `seconds` later.
  std::string raw(const std::string& bytes, int seconds = 5, const std::string& name = "own") {
    spill(gateway.folder() / "raw", bytes);
    const std::string file = gateway.folder() / name;
    return run({"/bin/sh", "-c",
                "(cat " + (gateway.folder() / "raw") + "; sleep " + std::to_string(seconds) + ") | timeout " +
                    std::to_string(seconds + 20) + " " + WAYSEAL_OPENSSL +
                    " s_client -quiet -connect localhost:" + std::to_string(gateway.port()) + " -CAfile " +
                    gateway.pki() + "/gateway-ca.pem -cert " + file + " -key " + file + " -cert_chain " + file +
                    " 2>/dev/null"})
        .text;
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
  const auto send = [&](const std::string& bytes) { return rig.raw(bytes, 1); };
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
          "GARBAGE\r\n\r\n",
      1);
  CHECK(says(two, "200"));
  CHECK(answers_in(two) == 2);
  CHECK(two.find("HTTP/1.1 400") != std::string::npos);
}

TEST_CASE("no other spelling of a path is that path") {
  RulesRig rig;
  const auto send = [&](const std::string& target) {
    return rig.raw(RulesRig::request("POST " + target + " HTTP/1.1", kFields + kLength), 1);
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

TEST_CASE("a vehicle that is revoked while its connection is open is refused on it, and its neighbour is not") {
  const TemporaryFolder lists;
  spill(lists / "revoked", "");
  RulesRig rig({"WAYSEAL_GATEWAY_REVOKED=" + (lists / "revoked"), "WAYSEAL_GATEWAY_ADMIN=@/admin.sock"});
  const std::string serial = rig.gateway.serial();
  rig.gateway.client("neighbour", "v-neighbour");
  const std::string open_line =
      RulesRig::request(kLine, "Host: localhost\r\nContent-Type: application/x-protobuf\r\n" + kLength);
  // One request, the revocation, one more on the same connection.
  const std::string file = rig.gateway.folder() / "own";
  spill(rig.gateway.folder() / "raw", open_line);
  const std::string admin = rig.gateway.folder() / "admin.sock";
  const std::string answer =
      run({"/bin/sh", "-c",
           "cd " + rig.gateway.folder().path() + "; mkfifo in; " + WAYSEAL_OPENSSL +
               " s_client -quiet -connect localhost:" + std::to_string(rig.gateway.port()) +
               " -CAfile pki/gateway-ca.pem -cert own -key own -cert_chain own <in >out 2>/dev/null & "
               "cd " +
               rig.gateway.folder().path() + "; while [ ! -p in ]; do :; done; exec 3>in; cat raw >&3; " +
               "i=0; until grep -q '200 OK' out || [ $i -gt 500000 ]; do i=$((i+1)); done; " +
               "echo 'add acl " + (lists / "revoked") + " " + serial + "' | socat - UNIX-CONNECT:" + admin +
               "; " + "cat raw >&3; wait; cat out"})
          .text;
  INFO(answer);
  CHECK(answers_in(answer) == 2);
  CHECK(says(answer.substr(answer.find("HTTP/1.1")), "200"));
  CHECK(answer.find("HTTP/1.1 403") != std::string::npos);
  CHECK(answer.find("urn:wayseal:problem:revoked") != std::string::npos);
  CHECK(accepted(rig.gateway.post("neighbour", "/v1/records", "")));
  CHECK(rig.gateway.post("own", "/v1/records", "").status == "403");
  CHECK(rig.gateway.log().find("\"why\":\"revoked\"") != std::string::npos);
}

TEST_CASE("slow senders are let go after their time, while others are served") {
  RulesRig rig;
  const std::string head = RulesRig::request(kLine, kFields + "Content-Length: 10\r\n", "12345");
  const std::string answer = rig.raw(head, 12);
  CHECK(says(answer, "408"));
  CHECK(answer.find("urn:wayseal:problem:timeout") != std::string::npos);
  // A head that never ends gets HAProxy's own answer: there is no request yet that a rule could look at.
  CHECK(says(rig.raw(kLine + "\r\nHost: localhost\r\nX-A: ", 12), "408"));
  CHECK(accepted(rig.gateway.post("own", "/v1/records", "")));
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
