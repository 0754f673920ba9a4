// SPDX-License-Identifier: Apache-2.0
// The identity provider while it runs: clients come and go, keys rotate, files break, and it is started and ended.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <thread>

#include "rig.hpp"

using cloud_test::eventually;
using cloud_test::slurp;
using cloud_test::spill;
using idp_test::form;
using idp_test::Idp;
using idp_test::json;
using idp_test::kTokenPath;
using idp_test::outcome;
using idp_test::request;
using idp_test::Token;
namespace oem = wayseal::oem;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Asks for tokens without a pause, on several threads, until it is told to stop.
class Askers {
 public:
  explicit Askers(const Idp& idp) {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this, &idp] { ask(idp); });
  }
  ~Askers() { stop(); }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  bool more(size_t count) {
    const size_t enough = size() + count;
    return eventually([&] { return size() >= enough; }, 60);
  }
  size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return bodies_.size() + failures_.size();
  }
  const std::vector<std::string>& bodies() const { return bodies_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void ask(const Idp& idp) {
    while (!stop_) {
      const auto reply = idp.ask();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (outcome(reply) == "200") {
        bodies_.push_back(reply.body);
      } else {
        failures_.push_back(outcome(reply));
      }
    }
  }

  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::vector<std::string> failures_;
  std::vector<std::thread> threads_;
};

Token token_of(const Idp& idp) { return Token(json::parse(idp.ask().body).at("access_token")); }

/// What a device that makes its own keys prints.
std::string request_line(const std::string& name) {
  const oem::Key key = oem::generate_key();
  const std::unique_ptr<X509_REQ, oem::Freer<X509_REQ_free>> request(X509_REQ_new());
  const std::string subject = "wayseal-" + name;
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  std::string line = "wayseal-request " + name + " ";
  for (int i = 0; i < size; ++i) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(der[i]));
    line += text;
  }
  OPENSSL_free(der);
  return line + "\n";
}

/// The bytes in the line `wayseal-object NAME HEX`.
std::string object_of(const std::string& text, const std::string& name) {
  const std::string start = "wayseal-object " + name + " ";
  const size_t at = text.find(start) + start.size();
  std::string bytes;
  for (size_t i = at; i + 1 < text.size() && text[i] != '\n'; i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

TEST_CASE("a vehicle gets tokens from when it is added until it is revoked, without a restart") {
  Idp idp;
  CHECK(outcome(idp.ask(form("v-new"), idp_test::certificate_with_names({"v-new"}))) == "401 invalid_client");
  spill(idp.file("requests"), request_line("tls") + request_line("e2e"));
  const auto made = idp.oem({"sign", "--vehicle", "v-new", "--requests", idp.file("requests")});
  CAPTURE(made.text);
  REQUIRE(made.code == 0);
  const std::string certificate = object_of(made.text, "tls");
  CHECK(outcome(idp.ask(form("v-new"), certificate)) == "200");

  CHECK(outcome(idp.ask()) == "200");
  const auto revoked = idp.oem({"revoke", "--vehicle", idp.vehicle()});
  CAPTURE(revoked.text);
  CHECK(revoked.code == 0);
  CHECK(outcome(idp.ask()) == "401 invalid_client");
  CHECK(outcome(idp.ask(form(idp.vehicle(1)), idp.certificate(1))) == "200");
  CHECK(outcome(idp.ask(form("v-new"), certificate)) == "200");

  CHECK(idp.oem({"revoke", "--vehicle", "../idp"}).code == 1);
  CHECK(std::filesystem::exists(idp.config()));
}

TEST_CASE(
    "a client's file that cannot be used is an unknown client, and the log says which of the two it was") {
  Idp idp;
  const std::string id = idp.vehicle();
  const std::string path = idp.client_file(id);
  const std::string good = slurp(path);
  const std::string named = R"({"client_id":")" + id + R"(","scopes":)";
  size_t files = 0;
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"), std::string("7"),
        std::string("{}"), named + "[]}", named + "\"prekeys\"}", named + "[\"admin\"]}",
        named + "[\"prekeys\",\"prekeys\"]}", named + "[null]}", named + R"(["prekeys"],"more":1})",
        std::string(R"({"client_id":"v-other","scopes":["prekeys"]})"),
        std::string(R"({"scopes":["prekeys"]})"), good + std::string(5000, ' '),
        std::string("\xff\xfe\x00", 3)}) {
    CAPTURE(text);
    spill(path, text);
    CHECK(outcome(idp.ask(form(id, "prekeys"), idp.certificate())) == "401 invalid_client");
    CHECK(idp.log("client_file").size() == ++files);
  }
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  CHECK(outcome(idp.ask()) == "401 invalid_client");
  CHECK(idp.log("client_file").size() == ++files);
  std::filesystem::remove(path);
  CHECK(outcome(idp.ask()) == "401 invalid_client");
  CHECK(idp.log("client_file").size() == files);
  spill(path, good);
  CHECK(outcome(idp.ask()) == "200");
}

TEST_CASE("signing keys rotate while tokens are fetched without a pause, and each token verifies") {
  Idp idp;
  const std::string nobodys = idp.public_key('b');
  Askers askers(idp);
  REQUIRE(askers.more(30));

  const auto prepared = idp.oem({"idp", "rotate"});
  CAPTURE(prepared.text);
  REQUIRE(prepared.code == 0);
  CHECK(holds(prepared.text, "reload the gateways"));
  CHECK(holds(prepared.text, "--switch"));
  const std::string next = idp.public_key('b');
  CHECK(next != nobodys);
  // Nobody signs with it before the gateways know it. Doing it again changes nothing.
  CHECK(idp.oem({"idp", "rotate"}).text == prepared.text);
  CHECK(idp.public_key('b') == next);
  REQUIRE(askers.more(30));
  CHECK(token_of(idp).header["kid"].get<std::string>().at(0) == 'a');
  const json published = json::parse(cloud_test::http_raw(idp.socket(), request("GET", "/jwks", "", "")).body);
  CHECK(published["keys"].size() == 2);

  REQUIRE(idp.oem({"idp", "rotate", "--switch"}).code == 0);
  CHECK(token_of(idp).header["kid"].get<std::string>().at(0) == 'b');
  REQUIRE(askers.more(30));
  askers.stop();

  CHECK(askers.failures() == std::vector<std::string>{});
  std::string order;
  size_t verified = 0;
  for (const std::string& body : askers.bodies()) {
    const Token token(json::parse(body).at("access_token"));
    const char slot = token.header["kid"].get<std::string>().at(0);
    order += slot;
    if (token.verified_by(idp.public_key(slot))) ++verified;
  }
  CHECK(verified == askers.bodies().size());
  CHECK(holds(order, "a"));
  CHECK(holds(order, "b"));
  std::printf("%zu tokens during a rotation, %zu by the old key\n", order.size(),
              static_cast<size_t>(std::count(order.begin(), order.end(), 'a')));
}

TEST_CASE("a slot is filled again only when every token of its old key has expired") {
  Idp idp;
  CHECK(idp.oem({"idp", "rotate", "--switch"}).code == 1);
  REQUIRE(idp.oem({"idp", "rotate"}).code == 0);
  const auto before = static_cast<int64_t>(std::time(nullptr));
  REQUIRE(idp.oem({"idp", "rotate", "--switch"}).code == 0);
  CHECK(idp.oem({"idp", "rotate", "--switch"}).code == 1);
  const std::string old = idp.public_key('a');
  const auto early = idp.oem({"idp", "rotate"});
  CHECK(early.code == 1);
  CHECK(holds(early.text, "slot a may still be in use"));
  CHECK(idp.public_key('a') == old);
  CHECK(idp.settings()["spare_from"].get<int64_t>() >= before + 300);

  idp.change({{"spare_from", before}});  // as if the time had passed
  REQUIRE(idp.oem({"idp", "rotate"}).code == 0);
  CHECK(idp.public_key('a') != old);
  REQUIRE(idp.oem({"idp", "rotate", "--switch"}).code == 0);
  const Token token = token_of(idp);
  CHECK(token.header["kid"].get<std::string>().at(0) == 'a');
  CHECK(token.header["kid"].get<std::string>().substr(10) == "-2");  // the second of this day in this slot
  CHECK(token.verified_by(idp.public_key('a')));
  CHECK_FALSE(token.verified_by(old));
}

TEST_CASE("keys and configurations that cannot be used leave the old ones in use, and the log says why") {
  Idp idp;
  const std::string kid = token_of(idp).header["kid"];
  const std::string path = idp.file("keys/a.jwk");
  const json good = json::parse(slurp(path));
  const auto changed = [&](const json& values) {
    json key = good;
    key.update(values);
    return key.dump();
  };
  size_t failures = 0;
  const auto broken = [&](const char* what, const std::string& text, mode_t mode, const char* why) {
    CAPTURE(what);
    oem::write_file(path, text, static_cast<std::filesystem::perms>(mode));
    idp.send(SIGHUP);
    REQUIRE(eventually([&] { return idp.log("reload_failed").size() > failures; }));
    ++failures;
    const json line = idp.log("reload_failed").back();
    CHECK(holds(line["why"], why));
    CHECK(line["kid"] == kid);
    CHECK_FALSE(holds(line.dump(), good["d"].get<std::string>()));
    CHECK(token_of(idp).verified_by(idp.public_key('a')));
    CHECK(idp.serve({"--check", "--config", idp.config()}).code == 1);
  };
  broken("empty", "", 0600, "not JSON");
  broken("cut", good.dump().substr(0, good.dump().size() - 5), 0600, "not JSON");
  broken("null", "null", 0600, "not a private key");
  broken("for others to read", good.dump(), 0644, "mode has to be 0600");
  broken("another curve", changed({{"crv", "P-384"}}), 0600, "P-256");
  broken("of the other slot", changed({{"kid", "b-20260101-1"}}), 0600, "its kid has to be a-");
  broken("kid of another form", changed({{"kid", "a-1\n"}}), 0600, "its kid has to be a-");
  broken("halves of two keys", changed({{"x", good["y"]}, {"y", good["x"]}}), 0600, "do not fit");
  json public_half = good;
  public_half.erase("d");
  broken("public", public_half.dump(), 0600, "not a private key");
  std::filesystem::remove(path);
  idp.send(SIGHUP);
  REQUIRE(eventually([&] { return idp.log("reload_failed").size() > failures; }));
  CHECK(outcome(idp.ask()) == "200");

  oem::write_file(path, good.dump(), oem::kSecret);
  idp.send(SIGHUP);
  CHECK(eventually([&] { return idp.log("reloaded").size() == 1; }));

  // The configuration's own file is looked at with every request: no signal is needed.
  failures = idp.log("reload_failed").size();
  const std::string configuration = slurp(idp.config());
  spill(idp.config(), "{");
  CHECK(outcome(idp.ask()) == "200");
  CHECK(outcome(idp.ask()) == "200");
  CHECK(idp.log("reload_failed").size() == failures + 1);
  idp.change_text(configuration);
  idp.change({{"ttl_seconds", 9}});
  CHECK(json::parse(idp.ask().body)["expires_in"] == 9);
}

TEST_CASE("what outsiders write is in the log as text, and no id, certificate or token is") {
  Idp idp;
  const std::string evil = "\r\n\x1b[31m{\"event\":\"ended\"}%n%s\"'\\\u202e\xf0\x9f\x9a\x97\u2028";
  std::string encoded;
  for (const char c : evil) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    encoded += text;
  }
  const std::string id = idp.vehicle();
  const std::string token = json::parse(idp.ask().body).at("access_token");
  const size_t before = idp.log().size();
  idp.ask(form(encoded), idp_test::certificate_with_names({evil}));
  idp.ask(form(id, encoded + id), idp.certificate());
  idp.ask("grant_type=" + encoded + id + "&client_id=" + id + "&scope=prekeys", idp.certificate());
  idp.ask(form(id), "", "x-client-cert-der: \x1b{}\"\r\n");
  idp.ask(form(id), idp.certificate(),
          "Authorization: Bearer " + token + "\r\nUser-Agent: \x1b\"\r\nx-evil: {\"event\":1}\r\n");
  for (const std::string& target :
       {"/" + encoded, std::string("/{\"event\":\"ended\"}\\"), "/oauth/token?" + token,
        std::string("/\xc3\xa9\xff"), "/" + id, "/" + std::string(300, 'x')}) {
    cloud_test::http_raw(
        idp.socket(),
        request("POST", target,
                "x-client-cert-der: " + idp_test::base64(idp.certificate()) + "\r\nContent-Length: 0\r\n", ""));
  }
  cloud_test::http_raw(idp.socket(), "EVIL\x1b\"{} / HTTP/1.1\r\n\r\n");
  REQUIRE(eventually([&] { return idp.log().size() >= before + 12; }));

  const std::string text = slurp(idp.file("log"));
  for (const char c : text) REQUIRE((c == '\n' || (c >= ' ' && c <= '~')));
  CHECK_FALSE(holds(text, id));
  CHECK_FALSE(holds(text, token.substr(0, 12)));
  CHECK_FALSE(holds(text, idp_test::base64(idp.certificate()).substr(0, 40)));
  CHECK(idp.log("ended").empty());
  size_t shown = 0;
  for (const json& line : idp.log("request")) {
    for (const auto& [name, value] : line.items()) {
      if (value.is_string()) CHECK(value.get_ref<const std::string&>().size() <= 3 * 64);
      if (name == "asked_scope" && value == evil + "*") ++shown;
      if (name == "asked_grant" && value == evil + "*") ++shown;
      if (name == "path" && value == "/{\"event\":\"ended\"}\\") ++shown;
    }
  }
  CHECK(shown == 3);
  CHECK(outcome(idp.ask()) == "200");
}

TEST_CASE("the log names a client by a hash that says nothing in another run") {
  Idp idp;
  idp.ask();
  idp.ask();
  idp.ask(form(idp.vehicle(1)), idp.certificate(1));
  REQUIRE(eventually([&] { return idp.log("request").size() >= 4; }));
  std::vector<std::string> names;
  for (const json& line : idp.log("request")) {
    if (line.contains("client")) names.push_back(line["client"]);
  }
  REQUIRE(names.size() == 3);
  CHECK(names[0] == names[1]);
  CHECK(names[0] != names[2]);
  CHECK(names[0].size() == 12);
  CHECK(idp.stop(SIGTERM) == 0);
  idp.start();
  idp.ask();
  REQUIRE(eventually([&] { return idp.log("request").back().contains("client"); }));
  CHECK(idp.log("request").back()["client"] != names[0]);
}

TEST_CASE("the hash changes from day to day, and a full disk stops nobody") {
  const cloud_test::TemporaryFolder folder;
  const std::string script = R"(
    const { Log } = await import(process.argv[1]);
    let now = Date.UTC(2026, 0, 1, 12);
    Date.now = () => now;
    const log = new Log('/dev/full');
    const first = log.name('v'), again = log.name('v');
    now += 86_400_000;
    log.write('lost'); log.write('lost');
    process.exit(first === again && log.name('v') !== first ? 0 : 1);
  )";
  const std::string module =
      std::string(WAYSEAL_IDP_SERVER).replace(std::string(WAYSEAL_IDP_SERVER).rfind("server"), 6, "log");
  const auto ran = cloud_test::run({idp_test::node(), "--input-type=module", "--eval", script, module});
  CAPTURE(ran.text);
  CHECK(ran.code == 0);
}

TEST_CASE("the socket is private, is taken from the dead only, and goes at the end") {
  Idp idp;
  struct stat state {};
  REQUIRE(::stat(idp.socket().c_str(), &state) == 0);
  CHECK((state.st_mode & 0777U) == 0600);
  const auto second = idp.serve({"--config", idp.config()});
  CHECK(second.code == 1);
  CHECK(holds(second.text, "somebody listens"));
  CHECK(outcome(idp.ask()) == "200");
  idp.stop(SIGKILL);
  CHECK(std::filesystem::exists(idp.socket()));
  idp.start();
  CHECK(outcome(idp.ask()) == "200");
  CHECK(idp.stop(SIGTERM) == 0);
  CHECK_FALSE(std::filesystem::exists(idp.socket()));
  CHECK(idp.output().empty());
  CHECK(idp.log().back()["event"] == "ended");
  struct stat log {};
  REQUIRE(::stat(idp.file("log").c_str(), &log) == 0);
  CHECK((log.st_mode & 0777U) == 0600);
}

TEST_CASE("SIGHUP opens the log anew") {
  Idp idp;
  std::filesystem::rename(idp.file("log"), idp.file("log.1"));
  idp.send(SIGHUP);
  REQUIRE(eventually([&] { return std::filesystem::exists(idp.file("log")); }));
  idp.ask();
  CHECK(eventually([&] { return !idp.log("request").empty(); }));
}

TEST_CASE("wrong usage and trouble have exit codes and a sentence") {
  Idp idp;
  CHECK(idp.stop(SIGTERM) == 0);
  const auto help = idp.serve({"--help"});
  CHECK(help.code == 0);
  CHECK(holds(help.text, "usage:"));
  CHECK(idp.serve({}).code == 2);
  CHECK(idp.serve({"--unknown"}).code == 2);
  CHECK(idp.serve({"--config"}).code == 2);
  CHECK(idp.serve({"--config", idp.config(), "more"}).code == 2);
  CHECK(idp.serve({"--config", "/nowhere/idp.json"}).code == 1);
  CHECK(idp.serve({"--check", "--config", idp.config()}).code == 0);

  const json good = idp.settings();
  const std::pair<json, const char*> wrong[] = {
      {{{"ttl_seconds", 0}}, "ttl_seconds"},
      {{{"ttl_seconds", 3601}}, "ttl_seconds"},
      {{{"ttl_seconds", "300"}}, "ttl_seconds"},
      {{{"issuer", "http://plain.example"}}, "issuer"},
      {{{"issuer", "https://" + std::string(200, 'x')}}, "issuer"},
      {{{"audience", ""}}, "audience"},
      {{{"current", "c"}}, "current"},
      {{{"current", "b"}}, "b.jwk"},
      {{{"surprise", 1}}, "surprise"},
      {{{"socket", std::string(120, 's')}}, "107"},
      {{{"socket", "nowhere/idp.sock"}}, "cannot listen"},
      {{{"log", "nowhere/log"}}, "cannot write the log"},
  };
  for (const auto& [values, what] : wrong) {
    CAPTURE(values.dump());
    idp.change_text(good.dump());
    idp.change(values);
    const auto ran = idp.serve({"--config", idp.config()});
    CHECK(ran.code == 1);
    CHECK(holds(ran.text, what));
    CHECK_FALSE(holds(ran.text, "    at "));
  }
  json missing = good;
  missing.erase("clients");
  idp.change_text(missing.dump());
  CHECK(holds(idp.serve({"--config", idp.config()}).text, "\"clients\" is missing"));
}
