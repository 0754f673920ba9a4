// SPDX-License-Identifier: Apache-2.0
// A gateway that has gone over to the attacker: behind it, everything that a vehicle and the backend say to each other can be
// dropped, kept, changed and made up.
#ifndef WAYSEAL_TESTS_ATTACK_MEDDLER_HPP
#define WAYSEAL_TESTS_ATTACK_MEDDLER_HPP

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace attack {

/// What the vehicle gets.
struct Answer {
  unsigned status = 200;
  std::string body;
};

/// Stands on a unix socket between HAProxy and the backend, one request at a time.
class Meddler {
 public:
  /// Asks the backend and gives its answer's body.
  using Forward = std::function<std::string()>;
  /// \return what the vehicle gets; nothing: the connection ends without an answer.
  using Meddle = std::function<std::optional<Answer>(const std::string& target, const Forward& forward)>;

  Meddler(const std::string& listen_at, std::string pass_to);
  ~Meddler();
  Meddler(const Meddler&) = delete;
  Meddler& operator=(const Meddler&) = delete;

  /// From the next request on; an empty one passes everything on.
  void set(Meddle meddle);
  /// Requests that have been meddled with since the last `set`.
  int count() const { return count_; }

 private:
  void run();
  void serve(int fd);
  Meddle current();

  int listener_ = -1;
  std::string pass_to_;
  std::mutex mutex_;
  Meddle meddle_;
  std::atomic<int> count_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace attack

#endif
