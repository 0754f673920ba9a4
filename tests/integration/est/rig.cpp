// SPDX-License-Identifier: Apache-2.0
#include "rig.hpp"

#include <openssl/sha.h>

#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "jwt.hpp"

namespace est_test {

using cloud_test::eventually;
using cloud_test::Gateway;
using cloud_test::Process;
using cloud_test::run;
using cloud_test::slurp;
using cloud_test::spill;

namespace {

const char* const kLogKey = "WAYSEAL_LOG_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

void must(const Output& output, const std::string& what) {
  if (output.code != 0) throw std::runtime_error(what + ": " + output.text);
}

std::string base64(const std::string& bytes) {
  const cloud_test::TemporaryFolder folder;
  spill(folder / "in", bytes);
  const Output output = run({WAYSEAL_OPENSSL, "base64", "-A", "-in", folder / "in"});
  must(output, "openssl base64");
  return output.text;
}

std::vector<std::string> blocks_of(const std::string& pem) {
  const std::string end = "-----END CERTIFICATE-----\n";
  std::vector<std::string> found;
  for (size_t at = 0; (at = pem.find("-----BEGIN CERTIFICATE-----", at)) != std::string::npos;) {
    const size_t stop = pem.find(end, at) + end.size();
    found.push_back(pem.substr(at, stop - at));
    at = stop;
  }
  return found;
}

std::string der_of_pem(const std::string& pem) {
  const cloud_test::TemporaryFolder folder;
  spill(folder / "in", pem);
  must(run({WAYSEAL_OPENSSL, "x509", "-in", folder / "in", "-outform", "DER", "-out", folder / "out"}),
       "openssl x509");
  return slurp(folder / "out");
}

}  // namespace

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string describe(const std::string& pem, const std::vector<std::string>& arguments) {
  const cloud_test::TemporaryFolder folder;
  spill(folder / "in", pem);
  std::vector<std::string> command{WAYSEAL_OPENSSL, "x509", "-in", folder / "in", "-noout"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command).text;
}

namespace {

/// The one common name of a certificate.
std::string name_in(const std::string& pem) {
  const std::string subject = describe(pem, {"-subject", "-nameopt", "RFC2253"});
  const size_t start = subject.find("CN=") + 3;
  return subject.substr(start, subject.find('\n') - start);
}

}  // namespace

Rig::Rig(Plan plan)
    : plan_(std::move(plan)),
      enrol_port_(cloud_test::free_port()),
      vehicle_port_(cloud_test::free_port()),
      token_key_(oem::generate_key()) {
  must(run({WAYSEAL_OEM, "provision", "--vehicles", "2", "--out", fleet()}), "provisioning");
  const json made = json::parse(slurp(fleet() + "/wayseal-fleet.json"));
  vehicles_ = made.at("vehicles").get<std::vector<std::string>>();
  spill(fleet() + "/gateway/jwt-a.pem", cloud_test::public_pem_of(token_key_.get()));
  json config = json::parse(slurp(fleet() + "/est/est.json"));
  config["log"] = file("est.log");
  config.update(plan_.est);
  spill(fleet() + "/est/est.json", config.dump());
  spill(file("revoked"), "");
  start_est();
  start_gateway();
}

void Rig::start_est() {
  std::vector<std::string> command{WAYSEAL_EST, "--config", fleet() + "/est/est.json"};
  if (plan_.killer) {
    command.insert(command.begin(),
                   {"/usr/bin/env", "LD_PRELOAD=" WAYSEAL_EST_KILLER, "WAYSEAL_KILL_WHILE=" + file("kill")});
  }
  est_ = Process(command, file("est.out"));
  const bool up = eventually([this] {
    return !est_.running() ||
           cloud_test::http_raw(fleet() + "/est/est.sock", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status ==
               204;
  });
  if (!up || !est_.running()) throw std::runtime_error("wayseal-est did not start: " + slurp(file("est.out")));
}

void Rig::kill_before_answer(bool yes) {
  if (yes) {
    spill(file("kill"), "");
  } else {
    std::filesystem::remove(file("kill"));
  }
}

std::vector<std::string> Rig::gateway_command(const std::vector<std::string>& files, bool check) const {
  std::vector<std::string> command{"/usr/bin/env",
                                   "WAYSEAL_GATEWAY_BIND=127.0.0.1:" + std::to_string(vehicle_port_),
                                   "WAYSEAL_GATEWAY_PKI=" + fleet() + "/gateway",
                                   "WAYSEAL_BACKEND_SOCKET=" + fleet() + "/backend/backend.sock",
                                   "WAYSEAL_IDP_SOCKET=" + fleet() + "/idp/idp.sock",
                                   "WAYSEAL_ENROL_BIND=127.0.0.1:" + std::to_string(enrol_port_),
                                   "WAYSEAL_EST_SOCKET=" + fleet() + "/est/est.sock",
                                   "WAYSEAL_GATEWAY_REVOKED=" + file("revoked"),
                                   kLogKey,
                                   "WAYSEAL_PARTNER_BIND=127.0.0.1:1",
                                   "WAYSEAL_SHARE_SOCKET=/nowhere"};
  command.insert(command.end(), plan_.gateway.begin(), plan_.gateway.end());
  command.insert(command.end(), {WAYSEAL_HAPROXY, check ? "-c" : "-db"});
  for (const std::string& name : files) command.insert(command.end(), {"-f", name});
  return command;
}

void Rig::start_gateway() {
  gateway_ =
      Process(gateway_command({WAYSEAL_GATEWAY_CONFIG, WAYSEAL_GATEWAY_ENROLMENT}, false), file("gateway.log"));
  const bool up = eventually([this] {
    return !gateway_.running() || (cloud_test::connects(enrol_port_) && cloud_test::connects(vehicle_port_));
  });
  if (!up || !gateway_.running()) throw std::runtime_error("the gateway did not start: " + gateway_log());
}

void Rig::restart_gateway() {
  gateway_.stop(9);
  start_gateway();
}

void Rig::start_backend() {
  const std::string config = fleet() + "/backend/backend.json";
  backend_ = Process({WAYSEAL_BACKEND, "serve", "--config", config}, file("backend.log"));
  const bool up = eventually([this] {
    return !backend_.running() ||
           cloud_test::http_raw(fleet() + "/backend/backend.sock", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                   .status == 204;
  });
  if (!up || !backend_.running())
    throw std::runtime_error("the backend did not start: " + slurp(file("backend.log")));
}

void Rig::restart_backend() {
  backend_.stop(15);
  start_backend();
}

Output Rig::oem(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"/usr/bin/env", kLogKey, WAYSEAL_OEM});
  arguments.insert(arguments.end(), {"--out", fleet()});
  return run(arguments);
}

void Rig::bootstrap_client(const std::string& name, const std::string& vehicle) {
  const oem::Key key = oem::generate_key();
  oem::OemPki ca = pki();
  const auto issued = ca.issue_bootstrap(vehicle, key.get(), 30);
  spill(file(name), oem::pem_of(issued.leaf.get()) + oem::pem_of(key.get()));
}

void Rig::tls_client(const std::string& name, const std::string& vehicle) {
  const oem::Key key = oem::generate_key();
  oem::OemPki ca = pki();
  const auto issued = ca.issue_tls_client(vehicle, key.get(), 30);
  spill(file(name),
        oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get()) + oem::pem_of(key.get()));
}

void Rig::client_of_answer(const std::string& name, const std::string& key) {
  std::string all;
  for (const std::string& certificate : certificates()) all += certificate;
  spill(file(name), all + slurp(file(key + ".key")));
}

void Rig::make_key(const std::string& name, std::vector<std::string> kind) {
  if (kind.empty()) kind = {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"};
  std::vector<std::string> command{WAYSEAL_OPENSSL, "genpkey", "-out", file(name + ".key")};
  command.insert(command.end(), kind.begin(), kind.end());
  must(run(command), "openssl genpkey");
}

std::string Rig::request(const std::string& key, const std::string& subject, std::vector<std::string> more) {
  std::vector<std::string> command{WAYSEAL_OPENSSL, "req",   "-new",     "-utf8", "-key", file(key + ".key"),
                                   "-subj",         subject, "-outform", "DER",   "-out", file("csr.der")};
  command.insert(command.end(), more.begin(), more.end());
  must(run(command), "openssl req");
  return slurp(file("csr.der"));
}

std::string Rig::csr(const std::string& key, const std::string& vehicle, std::vector<std::string> more) {
  return base64(request(key, "/CN=" + vehicle, std::move(more)));
}

Gateway::Answer Rig::ask(const std::string& client, const std::string& target, std::vector<std::string> more) {
  std::vector<std::string> command{WAYSEAL_CURL,
                                   "-s",
                                   "-o",
                                   file("body"),
                                   "-D",
                                   file("head"),
                                   "-w",
                                   "%{http_code}",
                                   "--max-time",
                                   "20",
                                   "--path-as-is",
                                   "--cacert",
                                   fleet() + "/gateway/gateway-ca.pem",
                                   "-H",
                                   "Expect:"};
  if (!client.empty()) command.insert(command.end(), {"--cert", file(client)});
  command.insert(command.end(), more.begin(), more.end());
  command.push_back("https://localhost:" + std::to_string(enrol_port_) + target);
  const Output output = run(command);
  return {output.code, output.text};
}

Gateway::Answer Rig::get(const std::string& client, const std::string& target, std::vector<std::string> more) {
  return ask(client, kEst + target, std::move(more));
}

Gateway::Answer Rig::post(const std::string& client, const std::string& target, const std::string& body,
                          std::vector<std::string> more) {
  spill(file("request"), body);
  more.insert(more.end(), {"-H", "Content-Type: application/pkcs10", "--data-binary", "@" + file("request")});
  return ask(client, kEst + target, std::move(more));
}

std::string Rig::enrol(const std::string& client, const std::string& target, const std::string& body,
                       std::vector<std::string> more) {
  return outcome(post(client, target, body, std::move(more)));
}

std::string Rig::outcome(const Gateway::Answer& answer) {
  const std::vector<json> lines = log();
  const bool reached = lines.size() > log_seen_;
  const std::string why = reached ? lines.back().value("why", "-") : "";
  log_seen_ = lines.size();
  if (answer.status == "200") return "200";
  if (answer.curl != 0 && answer.status == "000") return "no answer";
  const json problem = json::parse(body(), nullptr, false);
  const bool whole = problem.is_object() && problem.size() == 3 && problem.contains("title") &&
                     problem.value("status", 0) == std::stoi(answer.status) &&
                     holds(head(), "content-type: application/problem+json");
  if (!whole) return "no problem document: " + answer.status;
  const std::string type = problem.value("type", "");
  return answer.status + " " + type.substr(type.rfind(':') + 1) + " " + (reached ? why : why_in_gateway());
}

std::string Rig::why_in_gateway() {
  ++gateway_seen_;
  std::string why;
  const bool seen = eventually([&] {
    size_t count = 0;
    const std::string text = gateway_log();
    for (size_t at = text.find("\"why\":\""); at != std::string::npos; at = text.find("\"why\":\"", at + 1)) {
      const std::string found = text.substr(at + 7, text.find('"', at + 7) - at - 7);
      if (found.empty() || found == "-") continue;
      why = found;
      ++count;
    }
    return count >= gateway_seen_;
  });
  return seen ? why : "nothing in the log";
}

std::vector<std::string> Rig::certificates() const {
  must(run({WAYSEAL_OPENSSL, "base64", "-d", "-in", file("body"), "-out", file("p7.der")}), "openssl base64");
  const Output printed =
      run({WAYSEAL_OPENSSL, "pkcs7", "-inform", "DER", "-in", file("p7.der"), "-print_certs"});
  must(printed, "openssl pkcs7");
  return blocks_of(printed.text);
}

std::string Rig::leaf() const { return certificates().at(0); }

std::string Rig::at_the_vehicles_gateway(const std::string& client, const std::string& target,
                                         const std::string& body) {
  const std::string der = der_of_pem(blocks_of(slurp(file(client))).at(0));
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest);
  const std::string id = name_in(blocks_of(slurp(file(client))).at(0));
  const int64_t now = std::time(nullptr);
  const json claims{
      {"iss", "https://idp.wayseal.example"},
      {"aud", "urn:wayseal:vehicle-api"},
      {"sub", id},
      {"client_id", id},
      {"scope", "prekeys records"},
      {"iat", now},
      {"exp", now + 300},
      {"jti", "1"},
      {"cnf", {{"x5t#S256", cloud_test::base64url({reinterpret_cast<char*>(digest), sizeof digest})}}}};
  const std::string token =
      cloud_test::sign_es256({{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", "a-1"}}, claims, token_key_.get());
  spill(file("upload"), body);
  const Output output = run({WAYSEAL_CURL,
                             "-s",
                             "-o",
                             file("reply"),
                             "-w",
                             "%{http_code}",
                             "--max-time",
                             "20",
                             "--cacert",
                             fleet() + "/gateway/gateway-ca.pem",
                             "--cert",
                             file(client),
                             "-H",
                             "Expect:",
                             "-H",
                             "Authorization: Bearer " + token,
                             "-H",
                             "Content-Type: application/x-protobuf",
                             "--data-binary",
                             "@" + file("upload"),
                             "https://localhost:" + std::to_string(vehicle_port_) + target});
  return output.text;
}

cloud_test::Signer Rig::signer_of(const std::string& client) const {
  cloud_test::Signer signer;
  signer.key = oem::read_key(file(client));
  const auto chain = blocks_of(slurp(file(client)));
  signer.leaf = der_of_pem(chain.at(0));
  signer.intermediate = der_of_pem(chain.at(1));
  return signer;
}

std::string Rig::deliver(const std::string& tls_client, const cloud_test::Signer& e2e) {
  namespace v1 = cloud_test::v1;
  const std::string id = name_in(blocks_of(slurp(file(tls_client))).at(0));
  cloud_test::Signer own;
  own.key.reset(e2e.key.get());
  EVP_PKEY_up_ref(e2e.key.get());
  own.leaf = e2e.leaf;
  own.intermediate = e2e.intermediate;
  cloud_test::TestVehicle vehicle(id, std::move(own));
  std::string status = at_the_vehicles_gateway(tls_client, "/v1/prekeys", vehicle.prekeys_request(2));
  if (status != "200") return "prekeys " + status;
  vehicle.take(slurp(file("reply")));
  cloud_test::TestSession session = vehicle.open_session();
  v1::Upload upload;
  upload.set_ack_session(session.id);
  upload.add_items()->set_session_open(session.open);
  upload.add_items()->set_sealed(session.seal(cloud_test::frame(1, cloud_test::batch(1, 1000000, {1, 2, 3}))));
  status = at_the_vehicles_gateway(tls_client, "/v1/records", upload.SerializeAsString());
  if (status != "200") return "records " + status;
  v1::UploadReply reply;
  if (!reply.ParseFromString(slurp(file("reply")))) return "no reply";
  if (reply.acks_size() != 1) return "no ack";
  const auto ack = session.open_ack(reply.acks(0));
  for (int i = 0; ack && i < ack->sessions_size(); ++i) {
    if (ack->sessions(i).session_id() == session.id && ack->sessions(i).contiguous() == 1) return "stored";
  }
  return "not acknowledged";
}

std::vector<json> Rig::log() const {
  std::vector<json> lines;
  const std::string text = log_text();
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const json line = json::parse(text.substr(at, end - at));
    if (line.at("event") != "start" && line.at("event") != "stop") lines.push_back(line);
  }
  return lines;
}

}  // namespace est_test
