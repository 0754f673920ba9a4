// SPDX-License-Identifier: Apache-2.0
#include "power_cut/client_life.hpp"

#include <algorithm>

#include "power_cut/seeded_random.hpp"
#include "unit/collect/plain_table.hpp"

namespace wayseal::test {
namespace {

using namespace fakes;

constexpr StorageGeometry kSpoolGeometry{4096, 28, 4};
constexpr StorageGeometry kStateGeometry{4096, 16, 4};
constexpr int64_t kTickUs = 200;
constexpr int64_t kOffMs = 1;
constexpr int kStepsMax = 4000;
constexpr size_t kQueueRecords = 3;
constexpr int kBatchFrames = 400;  // 4 KiB: their bytes are noise

// Small waits: the other end may live in real time, which must not be overtaken.
ClientConfig life_config(int64_t build_ms) {
  ClientConfig config;
  config.build_time = {build_ms};
  config.sealer.policy.limits.records = 20;
  config.sealer.sync_interval_ms = 2;
  config.sealer.sync_bytes = 10000;
  config.sealer.loss_report_interval_ms = 4;
  config.sealer.retry_min_ms = 1;
  config.sealer.retry_max_ms = 4;
  config.sealer.refused_wait_ms = 3;
  config.courier.upload_bytes = 12 * 1024;
  config.courier.linger_ms = 1;
  config.courier.back_off_min_ms = 1;
  config.courier.back_off_max_ms = 4;
  config.courier.resend_ms = 2;
  config.courier.prekeys_low = 2;
  config.courier.refresh_ms = 8;
  return config;
}

const Blob& table_bytes() {
  static const Blob bytes = make_plain_table({{0x100, 8, {{0, 64}}}});
  return bytes;
}

}  // namespace

const char* const kPhaseNames[kPhases] = {"first boot",     "first contact",  "partial acks", "long offline",
                                          "catching up",    "refusal",        "token lost",   "out of prekeys",
                                          "prekey renewal", "sleep and wake", "last words"};

LifeWorld::LifeWorld(uint64_t life_seed, const LifeIdentity& who, int64_t now_utc_ms, OtherEnd& other)
    : seed(life_seed),
      identity(&who),
      end(&other),
      spool(kSpoolGeometry, life_seed),
      state(kStateGeometry, life_seed),
      utc_ms(now_utc_ms) {}

/// From one start of the program to the end of the power.
struct ClientLife::Boot {
  Boot(LifeWorld& world, FakePeer peer)
      : vault({SuiteSet{3}, std::nullopt, world.identity->key, mix(world.seed, world.boots), std::nullopt}),
        channel(std::move(peer)) {
    vault.set_object(VaultObject::kE2eCertificate, view(world.identity->leaf));
    vault.set_object(VaultObject::kE2eIntermediate, view(world.identity->intermediate));
  }

  FakeClock clock;
  FakeVault vault;
  FakeChannel channel;
  FakeCanBus bus;
  SignalTable table;
  Blob collector = Blob(Collector::memory_needed(1, 1, Collector::chunks_needed(1, 1) + 600));
  Blob queue = Blob(RecordQueue::memory_needed(kQueueRecords));
  Blob cloud = Blob(kClientCloudMemory);
  bool online = true;  // as the line was told
  std::unique_ptr<Client> client;
};

ClientLife::ClientLife(LifeWorld& world) : world_(world), random_(mix(world.seed, world.boots)) {}

ClientLife::~ClientLife() = default;

bool ClientLife::fail(const std::string& what) {
  if (wrong_.empty()) wrong_ = what + " (" + kPhaseNames[world_.phase] + ")";
  return false;
}

void ClientLife::shut() {
  if (!boot_) return;
  const ClientStats stats = boot_->client->stats();
  totals_.spool.evicted += stats.spool.evicted;
  totals_.sealer.records_sealed += stats.sealer.records_sealed;
  totals_.sealer.sessions_opened += stats.sealer.sessions_opened;
  totals_.sealer.refusals += stats.sealer.refusals;
  totals_.sealer.token_reopens += stats.sealer.token_reopens;
  totals_.sealer.loss_reports += stats.sealer.loss_reports;
  if (boot_->vault.nonce_reused()) fail("a nonce was used twice");
  if (stats.sealer.acks_rejected + stats.sealer.refusals_rejected != 0) fail("an honest answer was rejected");
  boot_.reset();
}

bool ClientLife::boot() {
  shut();
  if (!powered() || !wrong_.empty()) return false;
  ++world_.boots;
  world_.utc_ms += world_.up_ns / kNsPerMs + kOffMs;
  world_.up_ns = 0;
  world_.told_ms = 0;
  boot_ = std::make_unique<Boot>(world_, http_peer([this](const HttpRequest& r) { return answer(r); }));
  Boot& at = *boot_;
  const int64_t build_ms = BackendHalf::kNowMs - 1000 * kMsPerDay;
  at.client = std::make_unique<Client>(
      Ports{at.bus, at.vault, *world_.identity->verifier, at.channel, at.clock, world_.spool, world_.state},
      ClientMemory{mutable_view(at.collector), mutable_view(at.queue), mutable_view(at.cloud)},
      life_config(build_ms));
  if (at.table.load(view(table_bytes())) != Status::kOk) return fail("the table does not load");
  const Status status = at.client->start(at.table);
  if (!powered()) return false;  // a mount writes, too
  if (status != Status::kOk) return fail(std::string("start: ") + status_name(status));
  return true;
}

std::string ClientLife::answer(const HttpRequest& request) {
  ++world_.requests;
  const RequestFate fate = world_.fate ? world_.fate(world_) : RequestFate::kServed;
  // What a gateway says for a backend that has died.
  if (fate == RequestFate::kLostBefore) return http_answer(502, "");
  const std::string said = pass_on(request);
  return fate == RequestFate::kLostAfter ? http_answer(502, "") : said;
}

std::string ClientLife::pass_on(const HttpRequest& request) {
  const int64_t utc_ms = world_.utc_ms + world_.up_ns / kNsPerMs;
  if (request.path == "/v1/prekeys") {
    if (!world_.gives_prekeys) return http_answer(503, "");
    world_.told_ms = utc_ms;
    return world_.end->serve(request, utc_ms);
  }
  // Without trusted time nothing is uploaded.
  world_.trusted_ms = std::max(world_.trusted_ms, world_.told_ms);
  v1::Upload upload;
  if (!upload.ParseFromString(request.body)) return http_answer(400, "");
  v1::Upload through;
  through.set_ack_session(upload.ack_session());
  for (const v1::UploadItem& item : upload.items()) {
    const Blob record = to_blob(item.sealed());
    if (!record.empty() && world_.sent) world_.sent(record);
    const bool spoilt = !record.empty() && world_.spoilt.count(load_be64(record.data() + 20)) != 0;
    if (!spoilt) *through.add_items() = item;
  }
  HttpRequest passed = request;
  passed.body = through.SerializeAsString();
  return world_.end->serve(passed, utc_ms);
}

void ClientLife::set_line() {
  Boot& at = *boot_;
  at.online = world_.online;
  LineFaults faults;
  if (!at.online) faults.cut_after_sent = 0;
  at.channel.heal();
  if (!at.online) at.channel.fail_opening(Status::kDisconnected, ChannelFailure::kClosedByPeer);
  at.channel.set_faults(faults);
}

// Both sides do a piece of work. False when the power is gone.
bool ClientLife::step() {
  Boot& at = *boot_;
  if (at.online != world_.online) set_line();
  static_cast<void>(at.client->step_bus(at.clock.now()));
  const Status status = at.client->step_cloud(at.clock.now());
  if (status != Status::kWouldBlock) {
    at.clock.set({at.clock.now().ns + kTickUs * 1000});
    world_.up_ns += kTickUs * 1000;
  }
  return powered();
}

bool ClientLife::steps(int count) {
  for (int i = 0; i < count; ++i) {
    if (!step()) return false;
  }
  return true;
}

bool ClientLife::run_until(const std::function<bool()>& done) {
  for (int i = 0; i < kStepsMax; ++i) {
    if (done()) return powered();
    if (!step()) return false;
  }
  const ClientStats stats = boot_->client->stats();
  return fail("stuck: " + std::to_string(stats.spool.waiting_records) + " records wait, sealer says " +
              status_name(stats.sealer.last_failure) + ", courier " + status_name(stats.courier.last_failure));
}

bool ClientLife::delivered() {
  return run_until([this] { return boot_->client->all_delivered(); });
}

// A batch of noise that is as large as `frames` make it.
bool ClientLife::batch(int frames) {
  Boot& at = *boot_;
  for (int i = 0; i < frames; ++i) {
    Blob noise(8);
    store_le64(noise.data(), random_());
    at.bus.send(0x100, noise, at.clock.now().ns + i * 1000);
  }
  static_cast<void>(at.client->step_bus(at.clock.now()));
  static_cast<void>(at.client->flush_bus());
  return steps(3);
}

// An event of the cloud side itself.
bool ClientLife::say(size_t size) {
  RecordQueue& queue = boot_->client->own_queue();
  const Result<MutableBytes> area = queue.reserve();
  if (area.ok()) {
    std::memset(area.value().data(), 'e', size);
    static_cast<void>(queue.commit(ContentType::kSecurityEvent, size, 1));
  }
  return steps(2);
}

bool ClientLife::sleep() {
  static_cast<void>(boot_->client->flush_bus());
  const Status status = boot_->client->prepare_sleep(after_ms(boot_->clock.now(), 1000));
  if (!powered()) return false;
  // Without prekeys and after a refusal what is not sealed yet is lost with the power: that is documented.
  const bool fine = status == Status::kOk || status == Status::kNotFound || status == Status::kRefused;
  return fine ? boot() : fail(std::string("prepare_sleep: ") + status_name(status));
}

bool ClientLife::run() {
  using Phase = bool (ClientLife::*)();
  static constexpr Phase kScript[kPhases] = {
      &ClientLife::first_boot,     &ClientLife::first_contact,  &ClientLife::partial_acks,
      &ClientLife::long_offline,   &ClientLife::catching_up,    &ClientLife::refusal,
      &ClientLife::token_lost,     &ClientLife::out_of_prekeys, &ClientLife::renewal,
      &ClientLife::sleep_and_wake, &ClientLife::last_words};
  if (!boot()) return false;
  for (; world_.phase < kPhases; ++world_.phase) {
    const Phase phase =
        kScript[world_.phase];  // by a name of its own: GCC's bounds check misreads the call without
    if (!(this->*phase)()) {
      shut();
      return false;
    }
  }
  --world_.phase;
  shut();
  return wrong_.empty();
}

// No prekeys, no time, no network: what is collected waits in memory, and what overflows is counted.
bool ClientLife::first_boot() {
  world_.online = false;
  for (size_t i = 0; i < kQueueRecords + 2; ++i) {
    if (!batch(20)) return false;
  }
  return true;
}

bool ClientLife::first_contact() {
  world_.online = true;
  return batch(30) && say(40) && delivered();
}

bool ClientLife::partial_acks() {
  world_.spoilt = {2, 3, 6};
  for (int i = 0; i < 6; ++i) {
    if (!batch(15 + 20 * i)) return false;
  }
  if (!steps(40)) return false;
  world_.spoilt.clear();
  return delivered();
}

// The spool fills and wraps; sessions reach the policy's limit of records on the way.
bool ClientLife::long_offline() {
  world_.online = false;
  const auto evicted = [this] { return boot_->client->stats().spool.evicted > 0; };
  for (int i = 0; i < 80 && !evicted(); ++i) {
    if (!batch(kBatchFrames) || !say(20)) return false;
  }
  return evicted() || fail("the spool never filled");
}

bool ClientLife::catching_up() {
  world_.online = true;
  return batch(10) && delivered();
}

bool ClientLife::refusal() {
  world_.online = false;
  if (!sleep() || !batch(50) || !say(30)) return false;
  world_.end->refuse_next_session();
  world_.online = true;
  const auto refused = [this] { return boot_->client->stats().sealer.refusals > 0; };
  return run_until(refused) && batch(12) && delivered();
}

bool ClientLife::token_lost() {
  if (!batch(20)) return false;
  boot_->vault.lose_token();
  return batch(25) && say(30) && delivered();
}

// Session after session without fresh prekeys, down to the last resort, and that twice.
bool ClientLife::out_of_prekeys() {
  world_.online = true;
  world_.gives_prekeys = false;
  for (size_t i = 0; i < LifeBackend::kPrekeysGiven + 2; ++i) {
    if (!sleep() || !batch(8) || !say(20)) return false;
  }
  return true;
}

bool ClientLife::renewal() {
  world_.online = true;
  world_.gives_prekeys = true;
  // Prekeys that a cut has spent come again with the fresh ones, and stay spent.
  const auto fresh = [this] {
    const ClientStats stats = boot_->client->stats();
    return stats.time_trusted && stats.courier.prekey_fetches > 0 && stats.prekeys.last_resort;
  };
  return batch(8) && run_until(fresh) && delivered();
}

bool ClientLife::sleep_and_wake() {
  if (!say(25) || !batch(40) || !sleep()) return false;
  return batch(12) && delivered();
}

// Two sessions more, so that the end of every earlier one is known, and all is accounted for.
bool ClientLife::last_words() {
  world_.online = true;
  world_.gives_prekeys = true;
  world_.spoilt.clear();
  for (int i = 0; i < 2; ++i) {
    if (!say(20) || !batch(10) || !delivered() || !sleep()) return false;
  }
  if (!say(20) || !delivered()) return false;
  const auto settled = [this] {
    if (!boot_->client->all_delivered()) return false;
    const uint64_t nameless = world_.end->lost_without_session();
    if (nameless == 0 && !world_.end->missing().empty()) return false;
    uint64_t owed = 0;
    for (const EntryName& name : world_.owed) owed += world_.end->accounts_for(name) ? 0 : 1;
    return owed <= nameless;
  };
  if (run_until(settled)) return true;
  if (!powered()) return false;
  wrong_ += "; " + world_.end->missing();
  for (const EntryName& name : world_.owed) {
    if (!world_.end->accounts_for(name)) wrong_ += "; " + name_text(name) + " has vanished";
  }
  wrong_ += "; lost without a session: " + std::to_string(world_.end->lost_without_session());
  return false;
}

}  // namespace wayseal::test
