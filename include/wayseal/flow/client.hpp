// SPDX-License-Identifier: Apache-2.0
/// \file
/// The whole way in one object: what most firmware links against.
#ifndef WAYSEAL_FLOW_CLIENT_HPP
#define WAYSEAL_FLOW_CLIENT_HPP

#include "wayseal/flow/courier.hpp"
#include "wayseal/flow/ports.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/flow/sealer.hpp"

#ifndef WAYSEAL_OWN_CONTENT_MAX
#define WAYSEAL_OWN_CONTENT_MAX 1024
#endif

namespace wayseal {

/// How the client works. The defaults suit a Linux TCU.
struct ClientConfig {
  /// No time before this is ever believed: when this firmware was built.
  UtcTime build_time = {};
  RecorderConfig recorder;
  SealerConfig sealer;
  CourierConfig courier;
  /// Called between the pieces of long work, for the watchdog: see KeepsAlive. Null: never.
  KeepAlive keep_alive;
};

/// Memory that the client works in, of any alignment. All is borrowed for the client's life, and none other is ever taken.
struct ClientMemory {
  /// Columns of the open batch: Collector::memory_needed(groups, signals, chunks).
  MutableBytes collector;
  /// Closed batches that wait for the token: RecordQueue::memory_needed(records), at least two records. With the
  /// open batch it bounds what a power loss can take before it is sealed.
  MutableBytes queue;
  /// Everything else: kClientCloudMemory bytes.
  MutableBytes cloud;
};

/// Contents that the cloud side makes itself, events and manifests: how many may wait, and their size.
inline constexpr size_t kOwnContents = 2;
inline constexpr size_t kOwnContentMax = WAYSEAL_OWN_CONTENT_MAX;
static_assert(kOwnContentMax >= 128 && kOwnContentMax <= kContentMax, "an event fits, and a record holds it");
inline constexpr size_t kOwnQueueMemory = RecordQueue::memory_needed(kOwnContents, kOwnContentMax);
/// Where the Sealer works, and the PrekeyStore when the Sealer opens a session: never both at a time.
inline constexpr size_t kClientSealMemory =
    kSealerWorkspace > kPrekeyBundleMax ? kSealerWorkspace : kPrekeyBundleMax;
/// Bytes of ClientMemory::cloud.
inline constexpr size_t kClientCloudMemory = kClientSealMemory + kCourierWorkspace + kOwnQueueMemory;

/// What has been counted, for status pages and logs. No secret and no telemetry is in it.
struct ClientStats {
  CollectorStats collector;
  SealerStats sealer;
  CourierStats courier;
  SpoolStats spool;
  PrekeyCounts prekeys;
  bool time_trusted = false;
};

/// Recorder, Sealer and Courier, joined.
///
/// Two sides that share one wait-free queue. Either call both from one loop:
///
///     for (;;) { client.step_bus(clock.now()); client.step_cloud(clock.now()); }
///
/// or give each a thread; see the `examples/tcu` agent. No call waits for the network; `step_cloud` waits for token and storage,
/// `step_bus` for nothing (invariant 9).
///
/// Life: construct, `start`, step, `prepare_sleep` before power goes. After a change of process (fork) or a resume, go on stepping: a new
/// session begins by itself.
///
/// About 14 KiB on 64-bit Linux, and the memory given.
class Client {
 public:
  /// \param ports, memory borrowed for the client's life. \param config copied.
  Client(const Ports& ports, const ClientMemory& memory, const ClientConfig& config);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Mounts state and spool, reads the vehicle's identity from the token, and starts to collect by `table`. Before the threads.
  /// May be called again after a failure.
  /// \param table loaded; borrowed for the client's life.
  /// \return kOk;
  ///         kBufferTooSmall: one of the memories; kInvalidArgument: the configuration or a storage's size;
  ///         kNotFound: the token is not provisioned; kNotAuthentic: its certificate is not under the data root or not of its key;
  ///         kMalformed: a storage holds something foreign or rotten, or the identity is no vehicle id: see
  ///         StateStore::mount; kUnsupported: another version's storage, or no common suite;
  ///         kTokenLost, kDenied, kStorageFailed, kFull.
  Status start(const SignalTable& table);

  /// Bus thread. \return as Recorder::step.
  Status step_bus(MonotonicTime now) { return recorder_.step(now); }
  /// Bus thread. See Recorder::flush and Recorder::ended.
  Status flush_bus() { return recorder_.flush(); }
  bool bus_ended() const { return recorder_.ended(); }
  /// Bus thread, once after `start`. See Recorder::apply_filters.
  Status apply_filters(Span<CanFilter> scratch) { return recorder_.apply_filters(scratch); }

  /// Cloud thread: one bounded piece of sealing and one of delivery. Both sides are served whatever one of them returns;
  /// what failed is retried by itself after a back-off.
  /// \return kOk: nothing to do until something arrives (wait for the connection, some tens of milliseconds at most);
  ///         kWouldBlock: more to do at once, call again;
  ///         kBadState before `start`; else the first failure of the Sealer, or of the Courier. kDenied and kInvalidArgument
  ///         will not get better by themselves.
  Status step_cloud(MonotonicTime now);

  /// By when `step_bus` is due if no frame comes before: a firmware that has nothing else to do sleeps until then, or until
  /// the CAN controller wakes it. Bus thread, right after the step. See Recorder::next_due.
  MonotonicTime next_bus_due(MonotonicTime now) { return recorder_.next_due(now); }
  /// By when `step_cloud` is due if neither the bus side nor the network brings anything before. Cloud thread, right after the
  /// step, or after one of the bus side that has closed a batch: with two threads that one wakes the other when
  /// `stats().collector.batches` has grown, and when all was flushed.
  /// \return `now`: at once when the step returned kWouldBlock, else when the connection has something, within some tens of
  ///         milliseconds; kNever: nothing is due, or nothing will ever be (kDenied, kInvalidArgument, before `start`).
  MonotonicTime next_cloud_due(MonotonicTime now) const;

  /// Cloud thread, after the bus side has flushed: seals and stores what is collected. \return as Sealer::prepare_sleep.
  Status prepare_sleep(MonotonicTime deadline) { return sealer_.prepare_sleep(deadline); }

  /// Cloud thread: replaces the crypto policy, also before `start`. A session under a suite that it withdraws, or with
  /// wider limits than it allows, ends before the next record; the next one uses the strongest suite that is left. What
  /// was sealed before stays in the spool and is delivered. Prekeys are asked for with the new suites; if none of those
  /// at hand has one of them, contents wait in the queue until others have come.
  /// \return kOk; kUnsupported (it leaves no suite that this token and build can use), kInvalidArgument (a limit out of
  ///         range): refused, the old one stays.
  Status set_policy(const CryptoPolicy& policy) { return sealer_.set_policy(policy); }

  /// Cloud thread: takes contents of its own, events and manifests, which are sealed before the bus side's.
  RecordQueue& own_queue() { return own_queue_; }

  /// Cloud thread: true when every record that was sealed has been settled by the backend and none waits to be sealed.
  bool all_delivered() const;

  /// Cloud thread. The parts that the bus side counts are as of its last step.
  ClientStats stats() const;

  /// Cloud thread: reads the `e2e` identity from the token again, after another one was put in use (Enrolment). The session
  /// that is open goes on under the certificate that it began with; the next one, and the next request for prekeys, use the
  /// new, and the latter is due at once. \return as VehicleIdentity::load: unless kOk no session begins until a later call succeeds; kBadState before
  /// `start`.
  Status reload_identity();

  /// Cloud thread: see Courier::hang_up. Call it before the channel is set up anew.
  void hang_up() { courier_.hang_up(); }

  /// Cloud thread: where small values are kept, mounted by `start`. For an Enrolment.
  StateStore& state() { return state_; }
  /// Cloud thread: how dates of certificates are to be judged now.
  CertificateDates certificate_dates() const { return time_.dates(); }

  /// The vehicle's id, once started. For certificates and requests; log only a token of it.
  const VehicleId& vehicle_id() const { return identity_.id(); }
  const Recorder& recorder() const { return recorder_; }

 private:
  static MutableBytes part(MutableBytes memory, size_t offset, size_t size) {
    return memory.from(offset).first(size);
  }

  Ports ports_;
  ClientMemory memory_;
  RecorderConfig recorder_config_;
  TimeSnapshot time_snapshot_;
  RecordQueue bus_queue_;
  RecordQueue own_queue_;
  Recorder recorder_;
  StateStore state_;
  Spool spool_;
  VehicleIdentity identity_;
  TimeKeeper time_;
  PrekeyStore prekeys_;
  PrekeyClient prekey_client_;
  Sealer sealer_;
  Courier courier_;
  bool started_ = false;
};

}  // namespace wayseal

#endif
