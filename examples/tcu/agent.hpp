// SPDX-License-Identifier: Apache-2.0
/// \file
/// The agent: two threads around a wayseal::Client.
#ifndef WAYSEAL_EXAMPLES_TCU_AGENT_HPP
#define WAYSEAL_EXAMPLES_TCU_AGENT_HPP

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "config.hpp"
#include "ports.hpp"
#include "status_socket.hpp"
#include "wayseal/flow/client.hpp"

namespace tcu {

/// When the agent ends by itself.
enum class Ends : uint8_t {
  kWhenTold,          ///< By SIGTERM or SIGINT.
  kWhenAllDelivered,  ///< After a recording has been played and the backend has everything; or when told.
};

/// One run. The constructor throws SetupError or ConfigError; nothing has been started then.
class Agent {
 public:
  Agent(const Config& config, Ends ends);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Until the end. Makes durable what was collected before it returns.
  /// \return the exit code: 0; 1 when something that was collected could not be stored, the token refuses for good, or
  ///         storage has failed for a minute (to be started again, which opens the files anew).
  int run(const std::atomic<bool>& told_to_stop);

  /// Replaces both identity keys as soon as possible. From any thread, or a signal handler.
  void renew_identities() { told_to_renew_ = true; }

  /// Everything that is counted, as one JSON object in one line.
  std::string describe() const;

 private:
  void start_client(const Config& config);
  void bus_loop(const std::atomic<bool>& told_to_stop);
  bool cloud_loop(const std::atomic<bool>& told_to_stop);
  bool store_everything();
  bool storage_is_lost(wayseal::MonotonicTime now);
  void set_up_channel();
  void log_changes();
  void log(const char* event, const std::string& detail = "") const;

  Ends ends_;
  std::vector<uint8_t> table_bytes_;
  wayseal::SignalTable table_;
  CloudPorts cloud_;
  Bus bus_;
  std::vector<uint8_t> collector_memory_;
  std::vector<uint8_t> queue_memory_;
  std::vector<uint8_t> cloud_memory_;
  std::unique_ptr<wayseal::Client> client_;
  StatusSocket status_;
  std::atomic<bool> told_to_renew_{false};
  std::atomic<bool> bus_done_{false};
  std::atomic<bool> stop_bus_{false};
  wayseal::MonotonicTime started_;
  wayseal::MonotonicTime storage_failing_since_;
  bool storage_failing_ = false;
  bool channel_due_ = false;  // the TLS identity has changed
  wayseal::Status last_status_ = wayseal::Status::kOk;
  wayseal::ChannelFailure last_channel_failure_ = wayseal::ChannelFailure::kNone;
};

}  // namespace tcu

#endif
