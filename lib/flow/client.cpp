// SPDX-License-Identifier: Apache-2.0
#include "wayseal/flow/client.hpp"

namespace wayseal {

Client::Client(const Ports& ports, const ClientMemory& memory, const ClientConfig& config)
    : ports_(ports),
      memory_(memory),
      recorder_config_(config.recorder),
      bus_queue_(memory.queue),
      own_queue_(part(memory.cloud, kClientSealMemory + kCourierWorkspace, kOwnQueueMemory), kOwnContentMax),
      recorder_(ports.bus, bus_queue_, time_snapshot_, ports.clock),
      state_(ports.state),
      spool_(ports.spool),
      time_(ports.clock, ports.verifier, state_, config.build_time),
      prekeys_(state_, time_, identity_, part(memory.cloud, 0, kPrekeyBundleMax)),
      prekey_client_(ports.vault, identity_, time_, prekeys_),
      sealer_({ports.vault, ports.clock, state_, spool_, time_, prekeys_, identity_, bus_queue_, own_queue_,
               &recorder_, &time_snapshot_, part(memory.cloud, 0, kSealerWorkspace)},
              config.sealer),
      courier_({ports.channel, ports.vault, ports.clock, spool_, time_, prekeys_, prekey_client_, sealer_,
                part(memory.cloud, kClientSealMemory, kCourierWorkspace), ports.authorization, &identity_},
               config.courier) {
  ports.vault.keep_alive_with(config.keep_alive);
  ports.verifier.keep_alive_with(config.keep_alive);
  ports.spool.keep_alive_with(config.keep_alive);
  ports.state.keep_alive_with(config.keep_alive);
}

Status Client::start(const SignalTable& table) {
  started_ = false;
  constexpr uint32_t kQueueRecordsMin = 2;
  if (memory_.cloud.size() < kClientCloudMemory || bus_queue_.capacity() < kQueueRecordsMin) {
    return Status::kBufferTooSmall;
  }
  WAYSEAL_TRY(check_policy(sealer_.policy(), ports_.vault.capabilities().suites));
  WAYSEAL_TRY(state_.mount());
  WAYSEAL_TRY(spool_.mount());
  WAYSEAL_TRY(identity_.load(ports_.vault, ports_.verifier));
  WAYSEAL_TRY(time_.load());
  WAYSEAL_TRY(prekeys_.load());
  WAYSEAL_TRY(recorder_.start(table, memory_.collector, recorder_config_));
  started_ = true;
  return Status::kOk;
}

Status Client::reload_identity() {
  if (!started_) return Status::kBadState;
  courier_.refresh_prekeys();
  return identity_.load(ports_.vault, ports_.verifier);
}

Status Client::step_cloud(MonotonicTime now) {
  if (!started_) return Status::kBadState;
  const Status sealed = sealer_.step(now);
  const Status delivered = courier_.step(now);
  // Waiting for prekeys is what the Courier is at; it is no failure of this step.
  const bool seals = sealed == Status::kOk || sealed == Status::kWouldBlock || sealed == Status::kNotFound;
  if (!seals) return sealed;
  if (delivered != Status::kOk && delivered != Status::kWouldBlock) return delivered;
  const bool more = sealed == Status::kWouldBlock || delivered == Status::kWouldBlock;
  return more ? Status::kWouldBlock : Status::kOk;
}

MonotonicTime Client::next_cloud_due(MonotonicTime now) const {
  return started_ ? earlier(sealer_.next_due(now), courier_.next_due(now)) : kNever;
}

bool Client::all_delivered() const {
  return bus_queue_.size() + own_queue_.size() == 0 && spool_.stats().waiting_records == 0;
}

ClientStats Client::stats() const {
  ClientStats out;
  static_cast<void>(recorder_.stats(out.collector));  // being replaced just now: zeros, the next call has them
  out.sealer = sealer_.stats();
  out.courier = courier_.stats();
  out.spool = spool_.stats();
  out.prekeys = prekeys_.counts();
  out.time_trusted = time_.trusted();
  return out;
}

}  // namespace wayseal
