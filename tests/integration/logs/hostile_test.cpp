// SPDX-License-Identifier: Apache-2.0
// Hostile text in each field that an outsider controls; then every log is read line by line.
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "connection.hpp"
#include "hostile.hpp"
#include "jwt.hpp"
#include "rig.hpp"

namespace logs_test {
namespace {

using cloud_test::eventually;
using cloud_test::Gateway;
using cloud_test::OpenConnection;
using cloud_test::World;

const std::set<std::string> kGatewayNames{"event",  "at",    "time_ms", "source",    "vehicle",   "certificate",
                                          "method", "path",  "status",  "why",       "bytes",     "ms",
                                          "end",    "error", "verify",  "verify_ca", "connection"};
const std::set<std::string> kBackendNames{"event", "at",    "suites", "vehicle", "session", "wanted",
                                          "kind",  "where", "what",   "reason",  "why",     "security"};
const std::set<std::string> kProviderNames{
    "event", "at",  "method", "path", "status",      "cut",         "realm", "client", "certificate",
    "scope", "kid", "error",  "why",  "asked_grant", "asked_scope", "ms",    "node",   "lines_lost"};

void check_log(const char* name, const std::string& text, const std::set<std::string>& known,
               const std::vector<std::string>& secrets, size_t least) {
  const ReadLog log(text, known);
  INFO(name);
  for (const std::string& fault : log.faults) UNSCOPED_INFO(fault);
  CHECK(log.faults.empty());
  for (const std::string& secret : found_in(text, secrets)) UNSCOPED_INFO("holds " << secret);
  CHECK(found_in(text, secrets).empty());
  CHECK(log.lines.size() >= least);
  for (const auto& line : log.lines) CHECK(line["event"] != "forged");
  std::printf("%s: %zu lines\n", name, log.lines.size());
}

/// What a test wrote, with a mark behind it that tells when the log has all of it.
std::string line_of(const std::string& path = "/v1/records", const std::string& method = "POST") {
  return method + " " + path + " HTTP/1.1\r\n";
}

struct Door {
  Door() : gateway(world, {"WAYSEAL_IDP_SOCKET=@/nobody"}) { gateway.client("own", "v-logs"); }

  void send(const std::string& line, const std::string& fields, const std::string& client = "own") {
    try {
      OpenConnection connection(gateway, client);
      connection.send(line +
                      "Host: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n" +
                      "Connection: close\r\n" + fields + "\r\n");
      connection.read_to_the_end();
    } catch (const std::exception&) {
      ++without_connection;
    }
    ++sent;
  }

  std::string bearer(const std::string& text) const {
    const std::string cleaned =
        nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    const auto value = nlohmann::json::parse(cleaned);
    const nlohmann::json header{{"alg", "ES256"}, {"typ", value}, {"kid", value}};
    const nlohmann::json claims{{"iss", value}, {"aud", value}, {"sub", value}, {"scope", value}};
    return "Authorization: Bearer " + cloud_test::sign_es256(header, claims, gateway.token_key('a')) + "\r\n";
  }

  World world;
  Gateway gateway;
  size_t sent = 0;
  size_t without_connection = 0;
};

/// A certificate of the vehicles' authority with a hostile name, as far as a certificate can hold it.
bool hostile_client(Door& door, const std::string& text) {
  try {
    door.gateway.client("hostile", text.substr(0, 64));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

TEST_CASE("hostile text at the gateway and at the backend becomes neither a line nor a field of a log") {
  ::setenv("WAYSEAL_LOG_KEY", kLogKey, 1);
  Door door;
  size_t names = 0;
  const auto& strings = hostile_strings();
  for (const std::string& text : strings) {
    door.send(line_of("/" + text), "");
    door.send(line_of("/v1/records?" + percent(text)), "");
    door.send(line_of("/v1/records", text), "");
    door.send(line_of(), text + ": x\r\n");
    door.send(line_of(), "X-Text: " + text + "\r\n");
    door.send(line_of(), "User-Agent: " + text + "\r\n");
    door.send(line_of(), "Host: " + text + "\r\n");
    door.send(line_of(), "Authorization: Bearer " + text + "\r\n");
    door.send(line_of(), door.bearer(text));
    if (hostile_client(door, text)) {
      ++names;
      door.send(line_of(), "", "hostile");
    }
    for (const char* const route : {"/v1/records", "/v1/prekeys"}) {
      door.world.post(route, text, text);  // as if the gateway had let it through
      door.world.post(route, "v-logs", text);
    }
  }
  door.send(line_of("/the-end"), "");
  CHECK(eventually([&] { return door.gateway.log().find("the-end") != std::string::npos; }));
  CHECK(names >= 5);
  CHECK(door.without_connection == 0);
  std::printf("gateway: 9 fields x %zu strings and %zu names of certificates, %zu requests; backend: 4 x %zu\n",
              strings.size(), names, door.sent, strings.size());

  // A path is what a log is for; names of vehicles are in none that the vehicles' routes have. So the planted id is looked for
  // in all lines but those of requests for paths and by methods that do not exist.
  std::string others;
  const std::string all = door.gateway.log();
  for (const auto& line : ReadLog(all, kGatewayNames).lines) {
    if (line.value("path", "") == "/v1/records" && line.value("method", "") == "POST")
      others += line.dump() + "\n";
  }
  CHECK(found_in(others, {kPlantedId, "v-logs"}).empty());
  check_log("gateway", all, kGatewayNames, {"v-logs", kLogKey}, door.sent * 3 / 4);
  CHECK(door.world.stop_gently() == 0);
  check_log("backend", door.world.log(), kBackendNames, {kPlantedId, "v-logs", kLogKey}, 2);
  CHECK(found_in(door.world.output(), {kPlantedId, "v-logs", kLogKey}).empty());
}

TEST_CASE("hostile text at the identity provider becomes neither a line nor a field of its log") {
  ::setenv("WAYSEAL_LOG_KEY", kLogKey, 1);
  idp_test::Idp idp;
  const std::string own = idp.vehicle();
  size_t sent = 0;
  const auto ask = [&](const std::string& body, const std::string& certificate, const std::string& more = "") {
    idp.ask(body, certificate, more);
    ++sent;
  };
  for (const std::string& text : hostile_strings()) {
    const std::string cut = percent(text.substr(0, 120));
    ask(idp_test::form(cut), idp.certificate());
    ask(idp_test::form(own, cut), idp.certificate());
    ask("grant_type=" + cut + "&client_id=" + own, idp.certificate());
    ask(idp_test::form(own) + "&" + cut + "=x", idp.certificate());
    ask(idp_test::form(own), idp_test::certificate_with_names({text.substr(0, 60)}));
    ask(idp_test::form(own), text);
    ask(idp_test::form(own), idp.certificate(), "x-client-realm: " + text + "\r\n");
    ask(idp_test::form(own), idp.certificate(), "User-Agent: " + text + "\r\n");
    for (const std::string& line : {"POST /" + text, "GET /oauth/" + percent(text), text + " /oauth/token"}) {
      cloud_test::http_raw(idp.socket(), line + " HTTP/1.1\r\nHost: idp\r\nConnection: close\r\n\r\n");
      ++sent;
    }
  }
  CHECK(idp_test::outcome(idp.ask()) == "200");
  CHECK(idp.stop(SIGTERM) == 0);
  std::printf("identity provider: 11 fields x %zu strings, %zu requests\n", hostile_strings().size(), sent);
  check_log("identity provider", cloud_test::slurp(idp.file("log")), kProviderNames, {own, kLogKey},
            sent * 3 / 4);
  CHECK(idp.output().find('\x1b') == std::string::npos);
  CHECK(found_in(idp.output(), {kPlantedId, own, kLogKey}).empty());
}

}  // namespace logs_test
