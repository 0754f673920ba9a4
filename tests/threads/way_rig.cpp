// SPDX-License-Identifier: Apache-2.0
#include "threads/way_rig.hpp"

#include "record.pb.h"
#include "unit/collect/batch_reader.hpp"

namespace wayseal::fakes {
namespace {

constexpr uint8_t kCounterBits = 32;

ClientConfig config_of(const WayOptions& options) {
  ClientConfig config;
  config.build_time = {VehicleLife::kBuildMs};
  config.recorder.batch_duration_ms = options.batch_duration_ms;
  config.sealer.policy.limits.records = options.session_records;
  config.sealer.sync_interval_ms = 20;
  config.sealer.loss_report_interval_ms = 50;
  config.sealer.retry_min_ms = 2;
  config.sealer.retry_max_ms = 20;
  config.courier.linger_ms = 5;
  config.courier.back_off_min_ms = 2;
  config.courier.back_off_max_ms = 20;
  config.courier.resend_ms = 50;
  return config;
}

void read_frames(const OpenedRecord& record, Delivered& out) {
  const test::ReadBatch batch = test::read_batch({record.payload.begin(), record.payload.end()});
  out.samples += batch.samples;
  std::map<int64_t, uint32_t> at;  // the frame of each moment
  for (const auto& signal : batch.signals) {
    const bool first = signal.first.second == 0;
    for (const test::ReadSample& sample : signal.second) {
      const uint32_t raw = static_cast<uint32_t>(sample.raw);
      const uint32_t number = first ? raw : unscrambled(raw);
      out.wrong += at.emplace(sample.time_us, number).first->second != number ? 1U : 0U;
      out.repeated += (first ? out.frames : out.checks).insert(number).second ? 0U : 1U;
    }
  }
}

void read_losses(const OpenedRecord& record, Delivered& out) {
  v1::LossReport report;
  if (!report.ParseFromArray(record.payload.data(), static_cast<int>(record.payload.size()))) {
    ++out.wrong;
    return;
  }
  out.samples_dropped = std::max<uint64_t>(out.samples_dropped, report.samples_dropped());
  for (const v1::BusLoss& bus : report.buses()) {
    if (bus.bus() == 0) out.frames_dropped = std::max<uint64_t>(out.frames_dropped, bus.frames_dropped());
  }
}

// The same range may be in several reports, growing.
void read_voids(const OpenedRecord& record, std::map<std::pair<std::string, uint64_t>, uint64_t>& voids) {
  v1::LossReport report;
  static_cast<void>(report.ParseFromArray(record.payload.data(), static_cast<int>(record.payload.size())));
  for (const v1::LossRange& range : report.ranges()) {
    if (range.cause() != v1::LossRange::CAUSE_VOID) continue;
    uint64_t& count = voids[{range.session_id(), range.first()}];
    count = std::max<uint64_t>(count, range.count());
  }
}

}  // namespace

WayWorld::WayWorld(const FakeVaultOptions& options) : CourierWorld(options) {
  channel.set_peer(http_peer([this](const HttpRequest& request) {
    look_at(request);
    return request.path == "/v1/prekeys" && utc_jump_ms != 0 ? serve_time(request) : serve(request);
  }));
}

std::string WayWorld::serve_time(const HttpRequest& request) {
  const auto challenge = backend.read_request(view(to_blob(request.body)));
  if (!challenge) return http_answer(403, "");
  const int64_t utc_ms = BackendHalf::kNowMs + utc_jump_ms + clock.now().ns / kNsPerMs;
  const Blob bundle = backend.signed_bundle(backend.plan(*challenge, one_time));
  return http_answer(200, to_string(view(backend.reply(bundle, backend.signed_time(*challenge, utc_ms)))));
}

void WayWorld::look_at(const HttpRequest& request) {
  v1::Upload upload;
  if (request.path != "/v1/records" || !upload.ParseFromString(request.body)) return;
  constexpr std::ptrdiff_t kHeaderAt = 2, kHeaderEnd = 28;
  for (const v1::UploadItem& item : upload.items()) {
    if (!item.has_sealed()) continue;
    const Blob sealed = to_blob(item.sealed());
    const Blob header(sealed.begin() + kHeaderAt, sealed.begin() + kHeaderEnd);
    const auto known = sealed_by_header.emplace(header, sealed);
    if (known.first->second != sealed) nonce_seen_twice = true;
  }
}

Way::Way(WayWorld& in, KeyVault& vault, Clock& any_clock, const WayOptions& options)
    : Way(in, vault, any_clock, options, in.spool_flash, in.state_flash) {}

Way::Way(WayWorld& in, KeyVault& vault, Clock& any_clock, const WayOptions& options,
         test::FakeFlash& spool_flash, test::FakeFlash& state_flash)
    : world(in),
      clock(any_clock),
      bus(1, options.time_base),
      table_bytes(test::make_plain_table({{kKnownId, 8, {{0, kCounterBits}, {4, kCounterBits}}}})),
      collector(Collector::memory_needed(1, kSignalsPerFrame, Collector::chunks_needed(1, kSignalsPerFrame))),
      queue(RecordQueue::memory_needed(options.queue_records)),
      client({bus, vault, in.verifier, in.channel, any_clock, spool_flash, state_flash},
             {mutable_view(collector), mutable_view(queue), mutable_view(cloud)}, config_of(options)) {
  bus.set_queue_max(options.driver_frames);
  must(table.load(view(table_bytes)));
}

void Way::send(uint32_t frames) {
  for (uint32_t i = 0; i < frames; ++i) send_at({static_cast<int64_t>(next_frame) * kNsPerMs});
}

void Way::send_at(MonotonicTime time) {
  std::vector<uint8_t> data(8);
  store_le32(data.data(), next_frame);
  store_le32(data.data() + 4, scrambled(next_frame));
  bus.send(kKnownId, data, time.ns);
  ++next_frame;
}

void Way::send_unknown() { bus.send(kUnknownId, {1, 2, 3}, static_cast<int64_t>(next_frame) * kNsPerMs); }

Way::~Way() {
  world.channel.on_call({});
  world.spool_flash.on_call = {};
  world.state_flash.on_call = {};
  world.vault.on_call({});
}

void Way::watch_ports() {
  bus.on_call([this] { bus_watch.touch(); });
  const auto touch = [this] { cloud_watch.touch(); };
  world.channel.on_call(touch);
  world.spool_flash.on_call = touch;
  world.state_flash.on_call = touch;
  world.vault.on_call([this](VaultCall call) {
    cloud_watch.touch();
    if (on_vault) on_vault(call);
  });
}

bool Way::run_until(FakeClock& fake_clock, const std::function<bool()>& done, int64_t limit_ms) {
  const MonotonicTime end = after_ms(fake_clock.now(), limit_ms);
  while (!done()) {
    if (end <= fake_clock.now()) return false;
    static_cast<void>(client.step_bus(fake_clock.now()));
    if (client.step_cloud(fake_clock.now()) != Status::kWouldBlock) fake_clock.advance_ms(2);
  }
  return true;
}

bool Way::deliver_all(FakeClock& fake_clock, int64_t limit_ms) {
  const auto read_all = [this] { return bus.waiting() == 0; };
  if (!run_until(fake_clock, read_all, limit_ms)) return false;
  const auto all = [this] { return client.flush_bus() == Status::kOk && client.all_delivered(); };
  return run_until(fake_clock, all, limit_ms);
}

Delivered delivered(const WayWorld& world) {
  Delivered out;
  std::map<std::pair<std::string, uint64_t>, uint64_t> voids;
  for (const auto& one : world.stored) {
    if (one.second.type == static_cast<uint8_t>(ContentType::kBatch)) read_frames(one.second, out);
    if (one.second.type != static_cast<uint8_t>(ContentType::kLossReport)) continue;
    read_losses(one.second, out);
    read_voids(one.second, voids);
  }
  for (const auto& range : voids) out.voids += range.second;
  return out;
}

bool nonces_are_unique(const FakeVault& vault) {
  std::set<std::pair<Blob, Blob>> seen;
  for (const NonceUse& use : vault.nonce_uses()) {
    const Blob key(std::begin(use.key_digest.data), std::end(use.key_digest.data));
    const Blob nonce(std::begin(use.nonce.data), std::end(use.nonce.data));
    if (!seen.emplace(key, nonce).second) return false;
  }
  return !vault.nonce_reused();
}

bool session_keys_are_unique(const WayWorld& world) {
  std::set<Secret32> keys;
  for (const auto& one : world.backend.sessions) {
    if (!keys.insert(one.second.v2b).second || !keys.insert(one.second.b2v).second) return false;
  }
  return true;
}

}  // namespace wayseal::fakes
