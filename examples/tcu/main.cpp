// SPDX-License-Identifier: Apache-2.0
// wayseal-tcu: reads CAN, seals in the token, spools, delivers.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <iostream>

#include "agent.hpp"

namespace {

// Signal handlers can reach nothing else.
std::atomic<bool> told_to_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

std::atomic<tcu::Agent*> running{nullptr};
static_assert(std::atomic<tcu::Agent*>::is_always_lock_free, "read by a signal handler");

void on_signal(int) { told_to_stop = true; }
void on_renew(int) {
  if (tcu::Agent* const agent = running) agent->renew_identities();
}

void take_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_renew;
  sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

/// What is collected and not sealed yet is in memory: no core file of ours may hold it.
void forbid_core_files() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  umask(0077);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Wayseal agent of a telematics control unit: CAN in, sealed in the HSM, delivered over mutual TLS"};
  std::string config_path;
  bool until_delivered = false;
  bool check = false;
  app.add_option("--config", config_path, "Configuration file (TOML)")->required()->check(CLI::ExistingFile);
  app.add_flag("--until-delivered", until_delivered,
               "With a log: end when it was played and the backend has everything");
  app.add_flag("--check", check, "Open everything, start nothing, say what is wrong");
  app.footer(
      "Standard output: at the end, one JSON object of counts. Exit codes: 0 all collected data is stored; 1 "
      "it is not,\n"
      "or the token refuses; 2 configuration or set-up is wrong. SIGTERM ends it, SIGHUP renews both "
      "identities.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const tcu::Ends ends = until_delivered ? tcu::Ends::kWhenAllDelivered : tcu::Ends::kWhenTold;
  tcu::Agent agent(tcu::load_config(config_path), ends);
  if (check) {
    std::cout << "ready\n";
    return 0;
  }
  running = &agent;
  const int code = agent.run(told_to_stop);
  running = nullptr;
  std::cout << agent.describe() << std::endl;
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  forbid_core_files();
  take_signals();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "wayseal-tcu: " << error.what() << '\n';
    return 2;
  }
}
