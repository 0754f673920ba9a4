// SPDX-License-Identifier: Apache-2.0
#include "way.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace agent_test {
namespace {

namespace fs = std::filesystem;

void require_run(const std::vector<std::string>& command) {
  const Output output = cloud_test::run(command);
  if (output.code != 0) throw std::runtime_error(command[0] + ": " + output.text);
}

}  // namespace

Way::Way(const std::string& dbc, int vehicles) : port_(cloud_test::free_port()) {
  require_run({WAYSEAL_OEM, "provision", "--out", path("fleet"), "--vehicles", std::to_string(vehicles)});
  const auto fleet = nlohmann::json::parse(slurp(path("fleet/wayseal-fleet.json")));
  vehicle_ = fleet.at("vehicles").at(0);
  vehicle_token_ = {fleet.at("module"), "", "vehicle", vehicle_folder() + "/pin"};
  spill(path("signals.dbc"), dbc);
  require_run({WAYSEAL_OEM, "dbc", path("signals.dbc"), "-o", path("signals.table")});
  require_run(
      {WAYSEAL_BACKEND, "table", "add", path("signals.table"), "--config", path("fleet/backend/backend.json")});
}

void Way::use_nss_vehicle() {
  vehicle_token_ = make_nss_vehicle(path("vehicle-nss"), path("fleet/ca"), vehicle_);
}

void Way::use_nss_backend() {
  const TokenPlace token = make_nss_backend(path("backend-nss"), path("fleet/ca"));
  nlohmann::json config = backend_config();
  config["module"] = token.module;
  config["module_args"] = token.module_args;
  config["pin_file"] = token.pin_file;
  set_backend_config(config);
}

void Way::set_backend_policy(const std::string& key, const nlohmann::json& value) {
  nlohmann::json config = backend_config();
  config["policy"][key] = value;
  set_backend_config(config);
}

nlohmann::json Way::backend_config() const {
  return nlohmann::json::parse(slurp(path("fleet/backend/backend.json")));
}

void Way::set_backend_config(const nlohmann::json& config) const {
  spill(path("fleet/backend/backend.json"), config.dump(2));
}

std::string Way::vehicle_folder() const { return path("fleet/vehicles/" + vehicle_); }

void Way::start_backend() {
  backend_ =
      Process({WAYSEAL_BACKEND, "serve", "--config", path("fleet/backend/backend.json")}, path("backend.out"));
  const bool up = eventually(
      [this] { return !backend_.running() || slurp(path("backend.out")).find("ready") != std::string::npos; });
  if (!up || !backend_.running()) throw std::runtime_error("backend: " + slurp(path("backend.out")));
}

void Way::start_provider() {
  wants_tokens_ = true;
  provider_ = Process({WAYSEAL_NODE_PROGRAM, WAYSEAL_IDP_SERVER, "--config", path("fleet/idp/idp.json")},
                      path("provider.out"));
  const bool up = eventually([this] { return !provider_.running() || fs::exists(path("fleet/idp/idp.sock")); });
  if (!up || !provider_.running()) throw std::runtime_error("provider: " + slurp(path("provider.out")));
}

void Way::start_est() {
  if (enrol_port_ == 0) enrol_port_ = cloud_test::free_port();
  est_ = Process({WAYSEAL_EST, "--config", path("fleet/est/est.json")}, path("est.out"));
  const bool up = eventually([this] { return !est_.running() || fs::exists(path("fleet/est/est.sock")); });
  if (!up || !est_.running()) throw std::runtime_error("wayseal-est: " + slurp(path("est.out")));
}

void Way::start_gateway(const std::string& backend_socket) {
  std::vector<std::string> command{
      "/usr/bin/env", "WAYSEAL_GATEWAY_BIND=127.0.0.1:" + std::to_string(port_),
      "WAYSEAL_GATEWAY_PKI=" + path("fleet/gateway"),
      "WAYSEAL_BACKEND_SOCKET=" + (backend_socket.empty() ? this->backend_socket() : backend_socket)};
  if (wants_tokens_) command.push_back("WAYSEAL_IDP_SOCKET=" + path("fleet/idp/idp.sock"));
  command.insert(command.end(), gateway_environment_.begin(), gateway_environment_.end());
  if (enrol_port_ != 0) {
    command.push_back("WAYSEAL_ENROL_BIND=127.0.0.1:" + std::to_string(enrol_port_));
    command.push_back("WAYSEAL_EST_SOCKET=" + path("fleet/est/est.sock"));
  }
  command.insert(command.end(), {WAYSEAL_HAPROXY, "-W", "-db", "-f", WAYSEAL_GATEWAY_CONFIG});
  if (enrol_port_ != 0) command.insert(command.end(), {"-f", WAYSEAL_ENROLMENT_CONFIG});
  gateway_ = Process(command, path("gateway.out"));
  const bool up = eventually([this] { return !gateway_.running() || cloud_test::connects(port_); });
  if (!up || !gateway_.running()) throw std::runtime_error("gateway: " + slurp(path("gateway.out")));
}

std::string Way::write_config(const AgentOptions& options, const TokenPlace& token,
                              const std::string& suffix) const {
  const std::string file = path("tcu" + suffix + ".toml");
  const std::string module = options.module.empty() ? token.module : options.module;
  const std::string pin = options.pin_file.empty() ? token.pin_file : options.pin_file;
  spill(file,
        "[bus]\n" + options.bus + "\n[signals]\ntable = \"signals.table\"\n[token]\nmodule = \"" + module +
            "\"\nmodule_args = \"" + token.module_args + "\"\nlabel = \"" + options.token_label +
            "\"\npin_file = \"" + pin + "\"\n[gateway]\nhost = \"localhost\"\nport = " + std::to_string(port_) +
            (options.scope.empty() ? "" : "\nscope = \"" + options.scope + "\"") +
            (enrol_port_ == 0 ? "" : "\n[enrolment]\nport = " + std::to_string(enrol_port_)) +
            (options.renew_days == 0 ? "" : "\nrenew_days = " + std::to_string(options.renew_days)) +
            "\n[store]\ndirectory = \"store" + suffix + "\"\nspool_mib = " + std::to_string(options.spool_mib) +
            "\n[batch]\n" + options.batch + "[policy]\nsuites = [" + options.suites +
            "]\n[delivery]\nretry_min_ms = 50\nretry_max_ms = 400\n[status]\nsocket = \"status" + suffix +
            "\"\n");
  return file;
}

// A shell keeps the two streams apart and adds to what earlier starts have written; exec leaves the agent itself.
Process Way::run_agent(const AgentOptions& options, const std::string& config, const std::string& folder,
                       const std::string& suffix) const {
  std::string script = "exec env SOFTHSM2_CONF='" + folder + "/softhsm2.conf'";
  for (const std::string& variable : options.environment) script += " '" + variable + "'";
  script += " '" + std::string(WAYSEAL_TCU) + "' --config '" + config + "'";
  if (options.until_delivered) script += " --until-delivered";
  script += " >>'" + path("agent" + suffix + ".out") + "' 2>>'" + path("agent" + suffix + ".err") + "'";
  return Process({"/bin/sh", "-c", script}, path("agent" + suffix + ".shell"));
}

void Way::start_agent(const AgentOptions& options) {
  agent_ = run_agent(options, write_config(options, vehicle_token_, ""), vehicle_folder(), "");
}

Process Way::start_other_agent(const std::string& vehicle, const AgentOptions& options) {
  const std::string folder = path("fleet/vehicles/" + vehicle);
  const TokenPlace token{vehicle_token_.module, "", "vehicle", folder + "/pin"};
  return run_agent(options, write_config(options, token, "-" + vehicle), folder, "-" + vehicle);
}

nlohmann::json Way::backend_stats() const {
  const Output output =
      cloud_test::run({WAYSEAL_BACKEND, "stats", "--json", "--config", path("fleet/backend/backend.json")});
  if (output.code != 0) throw std::runtime_error("stats: " + output.text);
  return nlohmann::json::parse(output.text);
}

std::optional<nlohmann::json> Way::agent_status() const {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path("status").c_str(), sizeof address.sun_path - 1);
  std::string text;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  if (text.empty()) return std::nullopt;
  return nlohmann::json::parse(text);
}

nlohmann::json Way::agent_summary() const {
  const std::string text = slurp(path("agent.out"));
  if (text.empty()) return {};
  const size_t end = text.find_last_not_of('\n');
  const size_t begin = text.rfind('\n', end);
  return nlohmann::json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1));
}

std::string Way::query(const std::string& sql) const {
  const Output output = cloud_test::run({WAYSEAL_SQLITE, path("fleet/backend/backend.db"), sql});
  if (output.code != 0) throw std::runtime_error("sqlite3: " + output.text);
  return output.text;
}

std::string all_bytes_below(const std::string& folder) {
  std::string out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out += slurp(entry.path().string());
  }
  return out;
}

}  // namespace agent_test
