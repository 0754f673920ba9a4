// SPDX-License-Identifier: Apache-2.0
#include "chain.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "provision/idp.hpp"

namespace attack {
namespace {

using cloud_test::eventually;
using cloud_test::Fleet;
using cloud_test::slurp;
using cloud_test::spill;

constexpr char kProblem[] = "urn:wayseal:problem:";

/// Rows that hold what vehicles have given and were given. Not: `alarms`, `counters` and `refusals`, which grow with refusals, and
/// sessions.acks_sealed, which grows with each answer.
constexpr char kRows[] =
    "SELECT * FROM vehicles; SELECT * FROM prekeys ORDER BY 1; SELECT * FROM bundles ORDER BY 1; "
    "SELECT * FROM bundle_prekeys ORDER BY 1, 2; SELECT id, vehicle, session_id, th, suite, prekey, ephemeral, "
    "counter, "
    "previous_session, previous_last_durable, opened_ms, state, contiguous, last_durable FROM sessions ORDER "
    "BY 1; "
    "SELECT * FROM records ORDER BY 1; SELECT * FROM losses ORDER BY 1, 2, 3, 4, 6; "
    "SELECT * FROM nameless_losses ORDER BY 1, 2; SELECT * FROM starts ORDER BY 1, 2; "
    "SELECT * FROM buses ORDER BY 1, 2, 3; SELECT * FROM tables ORDER BY 1;";

constexpr char kEvidence[] =
    "SELECT kind || '=' || SUM(count) FROM alarms GROUP BY kind; "
    "SELECT name || '=' || value FROM counters WHERE name IN ('not_authentic', 'not_opened', 'malformed', "
    "'unknown_session', 'opens_malformed', 'uploads_malformed', 'refusals', 'undecodable', 'duplicates', "
    "'unknown_type');";

bool same_name(const std::string& field, const std::string& name) {
  return field.size() > name.size() && field[name.size()] == ':' &&
         std::equal(name.begin(), name.end(), field.begin(),
                    [](char a, char b) { return std::tolower(a) == std::tolower(b); });
}

}  // namespace

std::string Request::bytes() const {
  std::string all = line + "\r\n";
  for (const std::string& field : fields) all += field + "\r\n";
  return all + "\r\n" + body;
}

Request& Request::remove(const std::string& name) {
  fields.erase(std::remove_if(fields.begin(), fields.end(),
                              [&](const std::string& field) { return same_name(field, name); }),
               fields.end());
  return *this;
}

Request& Request::set(const std::string& name, const std::string& value) {
  remove(name);
  return add(name + ": " + value);
}

Request& Request::add(const std::string& field) {
  fields.push_back(field);
  return *this;
}

std::vector<std::string> Chain::with_paths(std::vector<std::string> variables) {
  spill(revoked_list(), "");
  variables.insert(variables.end(),
                   {"WAYSEAL_IDP_SOCKET=" + Fleet::get().folder() + "/idp/idp.sock",
                    "WAYSEAL_GATEWAY_REVOKED=" + revoked_list(), "WAYSEAL_GATEWAY_ADMIN=" + admin_socket()});
  return variables;
}

Chain::Chain(const json& policy, std::vector<std::string> variables)
    : world(policy), gateway(world, with_paths(std::move(variables))) {
  start_provider();
  // Slot a is the provider's; the key of slot b is this program's, which signs as a provider gone wrong would.
  spill(gateway.pki() + "/jwt-a.pem", slurp(Fleet::get().folder() + "/gateway/jwt-a.pem"));
  restart_gateway();
}

void Chain::restart_gateway() {
  spill(gateway.log_path(),
        "");  // HAProxy takes O_APPEND off what it writes to, and would write over the old lines
  gateway.restart();
}

void Chain::start_provider() {
  const std::string config = Fleet::get().folder() + "/idp/idp.json";
  has_provider_ =
      cloud_test::run({WAYSEAL_NODE_PROGRAM, WAYSEAL_IDP_SERVER, "--check", "--config", config}).code == 0;
  if (!has_provider_) return;
  provider_ =
      cloud_test::Process({WAYSEAL_NODE_PROGRAM, WAYSEAL_IDP_SERVER, "--config", config}, lists_ / "provider");
  const std::string socket = Fleet::get().folder() + "/idp/idp.sock";
  const bool up = eventually(
      [&] {
        return !provider_.running() ||
               cloud_test::http_raw(socket, "GET /jwks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                       .status == 200;
      },
      60);
  if (!up || !provider_.running())
    throw std::runtime_error("the provider did not start: " + slurp(lists_ / "provider"));
}

Member Chain::member(uint32_t prekeys) {
  TestVehicle vehicle = Fleet::get().make_vehicle();
  oem::add_idp_client(Fleet::get().folder(), vehicle.id());
  const std::string file = "client-" + vehicle.id();
  std::string thumbprint = gateway.client(file, vehicle.id());
  world.fetch(vehicle, prekeys);
  TestSession session = vehicle.open_session();
  const auto delivered = world.deliver(vehicle.id(), session.id, {session.open},
                                       {session.seal(cloud_test::frame(1, cloud_test::batch(1, 1, {1})))});
  if (!acked(delivered, session)) throw std::runtime_error("the member's session did not open");
  return {std::move(vehicle), file, std::move(thumbprint), std::move(session), gateway.serial()};
}

json Chain::claims(const Member& of) const {
  const int64_t now = std::time(nullptr);
  return {{"iss", "https://idp.wayseal.example"},
          {"aud", "urn:wayseal:vehicle-api"},
          {"sub", of.id()},
          {"client_id", of.id()},
          {"scope", "prekeys records"},
          {"iat", now},
          {"exp", now + 300},
          {"jti", "1"},
          {"cnf", {{"x5t#S256", of.thumbprint}}}};
}

std::string Chain::next_upload(Member& of) const {
  v1::Upload upload;
  upload.set_ack_session(of.session.id);
  upload.add_items()->set_sealed(of.session.seal(cloud_test::frame(1, cloud_test::batch(1, 1, {1, 2, 3}))));
  return upload.SerializeAsString();
}

Request Chain::request(const Member& of, const std::string& body, const std::string& path) const {
  return {of.client,
          "POST " + path + " HTTP/1.1",
          {"Host: localhost", "Content-Type: application/x-protobuf",
           "Content-Length: " + std::to_string(body.size()), "Authorization: Bearer " + token(of),
           "Connection: close"},
          body};
}

std::string Chain::send(const Request& request) { return send_bytes(request, request.bytes()); }

std::string Chain::send_bytes(const Request& request, const std::string& bytes) {
  const size_t mark = log_mark();
  last_answer_.clear();
  try {
    cloud_test::OpenConnection connection(gateway, request.client, request.tls);
    connection.send(bytes);
    last_answer_ = connection.read_to_the_end();
  } catch (const std::runtime_error&) {
    last_answer_.clear();
  }
  return describe(last_answer_, mark);
}

std::string Chain::last_body() const {
  const size_t end = last_answer_.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : last_answer_.substr(end + 4);
}

std::string Chain::describe(const std::string& answer, size_t mark) {
  json line;
  const bool logged = eventually(
      [&] {
        const std::string log = gateway.log();
        const size_t begin = log.find("{\"event\"", mark);
        const size_t end = begin == std::string::npos ? begin : log.find('\n', begin);
        if (end == std::string::npos) return false;
        line = json::parse(log.substr(begin, end - begin), nullptr, false);
        return true;
      },
      5);
  if (!logged || !line.is_object()) return answer.empty() ? "closed, nothing in the log" : "nothing in the log";
  const auto event = line.value("event", std::string());
  if (answer.empty()) {
    const int verify = line.value("verify", 0) != 0 ? line.value("verify", 0) : line.value("verify_ca", 0);
    return "closed " + event + (verify == 0 ? "" : " verify=" + std::to_string(verify));
  }
  const std::string status = answer.substr(9, 3);
  if (status == "200") return status;
  const auto problem = json::parse(last_body(), nullptr, false);
  if (!problem.is_object()) return status + " " + event;
  const auto type = problem.value("type", std::string());
  const bool whole =
      problem.size() == 3 && problem.value("status", 0) == std::stoi(status) && type.rfind(kProblem, 0) == 0;
  if (!whole) return status + " " + problem.value("error", "not a problem document");
  const auto why = line.value("why", std::string("-"));
  return status + " " + type.substr(sizeof kProblem - 1) + (why == "-" || why.empty() ? "" : " " + why);
}

std::string Chain::deliver_sealed(Member& as, const Blob& sealed) {
  v1::Upload all;
  all.set_ack_session(as.session.id);
  all.add_items()->set_sealed(sealed);
  return upload(as, all);
}

std::string Chain::deliver_open(Member& as, const Blob& open) {
  v1::Upload all;
  all.set_ack_session(as.session.id);
  all.add_items()->set_session_open(open);
  return upload(as, all);
}

State Chain::evidence_and(const std::string& text) const {
  State state;
  state.digest = cloud_test::sha256(text);
  const auto output = cloud_test::run({WAYSEAL_SQLITE, world.folder() / "backend.db", kEvidence});
  if (output.code != 0) throw std::runtime_error("sqlite3: " + output.text);
  size_t at = 0;
  for (size_t end = 0; (end = output.text.find('\n', at)) != std::string::npos; at = end + 1) {
    const size_t equals = output.text.find('=', at);
    state.evidence[output.text.substr(at, equals - at)] =
        std::stoll(output.text.substr(equals + 1, end - equals - 1));
  }
  return state;
}

State Chain::state_of(const std::string& sql) const {
  const auto output = cloud_test::run({WAYSEAL_SQLITE, "-quote", world.folder() / "backend.db", sql});
  if (output.code != 0) throw std::runtime_error("sqlite3: " + output.text);
  return evidence_and(output.text);
}

State Chain::state() const {
  const auto output = cloud_test::run({WAYSEAL_SQLITE, "-quote", world.folder() / "backend.db", kRows});
  if (output.code != 0) throw std::runtime_error("sqlite3: " + output.text);
  std::string files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Fleet::get().folder() + "/idp")) {
    if (entry.is_regular_file() && entry.path().filename() != "log")
      files += entry.path().string() + slurp(entry.path());
  }
  return evidence_and(output.text + files);
}

}  // namespace attack
