// SPDX-License-Identifier: Apache-2.0
// The gateway as it is shipped: HAProxy with examples/cloud/gateway/haproxy.cfg before a real backend.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "gateway.hpp"

namespace cloud_test {

TEST_CASE("a vehicle reaches the backend through the gateway, under the name in its certificate") {
  World world;
  Gateway gateway(world);
  TestVehicle vehicle = Fleet::get().make_vehicle();
  gateway.client("own", vehicle.id());
  REQUIRE(accepted(gateway.post("own", "/v1/prekeys", vehicle.prekeys_request(3))));
  vehicle.take(gateway.body());
  TestSession session = vehicle.open_session();
  v1::Upload upload;
  upload.set_ack_session(session.id);
  upload.add_items()->set_session_open(session.open);
  upload.add_items()->set_sealed(session.seal(frame(1, batch(1, 1, {1, 2}))));
  REQUIRE(accepted(gateway.post("own", "/v1/records", upload.SerializeAsString())));
  Delivered delivered;
  REQUIRE(delivered.reply.ParseFromString(gateway.body()));
  CHECK(acked(delivered, session)->contiguous() == 1);
}

TEST_CASE("a client cannot say who it is: what it claims is dropped") {
  World world;
  Gateway gateway(world);
  TestVehicle vehicle = Fleet::get().make_vehicle();
  TestVehicle thief = Fleet::get().make_vehicle();
  gateway.client("thief", thief.id());
  const std::string body = vehicle.prekeys_request(1);
  CHECK(gateway.post("thief", "/v1/prekeys", body).status == "403");
  CHECK(gateway.post("thief", "/v1/prekeys", body, {"-H", "x-vehicle-id: " + vehicle.id()}).status == "403");
  CHECK(gateway.post("thief", "/v1/prekeys", body, {"-H", "X-Vehicle-Id: " + vehicle.id()}).status == "403");
  // A look-alike that some servers read as the same name never gets through.
  CHECK(gateway.post("thief", "/v1/prekeys", body, {"-H", "X_Vehicle_Id: " + vehicle.id()}).status == "400");
  CHECK(accepted(
      gateway.post("thief", "/v1/prekeys", thief.prekeys_request(1), {"-H", "x-vehicle-id: " + vehicle.id()})));
}

TEST_CASE("who has no certificate of the vehicles' CA does not get as far as a request") {
  World world;
  Gateway gateway(world);
  TestVehicle vehicle = Fleet::get().make_vehicle();
  const std::string body = vehicle.prekeys_request(1);
  gateway.client("own", vehicle.id());
  REQUIRE(accepted(gateway.post("own", "/v1/prekeys", body)));

  CHECK(refused_by_tls(gateway.post("", "/v1/prekeys", body)));

  const auto key = oem::generate_key();
  const auto stranger =
      oem::issue({vehicle.id(), 30, "critical,CA:FALSE", "critical,digitalSignature", "clientAuth", ""},
                 key.get(), nullptr, key.get());
  spill(gateway.folder() / "stranger", oem::pem_of(stranger.get()) + oem::pem_of(key.get()));
  CHECK(refused_by_tls(gateway.post("stranger", "/v1/prekeys", body)));

  // The gateway's own CA, and the data root, are for other things.
  const auto server = Fleet::get().pki().issue_server({vehicle.id()}, key.get(), 30);
  spill(gateway.folder() / "server", oem::pem_of(server.get()) + oem::pem_of(key.get()));
  CHECK(refused_by_tls(gateway.post("server", "/v1/prekeys", body)));
  const auto e2e = Fleet::get().pki().issue_role(wayseal::Role::kVehicle, vehicle.id(), key.get(), 30);
  spill(gateway.folder() / "e2e",
        oem::pem_of(e2e.leaf.get()) + oem::pem_of(e2e.intermediate.get()) + oem::pem_of(key.get()));
  CHECK(refused_by_tls(gateway.post("e2e", "/v1/prekeys", body)));
}

TEST_CASE("a revoked vehicle does not get in, not by resumption either") {
  World world;
  Gateway gateway(world);
  TestVehicle vehicle = Fleet::get().make_vehicle();
  gateway.client("own", vehicle.id());
  REQUIRE(accepted(gateway.post("own", "/v1/prekeys", vehicle.prekeys_request(1))));

  // The second handshake offers what the first one was given; OpenSSL says "Reused" when the server takes it.
  // The server closes when it has answered, and by then the session's tickets have come, if there are any.
  const std::string connect =
      std::string("printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | ") +
      WAYSEAL_OPENSSL + " s_client -ign_eof -connect localhost:" + std::to_string(gateway.port()) +
      " -CAfile " + gateway.pki() + "/gateway-ca.pem -cert " + (gateway.folder() / "own") + " -key " +
      (gateway.folder() / "own");
  const Output first =
      run({"/bin/sh", "-c", connect + " -sess_out " + (gateway.folder() / "session") + " 2>&1"});
  CHECK(first.text.find("Verification: OK") != std::string::npos);
  if (std::filesystem::exists(gateway.folder() / "session")) {
    const Output second =
        run({"/bin/sh", "-c", connect + " -sess_in " + (gateway.folder() / "session") + " 2>&1"});
    INFO(second.text);
    CHECK(second.text.find("New, TLSv1.3") != std::string::npos);
    CHECK(second.text.find("Reused") == std::string::npos);
  }

  REQUIRE(Fleet::get().pki().revoke(vehicle.id()) == 2);
  gateway.write_crl();
  gateway.restart();
  CHECK(refused_by_tls(gateway.post("own", "/v1/prekeys", vehicle.prekeys_request(1))));
  CHECK(gateway.log().find("\"event\":\"handshake\"") != std::string::npos);
}

TEST_CASE("TLS 1.3 with TLS_AES_256_GCM_SHA384 and nothing else") {
  World world;
  Gateway gateway(world);
  TestVehicle vehicle = Fleet::get().make_vehicle();
  gateway.client("own", vehicle.id());
  const auto with = [&](std::vector<std::string> options) {
    return gateway.post("own", "/v1/prekeys", vehicle.prekeys_request(1), std::move(options));
  };
  CHECK(accepted(with({"--tls13-ciphers", "TLS_AES_256_GCM_SHA384"})));
  CHECK(refused_by_tls(with({"--tls-max", "1.2"})));
  CHECK(refused_by_tls(with({"--tls13-ciphers", "TLS_AES_128_GCM_SHA256"})));
  CHECK(refused_by_tls(with({"--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"})));
  CHECK(refused_by_tls(with({"--curves", "X25519"})));
}

TEST_CASE("a certificate without a vehicle's name is a 403") {
  World world;
  Gateway gateway(world);
  for (const std::string name : {"two words", "a/b", "thirty-three-characters-are-too-lo"}) {
    gateway.client("odd", name);
    CHECK(gateway.post("odd", "/v1/records", "").status == "403");
  }
}

TEST_CASE("the gateway lets through two routes, with their method, type and size") {
  World world;
  Gateway gateway(world);
  gateway.client("own", "v-routes");
  const std::string type = "Content-Type: application/x-protobuf";
  const auto get = [&](const std::string& target, std::vector<std::string> more) {
    return gateway.request("own", target, std::move(more)).status;
  };
  CHECK(gateway.post("own", "/", "").status == "404");
  CHECK(gateway.post("own", "/healthz", "").status == "404");
  CHECK(gateway.post("own", "/v1/records/", "").status == "404");
  CHECK(gateway.post("own", "/v1/%72ecords", "", {"--path-as-is"}).status == "404");
  CHECK(gateway.post("own", "/v1/x/../records", "", {"--path-as-is"}).status == "404");
  CHECK(get("/v1/records", {}) == "405");
  CHECK(gateway.post("own", "/v1/records", "", {"-X", "DELETE"}).status == "405");
  CHECK(get("/v1/records", {"-d", "x"}) == "415");
  CHECK(gateway.post("own", "/v1/records", "x", {"-H", "Content-Encoding: gzip"}).status == "415");
  CHECK(gateway.post("own", "/v1/records", "x", {"-H", "Transfer-Encoding: chunked"}).status == "411");

  // What is just small enough reaches the backend, which finds that it does not parse.
  CHECK(gateway.post("own", "/v1/records", std::string(262144, '\xff')).status == "400");
  // The answer comes before the body, and a client that still sends may see a reset instead: so only declare
  // it.
  CHECK(get("/v1/records", {"-X", "POST", "-H", type, "-H", "Content-Length: 262145"}) == "413");
  CHECK(gateway.post("own", "/v1/prekeys", std::string(8192, '\xff')).status == "400");
  CHECK(get("/v1/prekeys", {"-X", "POST", "-H", type, "-H", "Content-Length: 8193"}) == "413");
}

TEST_CASE("while the backend is away the gateway says 503, and the next try works") {
  World world;
  Gateway gateway(world);
  gateway.client("own", "v-away");
  world.kill_hard();
  CHECK(gateway.post("own", "/v1/records", "").status == "503");
  world.start();
  CHECK(accepted(gateway.post("own", "/v1/records", "")));
}

TEST_CASE("the gateway's log is JSON and names no vehicle") {
  World world;
  Gateway gateway(world);
  gateway.client("own", "v-in-no-log");
  CHECK(accepted(gateway.post("own", "/v1/records", "")));
  CHECK(gateway.post("own", "/v1/\"quoted\"", "", {"--path-as-is"}).status != "200");
  REQUIRE(eventually([&] { return gateway.log().find("\"why\":\"path\"") != std::string::npos; }));
  const std::string log = gateway.log();
  CHECK(log.find("v-in-no-log") == std::string::npos);
  for (size_t at = log.find("{\"event\""); at != std::string::npos; at = log.find("{\"event\"", at + 1)) {
    const std::string line = log.substr(at, log.find('\n', at) - at);
    INFO(line);
    CHECK(nlohmann::json::accept(line));
  }
}

TEST_CASE("the check finds stale and foreign revocation lists before HAProxy loads them") {
  World world;
  const Gateway gateway(world);
  const auto check = [&](const std::string& minutes = "60") {
    return run({WAYSEAL_GATEWAY_CHECK, gateway.pki(), minutes});
  };
  const Output good = check();
  INFO(good.text);
  CHECK(good.code == 0);
  CHECK(check("50000").code == 1);  // the list is for 30 days

  const auto key = oem::generate_key();
  const auto stranger =
      oem::issue({"OEM vehicle TLS", 30, "critical,CA:TRUE", "critical,keyCertSign,cRLSign", "", ""}, key.get(),
                 nullptr, key.get());
  spill(gateway.pki() + "/vehicle-crl.pem", oem::make_crl(stranger.get(), key.get(), {}, 30));
  const Output foreign = check();
  CHECK(foreign.code == 1);
  CHECK(foreign.text.find("no revocation list") != std::string::npos);
}

}  // namespace cloud_test
