// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs a Way in its two threads, as an agent does.
#ifndef WAYSEAL_TESTS_THREADS_TWO_THREADS_HPP
#define WAYSEAL_TESTS_THREADS_TWO_THREADS_HPP

#include <atomic>
#include <chrono>
#include <thread>

#include "threads/way_rig.hpp"

namespace wayseal::fakes {

/// What a test waits for is given up after this, in real time.
inline constexpr std::chrono::seconds kPatience{30};

/// Waits until `done`. \return false after kPatience.
template <typename Done>
bool wait_for(Done done) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Both threads of one Way, from construction to `finish`. The Way has been started.
class TwoThreads {
 public:
  explicit TwoThreads(Way& way, std::function<void()> in_cloud_step = {})
      : way_(way), in_cloud_step_(std::move(in_cloud_step)) {
    bus_ = std::thread([this] { run_bus(); });
    cloud_ = std::thread([this] { run_cloud(); });
  }
  ~TwoThreads() {
    give_up_.store(true, std::memory_order_relaxed);
    join();
  }
  TwoThreads(const TwoThreads&) = delete;
  TwoThreads& operator=(const TwoThreads&) = delete;

  /// The wire is silent now: the bus side reads what waits and flushes, and the cloud side goes on until all is
  /// delivered and `done`, which is asked in its thread. \return false when that did not come about.
  bool finish(std::function<bool()> done = [] { return true; }) {
    done_ = std::move(done);
    drain_.store(true, std::memory_order_release);
    join();
    return finished_;
  }

  /// The cloud side's counts as of its last step, for other threads.
  ClientStats stats() const {
    ClientStats out;
    static_cast<void>(wait_for([&] { return stats_.load(out); }));
    return out;
  }

 private:
  bool given_up() const { return give_up_.load(std::memory_order_relaxed); }

  bool drained() {
    return drain_.load(std::memory_order_acquire) && way_.bus.waiting() == 0 &&
           way_.client.flush_bus() == Status::kOk;
  }

  void run_bus() {
    way_.bus_watch.belongs_here();
    while (!given_up()) {
      const Status status = way_.client.step_bus(way_.clock.now());
      if (status == Status::kWouldBlock) continue;
      if (drained()) {
        break;
      }
      std::this_thread::yield();
    }
    bus_done_.store(true, std::memory_order_release);
  }

  void run_cloud() {
    way_.cloud_watch.belongs_here();
    const auto started = std::chrono::steady_clock::now();
    while (!given_up() && std::chrono::steady_clock::now() - started < kPatience) {
      const Status status = way_.client.step_cloud(way_.clock.now());
      if (in_cloud_step_) in_cloud_step_();
      stats_.publish(way_.client.stats());
      if (bus_done_.load(std::memory_order_acquire) && way_.client.all_delivered() && done_()) {
        finished_ = true;
        return;
      }
      if (status != Status::kWouldBlock) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void join() {
    if (cloud_.joinable()) cloud_.join();
    give_up_.store(true, std::memory_order_relaxed);
    if (bus_.joinable()) bus_.join();
  }

  Way& way_;
  std::function<void()> in_cloud_step_;
  std::function<bool()> done_;
  Snapshot<ClientStats> stats_;
  std::atomic<bool> drain_{false};
  std::atomic<bool> bus_done_{false};
  std::atomic<bool> give_up_{false};
  bool finished_ = false;  // the cloud thread's until joined
  std::thread bus_;
  std::thread cloud_;
};

}  // namespace wayseal::fakes

#endif
