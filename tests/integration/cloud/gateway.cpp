// SPDX-License-Identifier: Apache-2.0
#include "gateway.hpp"

#include <openssl/sha.h>

#include <filesystem>

#include "jwt.hpp"

namespace cloud_test {

Gateway::Gateway(const World& world, std::vector<std::string> variables)
    : world_(world), port_(free_port()), variables_(std::move(variables)) {
  pki_ = folder_ / "pki";
  std::filesystem::copy(Fleet::get().folder() + "/gateway", pki_);
  write_crl();
  for (const char slot : {'a', 'b'}) {
    spill(pki_ + "/jwt-" + slot + ".pem", public_pem_of(token_key(slot)));
  }
  for (std::string& variable : variables_) {
    const size_t at = variable.find("@/");
    if (at != std::string::npos) variable.replace(at, 1, folder_.path());
  }
  start();
}

void Gateway::start() {
  std::vector<std::string> command{"/usr/bin/env", "WAYSEAL_GATEWAY_BIND=127.0.0.1:" + std::to_string(port_),
                                   "WAYSEAL_GATEWAY_PKI=" + pki_, "WAYSEAL_BACKEND_SOCKET=" + world_.socket()};
  command.insert(command.end(), variables_.begin(), variables_.end());
  command.insert(command.end(), {WAYSEAL_HAPROXY, "-db", "-f", WAYSEAL_GATEWAY_CONFIG});
  haproxy_ = Process(command, log_path());
  if (!eventually([this] { return !haproxy_.running() || connects(port_); }) || !haproxy_.running()) {
    throw std::runtime_error("the gateway did not start: " + slurp(log_path()));
  }
}

std::string Gateway::client(const std::string& name, const std::string& common_name) {
  const auto key = oem::generate_key();
  const auto issued = Fleet::get().pki().issue_tls_client(common_name, key.get(), 30);
  spill(folder_ / name,
        oem::pem_of(issued.leaf.get()) + oem::pem_of(issued.intermediate.get()) + oem::pem_of(key.get()));
  serial_ = oem::serial_of(issued.leaf.get());
  const std::vector<uint8_t> der = oem::der_of(issued.leaf.get());
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der.data(), der.size(), digest);
  return base64url({reinterpret_cast<const char*>(digest), sizeof digest});
}

Gateway::Answer Gateway::request(const std::string& name, const std::string& target,
                                 std::vector<std::string> more) {
  std::vector<std::string> command{
      WAYSEAL_CURL, "-s", "-o",       folder_ / "body",         "-w", "%{http_code}",
      "--max-time", "20", "--cacert", pki_ + "/gateway-ca.pem", "-H", "Expect:"};
  if (!name.empty()) command.insert(command.end(), {"--cert", folder_ / name});
  command.insert(command.end(), more.begin(), more.end());
  command.push_back("https://localhost:" + std::to_string(port_) + target);
  const Output output = run(command);
  return {output.code, output.text};
}

Gateway::Answer Gateway::post(const std::string& name, const std::string& target, const std::string& body,
                              std::vector<std::string> more) {
  spill(folder_ / "request", body);
  more.insert(more.end(),
              {"-H", "Content-Type: application/x-protobuf", "--data-binary", "@" + (folder_ / "request")});
  return request(name, target, std::move(more));
}

bool accepted(const Gateway::Answer& answer) { return answer.curl == 0 && answer.status == "200"; }
bool refused_by_tls(const Gateway::Answer& answer) { return answer.curl != 0 && answer.status == "000"; }

std::string OutcomeReader::outcome(const Gateway::Answer& answer) {
  if (accepted(answer)) return "200";
  if (answer.status == "000") return "no answer";
  const auto problem = nlohmann::json::parse(gateway_.body(), nullptr, false);
  const bool whole = problem.is_object() && problem.size() == 3 && problem.contains("title") &&
                     problem.value("status", 0) == std::stoi(answer.status);
  if (!whole) return "no problem document: " + answer.status;
  const auto type = problem.value("type", std::string());
  return type.substr(type.rfind(':') + 1) + " " + last_why();
}

// Waits for the request's line: it is written when the answer has been sent.
std::string OutcomeReader::last_why() {
  ++refused_;
  std::string why;
  const bool seen = eventually([&] {
    size_t count = 0;
    const std::string log = gateway_.log();
    for (size_t at = log.find("\"why\":\""); at != std::string::npos; at = log.find("\"why\":\"", at + 1)) {
      const size_t from = at + 7;
      const std::string found = log.substr(from, log.find('"', from) - from);
      if (found.empty() || found == "-") continue;
      why = found;
      ++count;
    }
    return count >= refused_;
  });
  return seen ? why : "nothing in the log";
}

}  // namespace cloud_test
