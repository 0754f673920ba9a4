// SPDX-License-Identifier: Apache-2.0
// The whole way as real processes: agent with its token, HAProxy, backend with its own token.
#ifndef WAYSEAL_TESTS_AGENT_WAY_HPP
#define WAYSEAL_TESTS_AGENT_WAY_HPP

#include <nlohmann/json.hpp>
#include <optional>

#include "nss_tokens.hpp"
#include "process.hpp"

namespace agent_test {

using cloud_test::eventually;
using cloud_test::Output;
using cloud_test::Process;
using cloud_test::slurp;
using cloud_test::spill;
using cloud_test::TemporaryFolder;

/// What the agent is told; the rest of its configuration is the way's.
struct AgentOptions {
  std::string bus;                           ///< Lines of section [bus].
  std::string module;                        ///< Empty: the vehicle token's.
  std::vector<std::string> environment;      ///< "NAME=value".
  std::string batch = "longest_ms = 500\n";  ///< Lines of section [batch].
  std::string token_label = "vehicle";
  std::string pin_file;  ///< Empty: the vehicle's.
  std::string suites = "1, 2";
  std::string scope;  ///< Of the access token; empty: none is asked for.
  uint32_t spool_mib = 8;
  uint32_t renew_days =
      0;  ///< With an enrolment server: other than 0, days before its end when a certificate is renewed.
  bool until_delivered = false;
};

/// A fleet, mostly of one, a folder, and the processes. Each is killed at the latest when this ends.
class Way {
 public:
  /// \param dbc text of the DBC whose table the agent uses.
  explicit Way(const std::string& dbc, int vehicles = 1);

  /// Before a process is started: the vehicle, or the backend, gets a token in NSS softoken in the place of SoftHSM2.
  void use_nss_vehicle();
  void use_nss_backend();
  /// Sets one key of the backend's policy, for its next start.
  void set_backend_policy(const std::string& key, const nlohmann::json& value);

  void start_backend();
  /// \param backend_socket that the gateway talks to; empty: the backend's own.
  void start_gateway(const std::string& backend_socket = "");
  /// Before the gateway, which wants access tokens from then on.
  void start_provider();
  /// Before the gateway, which has the enrolment listener from then on, and before the agent, which is told of it.
  void start_est();
  void start_agent(const AgentOptions& options);
  /// An agent of another vehicle of the fleet, whose files end with its id.
  Process start_other_agent(const std::string& vehicle, const AgentOptions& options);
  /// More environment of the gateway, "NAME=value", for its next start.
  void set_gateway_environment(std::vector<std::string> variables) {
    gateway_environment_ = std::move(variables);
  }

  Process& backend() { return backend_; }
  Process& gateway() { return gateway_; }
  Process& provider() { return provider_; }
  Process& est() { return est_; }
  Process& agent() { return agent_; }

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string vehicle_folder() const;
  std::string backend_socket() const { return path("fleet/backend/backend.sock"); }
  const std::string& vehicle() const { return vehicle_; }
  const std::string& module() const { return vehicle_token_.module; }
  const TokenPlace& vehicle_token() const { return vehicle_token_; }
  int port() const { return port_; }
  nlohmann::json backend_stats() const;
  /// From the agent's status socket; nothing when no agent answers.
  std::optional<nlohmann::json> agent_status() const;
  /// What the agent printed at its end.
  nlohmann::json agent_summary() const;
  /// All that the agent has written to its two streams, of every start.
  std::string agent_words() const { return slurp(path("agent.out")) + slurp(path("agent.err")); }
  /// A row of the backend's database as text.
  std::string query(const std::string& sql) const;

 private:
  std::string write_config(const AgentOptions& options, const TokenPlace& token,
                           const std::string& suffix) const;
  Process run_agent(const AgentOptions& options, const std::string& config, const std::string& folder,
                    const std::string& suffix) const;
  nlohmann::json backend_config() const;
  void set_backend_config(const nlohmann::json& config) const;

  TemporaryFolder folder_;
  std::string vehicle_;
  TokenPlace vehicle_token_;
  int port_;
  Process backend_;
  Process gateway_;
  Process provider_;
  Process est_;
  std::vector<std::string> gateway_environment_;
  int enrol_port_ = 0;  // 0: no such listener
  bool wants_tokens_ = false;
  Process agent_;
};

/// The folder's files, whole, joined: for looking for what must not be there.
std::string all_bytes_below(const std::string& folder);

}  // namespace agent_test

#endif
