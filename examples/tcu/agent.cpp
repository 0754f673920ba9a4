// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <errno.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "build_time.hpp"

namespace tcu {
namespace {

using wayseal::MonotonicTime;
using wayseal::Status;

/// A bus that is silent is looked at so often, and the cloud side when nothing comes.
constexpr int kIdleMs = 20;
constexpr int kBusyMs = 1;
/// Time that systemd's TimeoutStopSec leaves with a margin.
constexpr int64_t kStoreDeadlineMs = 8'000;
/// Between two tries to store everything, and within one while token or storage fails.
constexpr int64_t kStoreAgainMs = 1'000;
constexpr std::chrono::milliseconds kNextTry{200};
/// Storage that fails for so long may be mended by opening the files anew: the service manager starts the agent again.
constexpr int64_t kStorageFailedMs = 60'000;

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw SetupError("signal table " + path + " cannot be read: " + std::strerror(errno));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

wayseal::SuiteSet suites_of(const std::vector<int>& numbers) {
  wayseal::SuiteSet out;
  for (const int number : numbers) out.add(static_cast<wayseal::Suite>(number));
  return out;
}

nlohmann::ordered_json describe_buses(const wayseal::Recorder& recorder) {
  auto out = nlohmann::ordered_json::array();
  for (uint8_t i = 0; i < recorder.bus_count(); ++i) {
    wayseal::BusSnapshot bus;
    if (!recorder.bus(i, bus)) continue;
    static const char* const kStates[] = {"down", "active", "error-passive", "bus-off", "ended"};
    out.push_back({{"bus", i},
                   {"state", kStates[static_cast<size_t>(bus.state)]},
                   {"frames", bus.counters.frames},
                   {"frames_dropped", bus.counters.frames_dropped},
                   {"frames_unknown", bus.frames_unknown},
                   {"error_frames", bus.counters.error_frames},
                   {"bus_off_events", bus.counters.bus_off_events},
                   {"down_events", bus.counters.down_events},
                   {"unreadable", bus.counters.unreadable},
                   {"time_steps_back", bus.counters.time_steps_back}});
  }
  return out;
}

uint64_t sum(const nlohmann::ordered_json& buses, const char* key) {
  uint64_t total = 0;
  for (const auto& bus : buses) total += bus[key].get<uint64_t>();
  return total;
}

}  // namespace

Agent::Agent(const Config& config, Ends ends)
    : ends_(ends),
      table_bytes_(read_file(config.signal_table)),
      cloud_(config),
      bus_(config.bus, cloud_.clock()),
      status_(config.status_socket, [this] { return describe(); }),
      started_(cloud_.clock().now()) {
  if (table_.load({table_bytes_.data(), table_bytes_.size()}) != Status::kOk) {
    throw SetupError("signal table " + config.signal_table +
                     " is damaged or of another version; make it with `wayseal-oem dbc`");
  }
  start_client(config);
}

void Agent::start_client(const Config& config) {
  using wayseal::Collector;
  collector_memory_.resize(Collector::memory_needed(table_.group_count(), table_.signal_count(), 0) +
                           size_t{config.batch.collect_kib} * 1024);
  queue_memory_.resize(wayseal::RecordQueue::memory_needed(config.batch.queue_records));
  cloud_memory_.resize(wayseal::kClientCloudMemory);
  wayseal::ClientConfig client;
  client.build_time = {kBuildTimeMs};
  client.recorder.batch_duration_ms = config.batch.longest_ms;
  if (bus_.is_recording() && config.bus.as_fast_as_it_goes)
    client.recorder.when_full = wayseal::WhenFull::kWait;
  client.sealer.policy.suites = suites_of(config.suites);
  client.courier.back_off_min_ms = config.delivery.retry_min_ms;
  client.courier.back_off_max_ms = config.delivery.retry_max_ms;
  client.sealer.refused_wait_ms = config.delivery.retry_max_ms;
  const wayseal::ClientMemory memory{{collector_memory_.data(), collector_memory_.size()},
                                     {queue_memory_.data(), queue_memory_.size()},
                                     {cloud_memory_.data(), cloud_memory_.size()}};
  client_ = std::make_unique<wayseal::Client>(cloud_.with(bus_.port()), memory, client);
  const Status started = client_->start(table_);
  if (started != Status::kOk)
    throw SetupError(std::string("cannot start (") + wayseal::status_name(started) + ")");
  cloud_.identities().attach(*client_,
                             {[this] { channel_due_ = true; },
                              [this](const char* event, const std::string& detail) { log(event, detail); }});
  std::vector<wayseal::CanFilter> scratch(table_.message_count());
  (void)client_->apply_filters(
      {scratch.data(), scratch.size()});  // without filters everything comes, which is as right
}

int Agent::run(const std::atomic<bool>& told_to_stop) {
  log("start");
  std::thread bus([this, &told_to_stop] { bus_loop(told_to_stop); });
  const bool usable = cloud_loop(told_to_stop);
  stop_bus_ = true;
  bus.join();
  const bool stored = store_everything();
  log("stop", stored ? "all stored" : "not all stored");
  return usable && stored ? 0 : 1;
}

void Agent::bus_loop(const std::atomic<bool>& told_to_stop) {
  while (!told_to_stop && !stop_bus_) {
    const Status status = client_->step_bus(cloud_.clock().now());
    if (client_->bus_ended()) {
      while (client_->flush_bus() == Status::kFull && !told_to_stop && !stop_bus_) bus_.wait(kIdleMs);
      break;
    }
    if (status != Status::kWouldBlock) bus_.wait(kIdleMs);
  }
  bus_done_ = true;
}

/// False when the token or the configuration will never do.
bool Agent::cloud_loop(const std::atomic<bool>& told_to_stop) {
  bool last_report_made = false;
  MonotonicTime report_again_at;
  while (!told_to_stop) {
    const MonotonicTime now = cloud_.clock().now();
    status_.step();
    last_status_ = client_->step_cloud(now);
    log_changes();
    if (last_status_ == Status::kDenied || last_status_ == Status::kInvalidArgument) return false;
    if (storage_is_lost(now)) {
      log("storage failed", "for a minute: ending, so that a new start opens the files anew");
      return false;
    }
    if (ends_ == Ends::kWhenAllDelivered && bus_done_ && client_->all_delivered() && report_again_at <= now) {
      if (last_report_made) return true;
      // What the bus side lost may still want a report; then that is delivered as well.
      last_report_made = store_everything();
      report_again_at = wayseal::after_ms(now, kStoreAgainMs);
      if (last_status_ == Status::kDenied) return false;
    }
    if (channel_due_) set_up_channel();
    if (told_to_renew_.exchange(false)) cloud_.identities().renew_now();
    const bool more = cloud_.identities().step(now);
    if (last_status_ != Status::kWouldBlock) cloud_.wait(more ? kBusyMs : kIdleMs);
  }
  return true;
}

// With the token away it is tried again in the next round.
void Agent::set_up_channel() {
  try {
    client_->hang_up();
    cloud_.set_up_channel();
    channel_due_ = false;
  } catch (const SetupError& error) {
    log("channel not set up", error.what());
  }
}

bool Agent::storage_is_lost(MonotonicTime now) {
  if (last_status_ != Status::kStorageFailed) {
    storage_failing_ = false;
    return false;
  }
  if (!storage_failing_) storage_failing_since_ = now;
  storage_failing_ = true;
  return wayseal::ms_between(storage_failing_since_, now) >= kStorageFailedMs;
}

bool Agent::store_everything() {
  const MonotonicTime deadline = wayseal::after_ms(cloud_.clock().now(), kStoreDeadlineMs);
  // The bus side has ended, so its half may be driven from here.
  Status flushed = client_->flush_bus();
  while (flushed == Status::kFull && cloud_.clock().now() < deadline) {
    const Status stored = client_->prepare_sleep(deadline);
    if (stored == Status::kDenied) break;
    flushed = client_->flush_bus();
    // Not a wait for the connection: that may have something to say all the time.
    if (flushed == Status::kFull && stored != Status::kOk) std::this_thread::sleep_for(kNextTry);
  }
  last_status_ = client_->prepare_sleep(deadline);
  return flushed == Status::kOk && last_status_ == Status::kOk;
}

void Agent::log_changes() {
  const wayseal::ChannelFailure failure = cloud_.channel_diagnostic().failure;
  if (failure == last_channel_failure_) return;
  last_channel_failure_ = failure;
  log("connection", wayseal::channel_failure_name(failure));
}

/// One JSON object a line on standard error. Nothing of the vehicle or its data is in it.
void Agent::log(const char* event, const std::string& detail) const {
  nlohmann::ordered_json line{{"event", event}};
  if (!detail.empty()) line["detail"] = detail;
  line["uptime_ms"] = wayseal::ms_between(started_, cloud_.clock_now());
  std::cerr << line.dump() + "\n";
}

std::string Agent::describe() const {
  const wayseal::ClientStats stats = client_->stats();
  const auto buses = describe_buses(client_->recorder());
  const auto& d = cloud_.channel_diagnostic();
  const nlohmann::ordered_json out{
      {"seconds", static_cast<double>(wayseal::ms_between(started_, cloud_.clock_now())) / 1000.0},
      {"status", wayseal::status_name(last_status_)},
      {"frames", sum(buses, "frames")},
      {"frames_dropped", sum(buses, "frames_dropped")},
      {"samples", stats.collector.samples},
      {"samples_dropped", stats.collector.samples_dropped},
      {"batches_dropped", stats.collector.batches_dropped},
      {"records_sealed", stats.sealer.records_sealed},
      {"records_waiting", stats.spool.waiting_records},
      {"records_evicted", stats.spool.evicted},
      {"records_settled", stats.spool.settled},
      {"payload_bytes", stats.sealer.content_bytes},
      {"sealed_bytes", stats.sealer.sealed_bytes},
      {"wire_bytes", cloud_.wire_bytes()},
      {"sessions", stats.sealer.sessions_opened},
      {"voids", stats.sealer.voids},
      {"loss_reports", stats.sealer.loss_reports},
      {"prekeys", stats.prekeys.one_time},
      {"time_trusted", stats.time_trusted},
      {"last_failure", wayseal::status_name(stats.sealer.last_failure)},
      {"channel", {{"failure", wayseal::channel_failure_name(d.failure)}, {"native", d.native}}},
      {"access_tokens", stats.courier.token_fetches},
      {"access_tokens_refused", stats.courier.tokens_refused},
      {"identities_renewed", cloud_.identities().renewals()},
      {"identities_not_renewed", cloud_.identities().failures()},
      {"identities_rolled_back", cloud_.identities().roll_backs()},
      {"token_code", cloud_.token_diagnostic()},
      {"buses", buses}};
  return out.dump();
}

}  // namespace tcu
