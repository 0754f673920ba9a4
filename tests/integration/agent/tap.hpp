// SPDX-License-Identifier: Apache-2.0
// Listens in on the unix socket between gateway and backend.
#ifndef WAYSEAL_TESTS_AGENT_TAP_HPP
#define WAYSEAL_TESTS_AGENT_TAP_HPP

#include <atomic>
#include <string>
#include <thread>

namespace agent_test {

/// Accepts on one socket, passes everything on to another and back, and keeps a copy of all of it.
class Tap {
 public:
  Tap(const std::string& listen_at, const std::string& pass_to);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// Ends listening. \return every byte of both directions.
  std::string finish();

 private:
  void run();

  int listener_ = -1;
  std::string pass_to_;
  std::string heard_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace agent_test

#endif
