// SPDX-License-Identifier: Apache-2.0
#include "rig.hpp"

#include <openssl/sha.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "../idp/rig.hpp"
#include "jwt.hpp"

namespace partners_test {
namespace {

constexpr timeval kPatience = {30, 0};
constexpr char kDbc[] =
    "VERSION \"\"\nBU_: ECU\nBO_ 256 Engine: 8 ECU\n SG_ Speed : 0|16@1+ (0.25,0) [0|16000] \"rpm\" ECU\n"
    " SG_ Temp : 16|8@1- (1,10) [-40|150] \"degC\" ECU\nBO_ 512 Body: 8 ECU\n SG_ Door : 0|8@1+ (1,0) [0|4] "
    "\"\" ECU\n";

void must(const Output& output, const char* what) {
  if (output.code != 0) throw std::runtime_error(std::string(what) + ": " + output.text);
}

size_t length_in(const std::string& head) {
  const size_t at = head.find("content-length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// A request for a certificate, made with a new key by OpenSSL's own tool.
void make_request(const Partner& partner, const std::string& which) {
  must(run({WAYSEAL_OPENSSL, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=" + partner.name, "-keyout", partner.file(which + ".key"), "-out",
            partner.file(which + ".csr")}),
       "no request");
}

void make_jwk(const Partner& partner, const std::string& name) {
  const json plan{{"kty", "EC"}, {"crv", "P-256"}, {"kid", partner.name + "-" + name}};
  must(run({WAYSEAL_JOSE, "jwk", "gen", "-i", plan.dump(), "-o", partner.file(name + ".jwk")}), "no key");
  must(run({WAYSEAL_JOSE, "jwk", "pub", "-i", partner.file(name + ".jwk"), "-o",
            partner.file(name + ".pub.jwk")}),
       "no public key");
}

}  // namespace

Connection::Connection(int port, const std::string& ca, const std::string& certificate, const std::string& key,
                       std::shared_ptr<size_t> answered)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      bio_(nullptr, BIO_free_all),
      answered_(std::move(answered)) {
  std::signal(SIGPIPE, SIG_IGN);
  const bool ready = SSL_CTX_load_verify_locations(context_.get(), ca.c_str(), nullptr) == 1 &&
                     SSL_CTX_use_certificate_chain_file(context_.get(), certificate.c_str()) == 1 &&
                     SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!ready) throw std::runtime_error("no client certificate");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  bio_.reset(BIO_new_ssl_connect(context_.get()));
  BIO_set_conn_hostname(bio_.get(), ("localhost:" + std::to_string(port)).c_str());
  up_ = BIO_do_connect(bio_.get()) == 1;
  int fd = -1;
  BIO_get_fd(bio_.get(), &fd);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
}

Reply Connection::ask(const std::string& request) {
  Reply reply;
  if (!up_ || BIO_write(bio_.get(), request.data(), static_cast<int>(request.size())) <= 0) return reply;
  std::string all;
  char buffer[16384];
  size_t end = std::string::npos;
  const bool no_body = request.compare(0, 5, "HEAD ") == 0;
  while (end == std::string::npos ||
         (!no_body && all.size() < end + 4 + length_in(lower(all.substr(0, end))))) {
    const int n = BIO_read(bio_.get(), buffer, sizeof buffer);
    if (n <= 0) return reply;
    all.append(buffer, static_cast<size_t>(n));
    end = all.find("\r\n\r\n");
  }
  ++*answered_;
  reply.status = static_cast<unsigned>(std::stoul(all.substr(9, 3)));
  reply.head = lower(all.substr(0, end));
  reply.body = all.substr(end + 4);
  return reply;
}

Rig::Rig(std::vector<std::string> variables) : variables_(std::move(variables)) {
  if (!std::filesystem::exists(fleet() + "/share")) must(oem({"add", "--name", "first"}), "no first partner");
  std::filesystem::copy(fleet() + "/gateway", pki());
  cloud_test::Fleet::get();
  spill(pki() + "/vehicle-crl.pem", cloud_test::Fleet::get().pki().gateway_crls(30));
  spill(pki() + "/jwt-b.pem", cloud_test::public_pem_of(test_key()));
  spill(world.folder() / "revoked", "");
  make_table();
  start_idp();
  start_share();
  start_gateway();
}

void Rig::make_table() {
  spill(world.folder() / "test.dbc", kDbc);
  must(run({WAYSEAL_OEM, "dbc", world.folder() / "test.dbc", "-o", world.folder() / "test.table"}), "no table");
  const Output added =
      run({WAYSEAL_BACKEND, "table", "add", world.folder() / "test.table", "--config", world.config()});
  must(added, "no table");
  table_ = std::stoull(added.text, nullptr, 16);
}

void Rig::start_idp() {
  const std::string config = fleet() + "/idp/idp.json";
  if (run({idp_test::node(), WAYSEAL_IDP_SERVER, "--check", "--config", config})
          .text.find("toolchains/setup") != std::string::npos)
    SKIP("the locked npm packages are not there");
  idp_ = cloud_test::Process({idp_test::node(), WAYSEAL_IDP_SERVER, "--config", config},
                             world.folder() / "idp.log");
  const bool up =
      eventually([&] { return idp_log().find("\"started\"") != std::string::npos || !idp_.running(); });
  if (!up || !idp_.running()) throw std::runtime_error("the provider did not start: " + idp_log());
}

void Rig::start_share() {
  const json config{{"listen", share_socket()},
                    {"telemetry", world.folder() / "backend.db"},
                    {"partners", fleet() + "/share/partners.json"},
                    {"accesses", world.folder() / "accesses.db"},
                    {"log", world.folder() / "share.log"}};
  spill(world.folder() / "share.json", config.dump());
  share_ = cloud_test::Process({WAYSEAL_SHARE, "serve", "--config", world.folder() / "share.json"},
                               world.folder() / "share.out");
  const bool up = eventually([&] {
    return !share_.running() ||
           cloud_test::http_raw(share_socket(), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status == 204;
  });
  if (!up || !share_.running())
    throw std::runtime_error("wayseal-share did not start: " + slurp(world.folder() / "share.out"));
}

void Rig::start_gateway() {
  const std::string local = "127.0.0.1:";
  std::vector<std::string> command{"/usr/bin/env",
                                   "WAYSEAL_GATEWAY_BIND=" + local + std::to_string(vehicle_port_),
                                   "WAYSEAL_PARTNER_BIND=" + local + std::to_string(port_),
                                   "WAYSEAL_GATEWAY_PKI=" + pki(),
                                   "WAYSEAL_BACKEND_SOCKET=" + world.socket(),
                                   "WAYSEAL_IDP_SOCKET=" + fleet() + "/idp/idp.sock",
                                   "WAYSEAL_SHARE_SOCKET=" + share_socket(),
                                   "WAYSEAL_GATEWAY_ADMIN=" + (world.folder() / "admin.sock"),
                                   "WAYSEAL_PARTNER_REVOKED=" + (world.folder() / "revoked"),
                                   "WAYSEAL_RATE_PARTNER=1000"};
  command.insert(command.end(), variables_.begin(), variables_.end());
  command.insert(command.end(),
                 {WAYSEAL_HAPROXY, "-db", "-f", WAYSEAL_GATEWAY_CONFIG, "-f", WAYSEAL_PARTNERS_CONFIG});
  std::filesystem::remove(world.folder() / "gateway.log");  // its lines are counted from nought
  gateway_ = cloud_test::Process(command, world.folder() / "gateway.log");
  *answered_ = 0;
  if (!eventually([&] { return !gateway_.running() || cloud_test::connects(port_); }) || !gateway_.running())
    throw std::runtime_error("the gateway did not start: " + gateway_log());
}

void Rig::restart_gateway() {
  gateway_.stop(9);
  start_gateway();
}

Output Rig::oem(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {WAYSEAL_OEM, "partner"});
  arguments.insert(arguments.begin() + 3, {"--out", fleet()});
  return run(arguments);
}

Output Rig::share_log(std::vector<std::string> more) const {
  more.insert(more.begin(), {WAYSEAL_SHARE, "log", "--config", world.folder() / "share.json"});
  return run(more);
}

json Rig::accesses(std::vector<std::string> more) const {
  more.push_back("--json");
  return json::parse(share_log(std::move(more)).text);
}

Partner Rig::partner() {
  static int count = 0;
  Partner partner{"partner-" + std::to_string(++count), world.folder() / ("p" + std::to_string(count)), {}};
  std::filesystem::create_directories(partner.folder);
  must(oem({"add", "--name", partner.name}), "no partner");
  for (const int slot : {0, 1}) {
    const std::string which = slot == 0 ? "a" : "b";
    make_request(partner, which);
    const Output signed_certificate = oem({"certificate", "--name", partner.name, "--request",
                                           partner.file(which + ".csr"), "--to", partner.file(which + ".pem")});
    must(signed_certificate, "no certificate");
    const size_t at = signed_certificate.text.find("serial number ") + 14;
    partner.serial[slot] = signed_certificate.text.substr(at, signed_certificate.text.find(',', at) - at);
  }
  for (const char* const key : {"one", "two"}) make_jwk(partner, key);
  use_key(partner, "one");
  return partner;
}

void Rig::use_key(const Partner& partner, const std::string& key) const {
  must(oem({"key", "--name", partner.name, "--jwk", partner.file(key + ".pub.jwk")}), "no key");
}

std::string Rig::grant(const Partner& partner, const std::vector<std::string>& vehicles,
                       const std::vector<std::string>& signals, const std::string& not_before,
                       const std::string& expires) {
  std::vector<std::string> command{"grant",     "--name", partner.name,   "--purpose", "a test",
                                   "--expires", expires,  "--not-before", not_before};
  for (const std::string& vehicle : vehicles) command.insert(command.end(), {"--vehicle", vehicle});
  for (const std::string& signal : signals) command.insert(command.end(), {"--signal", signal});
  const Output granted = oem(command);
  must(granted, "no grant");
  const size_t at = granted.text.find("grant g-") + 6;
  return granted.text.substr(at, granted.text.find(' ', at) - at);
}

cloud_test::TestVehicle Rig::vehicle() {
  cloud_test::TestVehicle vehicle = world.vehicle();
  cloud_test::TestSession session = vehicle.open_session();
  using cloud_test::batch;
  using cloud_test::frame;
  const auto delivered =
      world.deliver(vehicle.id(), session.id, {session.open},
                    {session.seal(frame(1, batch(table_, kBaseUs, {4000, 4004, 3999}))),
                     session.seal(frame(1, batch(table_, kBaseUs + 1000000, {-20, -19, 77}, 0, 1))),
                     session.seal(frame(1, batch(table_, kBaseUs + 2000000, {1, 2, 3}, 1, 0)))});
  if (delivered.status != 200) throw std::runtime_error("nothing was delivered");
  return vehicle;
}

void Rig::deliver(cloud_test::TestVehicle& vehicle, int64_t base_us, const std::vector<int64_t>& values) {
  cloud_test::TestSession session = vehicle.open_session();
  const auto delivered =
      world.deliver(vehicle.id(), session.id, {session.open},
                    {session.seal(cloud_test::frame(1, cloud_test::batch(table_, base_us, values)))});
  if (delivered.status != 200) throw std::runtime_error("nothing was delivered");
}

json Rig::stored(const std::string& vehicle, const std::string& signal) const {
  return json::parse(run({WAYSEAL_BACKEND, "signals", "--config", world.config(), "--vehicle", vehicle,
                          "--signal", signal, "--format", "json"})
                         .text);
}

Connection Rig::connect(const Partner& partner, const std::string& certificate) const {
  return {port_, pki() + "/gateway-ca.pem", partner.file(certificate + ".pem"),
          partner.file(certificate + ".key"), answered_};
}

Reply Rig::request(const Partner& partner, const std::string& method, const std::string& target,
                   const std::string& headers, const std::string& body, const std::string& certificate) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return connect(partner, certificate).ask(text + "\r\n" + body);
}

Reply Rig::ask_token(const Partner& partner, const std::string& certificate, const std::string& scope) {
  return request(partner, "POST", "/oauth/token", "Content-Type: application/x-www-form-urlencoded\r\n",
                 "grant_type=client_credentials&client_id=" + partner.name + "&scope=" + scope, certificate);
}

std::string Rig::token(const Partner& partner, const std::string& certificate) {
  const Reply reply = ask_token(partner, certificate);
  if (reply.status != 200) throw std::runtime_error("no token: " + reply.head + reply.body);
  return json::parse(reply.body).at("access_token");
}

Reply Rig::get(const Partner& partner, const std::string& target, const std::string& certificate) {
  const Reply reply = request(partner, "GET", target,
                              "Authorization: Bearer " + token(partner, certificate) + "\r\n", "", certificate);
  return reply;
}

std::string Rig::outcome(const Reply& reply) {
  if (reply.status == 0) return "none";
  std::string line;
  size_t seen_lines = 0;
  const bool seen = eventually([&] {
    size_t count = 0;
    const std::string log = gateway_log();
    const std::string start = "{\"event\":\"request\",\"listener\":\"partners\"";
    for (size_t at = log.find(start); at != std::string::npos; at = log.find(start, at + 1)) {
      line = log.substr(at, log.find('\n', at) - at);
      ++count;
    }
    seen_lines = count;
    return count >= *answered_;
  });
  *answered_ = seen_lines;
  if (!seen) return "nothing in the log: " + std::to_string(reply.status);
  const json logged = json::parse(line, nullptr, false);
  if (logged.is_discarded() || logged.at("status") != reply.status) return "a log that does not fit: " + line;
  if (reply.status == 200) return "200";
  const json problem = json::parse(reply.body, nullptr, false);
  const bool whole = problem.is_object() && problem.size() == 3 && problem.contains("title") &&
                     problem.value("status", 0U) == reply.status &&
                     reply.head.find("content-type: application/problem+json") != std::string::npos;
  if (!whole) return "no problem document: " + std::to_string(reply.status) + " " + reply.body;
  const auto type = problem.value("type", std::string());
  const std::string why = logged.at("why");
  return type.substr(type.rfind(':') + 1) + (why == "-" || why.empty() ? "" : " " + why);
}

json Rig::open(const Partner& partner, const std::string& answer, const std::string& key) const {
  spill(partner.file("answer"), answer);
  const Output opened = run({idp_test::node(), WAYSEAL_JOSE_OPENER, WAYSEAL_LOCKED_PACKAGES,
                             partner.file(key + ".jwk"), partner.file("answer")});
  if (opened.code != 0) return {{"failed", opened.text}};
  return json::parse(opened.text);
}

Output Rig::open_by_cli(const Partner& partner, const std::string& answer, const std::string& key) const {
  spill(partner.file("answer"), answer);
  return run({WAYSEAL_JOSE, "jwe", "dec", "-i", partner.file("answer"), "-k", partner.file(key + ".jwk")});
}

Output Rig::revoke_at_gateway() const {
  for (const char* const file : {"/partner-crl.pem", "/partner-ca.pem"}) {
    spill(pki() + file, slurp(fleet() + "/gateway" + file));
  }
  return run({WAYSEAL_GATEWAY_REVOKE, pki(), world.folder() / "revoked", "--who", "partner", "--admin",
              world.folder() / "admin.sock"});
}

std::string Rig::forge(const json& header, const json& claims) const {
  return cloud_test::sign_es256(header, claims, test_key());
}

json Rig::good_claims(const Partner& partner) const {
  const int64_t now = std::time(nullptr);
  const auto certificate = wayseal::oem::read_certificate(partner.file("a.pem"));
  const std::vector<uint8_t> der = wayseal::oem::der_of(certificate.get());
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der.data(), der.size(), digest);
  return {
      {"iss", "https://idp.wayseal.example"},
      {"aud", "urn:wayseal:partner-api"},
      {"sub", partner.name},
      {"client_id", partner.name},
      {"scope", "share"},
      {"exp", now + 300},
      {"cnf", {{"x5t#S256", cloud_test::base64url({reinterpret_cast<const char*>(digest), sizeof digest})}}}};
}

std::string signals_of(const std::string& vehicle, const std::string& query) {
  return "/v1/share/vehicles/" + vehicle + "/signals" + query;
}

}  // namespace partners_test
