// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "world.hpp"

namespace cloud_test {
namespace {

std::string request(const std::string& line, const std::string& headers, const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

const std::string kType = "Content-Type: application/x-protobuf\r\n";
const std::string kVehicle = "x-vehicle-id: v-1\r\n";

/// What `serve` says with a changed configuration.
Output serve_with(const World& world, const std::function<void(nlohmann::json&)>& edit) {
  auto config = nlohmann::json::parse(slurp(world.config()));
  config["listen"] = "other.sock";
  config["database"] = "other.db";
  edit(config);
  const std::string path = world.folder() / "other.json";
  spill(path, config.dump());
  return run({WAYSEAL_BACKEND, "serve", "--config", path});
}

}  // namespace

TEST_CASE("the backend answers only what PROTOCOL.md names") {
  World world;
  const auto status = [&](const std::string& text) { return http_raw(world.socket(), text).status; };
  CHECK(status(request("POST /v1/nope", kType + kVehicle + "Content-Length: 0\r\n")) == 404);
  CHECK(status(request("GET /", "")) == 404);
  CHECK(status(request("POST /v1/records?x=1", kType + kVehicle + "Content-Length: 0\r\n")) == 404);
  CHECK(status(request("GET /v1/records", kVehicle)) == 405);
  CHECK(status(request("PUT /v1/prekeys", kType + kVehicle + "Content-Length: 0\r\n")) == 405);
  CHECK(status(request("POST /v1/records", kVehicle + "Content-Length: 0\r\n")) == 415);
  CHECK(status(request("POST /v1/records",
                       "Content-Type: text/plain\r\n" + kVehicle + "Content-Length: 0\r\n")) == 415);
  CHECK(status(request("POST /v1/records", kType + kVehicle)) == 411);
  CHECK(status(request("POST /v1/records", kType + kVehicle + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")) ==
        411);
  CHECK(status(request("POST /v1/records", kType + kVehicle + "Content-Length: 262145\r\n")) == 413);
  CHECK(status(request("POST /v1/prekeys", kType + kVehicle + "Content-Length: 8193\r\n")) == 413);
  CHECK(status("NONSENSE\r\n\r\n") == 400);
  CHECK(status(request("POST /v1/records", kType + "x-a: " + std::string(9000, 'a') + "\r\n")) == 400);
  CHECK(status(request("POST /v1/records", kType + kVehicle + "Content-Length: 3\r\n", "\xff\xff\xff")) == 400);
  CHECK(status(request("POST /v1/records", kType + kVehicle + "Content-Length: 0\r\n")) == 200);
}

TEST_CASE("without exactly one vehicle of a valid form there is a 403") {
  World world;
  const auto status = [&](const std::string& headers) {
    return http_raw(world.socket(), request("POST /v1/records", kType + headers + "Content-Length: 0\r\n"))
        .status;
  };
  CHECK(status("") == 403);
  CHECK(status("x-vehicle-id: \r\n") == 403);
  CHECK(status("x-vehicle-id: a b\r\n") == 403);
  CHECK(status("x-vehicle-id: " + std::string(33, 'a') + "\r\n") == 403);
  CHECK(status("x-vehicle-id: v-1\r\nX-Vehicle-Id: v-2\r\n") == 403);
  CHECK(status("x-vehicle-id: " + std::string(32, 'a') + "\r\n") == 200);
}

TEST_CASE("an upload of more than 1024 items is a 400") {
  World world;
  TestVehicle vehicle = world.vehicle();
  v1::Upload upload;
  for (int i = 0; i < 1025; ++i) upload.add_items()->set_sealed("x");
  CHECK(world.post("/v1/records", vehicle.id(), upload.SerializeAsString()).status == 400);
}

TEST_CASE("the socket and the files of the database are their owner's alone") {
  World world;
  for (const char* const name : {"backend.sock", "backend.db", "log"}) {
    struct stat info {};
    REQUIRE(::stat((world.folder() / name).c_str(), &info) == 0);
    INFO(name);
    CHECK((info.st_mode & 077) == 0);
  }
}

TEST_CASE("SIGTERM ends the backend with 0 and takes its socket away") {
  World world;
  CHECK(world.stop_gently() == 0);
  CHECK(http_raw(world.socket(), "GET /healthz HTTP/1.1\r\n\r\n").status == 0);
  CHECK(slurp(world.folder() / "output").find("ready") != std::string::npos);
}

TEST_CASE("a wrong PIN stops the backend after one try, so that nothing gets locked") {
  const World world;
  spill(world.folder() / "wrong-pin", "not-the-pin\n");
  ::chmod((world.folder() / "wrong-pin").c_str(), 0600);
  const Output output = serve_with(world, [](auto& config) { config["pin_file"] = "wrong-pin"; });
  CHECK(output.code == 1);
  CHECK(output.text.find("refused the PIN") != std::string::npos);
  CHECK(output.text.find("not-the-pin") == std::string::npos);
}

TEST_CASE("a PIN that is refused when the token is opened again is tried once, not with every request") {
  World world;
  TestVehicle vehicle = world.vehicle();
  world.stop_gently();
  auto config = nlohmann::json::parse(slurp(world.config()));
  config["module_args"] = config["module"].get<std::string>() + "|" + world.folder().path();
  config["module"] = WAYSEAL_FAULTY_PKCS11;
  spill(world.config(), config.dump());
  world.start();
  const auto ask = [&] { return world.post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(1)).status; };
  const auto logins = [&] { return slurp(world.folder() / "logins").size(); };
  CHECK(ask() == 200);
  CHECK(logins() == 1);

  spill(world.folder() / "lost", "");
  spill(world.folder() / "wrong-pin", "");
  CHECK(ask() == 503);
  CHECK(logins() == 2);
  std::filesystem::remove(world.folder() / "lost");
  for (int i = 0; i < 3; ++i) CHECK(ask() == 503);
  CHECK(logins() == 2);
  const std::string log = world.log();
  const size_t said = log.find("refused the PIN");
  CHECK(said != std::string::npos);
  CHECK(log.find("PIN", said + 16) == std::string::npos);

  // An operator has put it right and starts it anew.
  std::filesystem::remove(world.folder() / "wrong-pin");
  world.stop_gently();
  world.start();
  CHECK(ask() == 200);
}

TEST_CASE("a PIN file that others can read is not used") {
  const World world;
  spill(world.folder() / "open-pin", "1234\n");
  ::chmod((world.folder() / "open-pin").c_str(), 0644);
  const Output output = serve_with(world, [](auto& config) { config["pin_file"] = "open-pin"; });
  CHECK(output.code == 1);
  CHECK(output.text.find("mode 0600") != std::string::npos);
}

TEST_CASE("a configuration that is wrong is named by file and key") {
  const World world;
  const auto says = [&](const std::function<void(nlohmann::json&)>& edit, const std::string& what) {
    const Output output = serve_with(world, edit);
    INFO(output.text);
    CHECK(output.code == 1);
    CHECK(output.text.find(what) != std::string::npos);
  };
  says([](auto& c) { c["tokn"] = "x"; }, "unknown key 'tokn'");
  says([](auto& c) { c["token"] = 5; }, "key 'token' has a wrong type");
  says([](auto& c) { c["token"] = "no-such-token"; }, "no token labelled 'no-such-token'");
  says([](auto& c) { c["module"] = "/nowhere.so"; }, "cannot load the PKCS#11 module");
  says([](auto& c) { c["policy"]["suites"] = nlohmann::json::array(); }, "leaves no usable suite");
  says([](auto& c) { c["policy"]["suites"] = {1}; }, "share no suite");
  says([](auto& c) { c["policy"]["suites_offered"] = {1}; }, "no suite that token and policy share is offered");
  says([](auto& c) { c["crls"] = {"nothing.pem"}; }, "CRL");
  says([](auto& c) { c["crls"] = nlohmann::json::array(); }, "not valid");
}

TEST_CASE("two backends do not share a socket, but may share database and token") {
  World world;
  const Output second = serve_with(world, [](auto& config) { config["listen"] = "backend.sock"; });
  CHECK(second.code == 1);
  CHECK(second.text.find("another program listens") != std::string::npos);

  auto config = nlohmann::json::parse(slurp(world.config()));
  config["listen"] = "twin.sock";
  spill(world.folder() / "twin.json", config.dump());
  Process twin({WAYSEAL_BACKEND, "serve", "--config", world.folder() / "twin.json"},
               world.folder() / "twin.out");
  const std::string twin_socket = world.folder() / "twin.sock";
  REQUIRE(eventually(
      [&] { return http_raw(twin_socket, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status == 204; }));

  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  v1::Upload upload;
  upload.set_ack_session(session.id);
  upload.add_items()->set_session_open(session.open);
  for (int i = 0; i < 50; ++i) upload.add_items()->set_sealed(session.seal(frame(1, batch(1, i, {i}))));
  // The prekey's private half was made by the one process and is found by the other.
  CHECK(http_post(twin_socket, "/v1/records", vehicle.id(), upload.SerializeAsString()).status == 200);
  CHECK(world.post("/v1/records", vehicle.id(), upload.SerializeAsString()).status == 200);
  CHECK(world.stat("records_stored") == 50);
  CHECK(world.stat("duplicates") == 50);
}

TEST_CASE("opened signals are printed with names, units and values") {
  World world;
  spill(world.folder() / "test.dbc",
        "VERSION \"\"\nBU_: ECU\nBO_ 256 Engine: 8 ECU\n SG_ Speed : 0|16@1+ (0.25,0) [0|16000] \"rpm\" ECU\n"
        " SG_ Temp : 16|8@1- (1,10) [-40|150] \"degC\" ECU\n");
  const Output made =
      run({WAYSEAL_OEM, "dbc", world.folder() / "test.dbc", "-o", world.folder() / "test.table"});
  INFO(made.text);
  REQUIRE(made.code == 0);
  const Output added =
      run({WAYSEAL_BACKEND, "table", "add", world.folder() / "test.table", "--config", world.config()});
  INFO(added.text);
  REQUIRE(added.code == 0);
  const uint64_t table = std::stoull(added.text, nullptr, 16);

  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  constexpr int64_t kBase = 1700000000000000;
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open},
                              {session.seal(frame(1, batch(table, kBase, {4000, 4000, 3999}))),
                               session.seal(frame(1, batch(table, kBase + 5000000, {-20}, 0, 1)))}),
                session));
  const auto print = [&](std::vector<std::string> more) {
    std::vector<std::string> command{WAYSEAL_BACKEND, "signals",   "--config",
                                     world.config(),  "--vehicle", vehicle.id()};
    command.insert(command.end(), more.begin(), more.end());
    return run(command);
  };
  CHECK(print({"--since", "all", "--format", "csv"}).text ==
        "time,message,signal,value,unit,text,quality\n"
        "2023-11-14T22:13:20.000000Z,Engine,Speed,1000,rpm,,recorded\n"
        "2023-11-14T22:13:20.010000Z,Engine,Speed,1000,rpm,,recorded\n"
        "2023-11-14T22:13:20.020000Z,Engine,Speed,999.75,rpm,,recorded\n"
        "2023-11-14T22:13:25.000000Z,Engine,Temp,-10,degC,,recorded\n");
  CHECK(print({"--since", "1700000001", "--format", "csv"}).text ==
        "time,message,signal,value,unit,text,quality\n2023-11-14T22:13:25.000000Z,Engine,Temp,-10,degC,,"
        "recorded\n");
  const auto json = nlohmann::json::parse(print({"--signal", "Engine.Temp", "--format", "json"}).text);
  REQUIRE(json.size() == 1);
  CHECK(json[0]["value"] == -10);
  CHECK(json[0]["unit"] == "degC");
  CHECK(print({"--since", "yesterday"}).code == 1);
  CHECK(run({WAYSEAL_BACKEND, "signals", "--config", world.config(), "--vehicle", "nobody"}).code == 1);

  Process watch({WAYSEAL_BACKEND, "watch", "--config", world.config(), "--json"}, world.folder() / "watch.out");
  CHECK(eventually(
      [&] { return slurp(world.folder() / "watch.out").find("Engine.Speed") != std::string::npos; }));
  CHECK(watch.stop(15) == 0);
}

TEST_CASE("a batch that no table fits, or that breaks the format, is stored all the same and said so") {
  World world;
  TestVehicle vehicle = world.vehicle();
  TestSession session = vehicle.open_session();
  v1::Batch bad;
  bad.add_series()->set_times("\xff");
  REQUIRE(acked(world.deliver(vehicle.id(), session.id, {session.open},
                              {session.seal(frame(1, batch(77, 1, {1}))),
                               session.seal(frame(1, bad.SerializeAsString()))}),
                session)
              ->contiguous() == 2);
  CHECK(world.stat("undecodable") == 1);
  const Output output =
      run({WAYSEAL_BACKEND, "signals", "--config", world.config(), "--vehicle", vehicle.id()});
  CHECK(output.code == 4);
  CHECK(output.text.find("need a signal table") != std::string::npos);
}

}  // namespace cloud_test
