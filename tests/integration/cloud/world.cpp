// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace cloud_test {
namespace {

int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

size_t content_length(const std::string& head) {
  const size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

HttpReply http_raw(const std::string& socket, const std::string& request) {
  HttpReply reply;
  const int fd = connect_to(socket);
  if (fd < 0) return reply;
  size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<size_t>(n);
  }
  std::string all;
  char buffer[16384];
  size_t head_end = std::string::npos;
  while (head_end == std::string::npos || all.size() < head_end + 4 + content_length(all.substr(0, head_end))) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    all.append(buffer, static_cast<size_t>(n));
    head_end = all.find("\r\n\r\n");
  }
  ::close(fd);
  if (head_end == std::string::npos || all.size() < 12) return reply;
  reply.head = all.substr(0, head_end);
  reply.body = all.substr(head_end + 4);
  reply.status = static_cast<unsigned>(std::stoul(all.substr(9, 3)));
  return reply;
}

HttpReply http_post(const std::string& socket, const std::string& target, const std::string& vehicle,
                    const std::string& body) {
  return http_raw(socket, "POST " + target + " HTTP/1.1\r\nHost: backend\r\nx-vehicle-id: " + vehicle +
                              "\r\nContent-Type: application/x-protobuf\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
}

Fleet& Fleet::get() {
  static Fleet fleet;
  return fleet;
}

Fleet::Fleet() {
  const Output made = run({WAYSEAL_OEM, "provision", "--out", folder()});
  if (made.code != 0) throw std::runtime_error("provisioning failed: " + made.text);
  pki_ = std::make_unique<wayseal::oem::OemPki>(folder() + "/ca");
}

TestVehicle Fleet::make_vehicle() {
  static int count = 0;
  const std::string id = "v-test-" + std::to_string(++count);
  return {id, make_signer(pki(), wayseal::Role::kVehicle, id)};
}

void Fleet::write_crls() {
  wayseal::oem::write_file(folder() + "/backend/crl.pem", pki().data_crls(30), wayseal::oem::kPublic);
}

World::World(const nlohmann::json& policy) {
  auto config = nlohmann::json::parse(slurp(Fleet::get().folder() + "/backend/backend.json"));
  for (const char* const key : {"pin_file", "softhsm2_conf"}) {
    config[key] = Fleet::get().folder() + "/backend/" + config[key].get<std::string>();
  }
  config["crls"] = {Fleet::get().folder() + "/backend/crl.pem"};
  config["log"] = "log";
  if (!policy.empty()) config["policy"] = policy;
  spill(this->config(), config.dump());
  start();
}

void World::start() {
  backend_ = Process({WAYSEAL_BACKEND, "serve", "--config", config()}, folder_ / "output");
  const bool up = eventually([this] {
    return !backend_.running() || http_raw(socket(), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status == 204;
  });
  if (!up || !backend_.running()) throw std::runtime_error("the backend did not start: " + output());
}

TestVehicle World::vehicle(uint32_t wanted) {
  TestVehicle vehicle = Fleet::get().make_vehicle();
  fetch(vehicle, wanted);
  return vehicle;
}

void World::fetch(TestVehicle& vehicle, uint32_t wanted) {
  const HttpReply reply = post("/v1/prekeys", vehicle.id(), vehicle.prekeys_request(wanted));
  if (reply.status != 200) throw std::runtime_error("prekeys: " + std::to_string(reply.status));
  vehicle.take(reply.body);
}

Delivered World::deliver(const std::string& vehicle, const Blob& ack_session, const std::vector<Blob>& opens,
                         const std::vector<Blob>& records) {
  v1::Upload upload;
  upload.set_ack_session(ack_session);
  for (const Blob& open : opens) upload.add_items()->set_session_open(open);
  for (const Blob& record : records) upload.add_items()->set_sealed(record);
  const HttpReply reply = post("/v1/records", vehicle, upload.SerializeAsString());
  Delivered delivered;
  delivered.status = reply.status;
  if (!delivered.reply.ParseFromString(reply.body)) throw std::runtime_error("the answer is no UploadReply");
  return delivered;
}

nlohmann::json World::stats() const {
  const Output output = run({WAYSEAL_BACKEND, "stats", "--config", config(), "--json"});
  return nlohmann::json::parse(output.text);
}

std::optional<v1::SessionAck> acked(const Delivered& delivered, const TestSession& ack_session,
                                    const TestSession& session) {
  for (const Blob& sealed : delivered.reply.acks()) {
    const auto ack = ack_session.open_ack(sealed);
    if (!ack) return std::nullopt;
    for (const auto& entry : ack->sessions()) {
      if (entry.session_id() == session.id) return entry;
    }
  }
  return std::nullopt;
}

std::optional<v1::SessionAck> acked(const Delivered& delivered, const TestSession& session) {
  return acked(delivered, session, session);
}

std::optional<v1::SessionRefused::Reason> refused(const Delivered& delivered, const TestVehicle& vehicle,
                                                  const TestSession& session) {
  if (delivered.reply.refusals_size() != 1) return std::nullopt;
  v1::SignedRefusal signed_refusal;
  v1::SessionRefused body;
  if (!signed_refusal.ParseFromString(delivered.reply.refusals(0).refusal())) return std::nullopt;
  const auto authority = wayseal::oem::der_of(Fleet::get().pki().certificate("prekey").get());
  const bool by_prekey_role =
      signed_refusal.chain_size() == 2 && signed_refusal.chain(1) == Blob(authority.begin(), authority.end());
  if (!by_prekey_role || !verifies_signed(signed_refusal, "wayseal/1 refuse")) return std::nullopt;
  if (!body.ParseFromString(signed_refusal.body())) return std::nullopt;
  if (body.vehicle_id() != vehicle.id() || body.th() != session.th) return std::nullopt;
  return body.reason();
}

}  // namespace cloud_test
