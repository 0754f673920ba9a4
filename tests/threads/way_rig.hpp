// SPDX-License-Identifier: Apache-2.0
/// \file
/// The whole way on fakes for tests with threads: frames that can be told apart, and a count of where each went.
#ifndef WAYSEAL_TESTS_THREADS_WAY_RIG_HPP
#define WAYSEAL_TESTS_THREADS_WAY_RIG_HPP

#include <atomic>
#include <map>
#include <set>

#include "fakes/fake_can_bus.hpp"
#include "unit/collect/plain_table.hpp"
#include "unit/flow/courier_rig.hpp"
#include "wayseal/flow/client.hpp"

namespace wayseal::fakes {

inline constexpr uint32_t kKnownId = 0x100;
inline constexpr uint32_t kUnknownId = 0x7F0;
inline constexpr uint64_t kSignalsPerFrame = 2;

/// What the second signal of frame `number` says, so that a sample in the wrong place shows; and the number again.
constexpr uint32_t scrambled(uint32_t number) { return (number + 1) * 2654435761U; }
constexpr uint32_t unscrambled(uint32_t check) { return check * 244002641U - 1; }
static_assert(unscrambled(scrambled(4711)) == 4711);

/// A CourierWorld whose gateway also looks at the nonces of what it gets, and whose UTC may jump.
struct WayWorld : CourierWorld {
  explicit WayWorld(const FakeVaultOptions& options = {});

  /// Two different records came under one session and sequence, which is one key and nonce.
  bool nonce_seen_twice = false;
  std::map<Blob, Blob> sealed_by_header;
  /// Added to the time that the backend signs: UTC goes on while the vehicle sleeps.
  int64_t utc_jump_ms = 0;

 private:
  std::string serve_time(const HttpRequest& request);
  void look_at(const HttpRequest& request);
};

/// Counts calls, and those that come from another thread than the right one. It joins nothing: relaxed, so that
/// ThreadSanitizer sees the threads as the library leaves them.
class ThreadWatch {
 public:
  /// From now on the calling thread is the right one.
  void belongs_here() { owner_.store(mark(), std::memory_order_relaxed); }
  void touch() {
    calls_.fetch_add(1, std::memory_order_relaxed);
    if (owner_.load(std::memory_order_relaxed) != mark()) foreign_.fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }
  uint64_t foreign() const { return foreign_.load(std::memory_order_relaxed); }

 private:
  static const void* mark() {
    static thread_local char here = 0;
    return &here;
  }
  std::atomic<const void*> owner_{nullptr};
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> foreign_{0};
};

struct WayOptions {
  uint32_t queue_records = 4;
  int64_t batch_duration_ms = 20;
  /// Records of a session, so that sessions are opened while frames arrive.
  uint64_t session_records = kSessionRecordsMax;
  TimeBase time_base = TimeBase::kMonotonic;
  size_t driver_frames = SIZE_MAX;  ///< What the driver's queue holds.
};

/// One life of a client. Waiting times are milliseconds, so that tests in real time end soon.
struct Way {
  Way(WayWorld& world, KeyVault& vault, Clock& clock, const WayOptions& options = {});
  /// On a copy of the flash.
  Way(WayWorld& world, KeyVault& vault, Clock& clock, const WayOptions& options, test::FakeFlash& spool_flash,
      test::FakeFlash& state_flash);

  ~Way();
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;

  void start() { must(client.start(table)); }
  /// Wire: the next frames, a millisecond apart by their own time.
  void send(uint32_t frames);
  /// Wire: one frame at a time of the test's choice.
  void send_at(MonotonicTime time);
  void send_unknown();

  /// Lets `bus_watch` and `cloud_watch` count every call of the world's ports, as long as this lives. After `start`.
  void watch_ports();

  /// One thread drives both sides until `done`, a FakeClock moving on when neither has more to do.
  bool run_until(FakeClock& fake_clock, const std::function<bool()>& done, int64_t limit_ms = 60 * 1000);
  bool deliver_all(FakeClock& fake_clock, int64_t limit_ms = 60 * 1000);

  WayWorld& world;
  Clock& clock;
  ThreadWatch bus_watch;                    ///< Of calls that belong to the bus thread.
  ThreadWatch cloud_watch;                  ///< Of calls that belong to the cloud thread.
  std::function<void(VaultCall)> on_vault;  ///< Called in each call that `cloud_watch` counts of the vault.
  FakeCanBus bus;
  Blob table_bytes;
  SignalTable table;
  Blob collector;
  Blob queue;
  Blob cloud = Blob(kClientCloudMemory);
  Client client;
  uint32_t next_frame = 0;  ///< Number of the next frame on the wire.
};

/// What the backend has, opened and read.
struct Delivered {
  std::set<uint32_t> frames;  ///< Numbers of those whose first signal is there.
  std::set<uint32_t>
      checks;  ///< Numbers of those whose second signal is there: samples are dropped one by one.
  uint64_t samples = 0;
  uint64_t repeated = 0;         ///< Samples that are there twice.
  uint64_t wrong = 0;            ///< Samples beside those of another frame, and contents that do not parse.
  uint64_t samples_dropped = 0;  ///< As the newest loss report says.
  uint64_t frames_dropped = 0;   ///< Likewise, on bus 0.
  uint64_t voids = 0;            ///< Records that loss reports say were never sealed.
};
Delivered delivered(const WayWorld& world);

/// Every use of a nonce that the vault saw was the first with that key, in whatever copy of the vault.
bool nonces_are_unique(const FakeVault& vault);
/// No two sessions that the backend knows share a key.
bool session_keys_are_unique(const WayWorld& world);

}  // namespace wayseal::fakes

#endif
