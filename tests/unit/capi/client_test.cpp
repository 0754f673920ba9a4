// SPDX-License-Identifier: Apache-2.0
// The client by its C API: the whole way, and every argument that is wrong.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>
#include <vector>

#include "fakes/fake_can_bus.hpp"
#include "unit/capi/firmware.h"
#include "unit/capi/tables.hpp"
#include "unit/collect/plain_table.hpp"
#include "unit/flow/courier_rig.hpp"
#include "wayseal/flow/client.hpp"

namespace wayseal::fakes {
namespace {

Blob plain_table() { return test::make_plain_table({{0x100, 8, {{0, 8}, {1, 8}}}}); }

/// Everything that a client takes, on fakes by their handles; a test spoils one thing.
struct Rig {
  Rig() {
    REQUIRE(wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION) == WAYSEAL_OK);
    config.can_bus = capi::handle(bus);
    config.vault = capi::handle(world.vault);
    config.verifier = capi::handle(world.verifier);
    config.channel = capi::handle(world.channel);
    config.clock = capi::handle(world.clock);
    config.spool = capi::handle(world.spool_flash);
    config.state = capi::handle(world.state_flash);
    config.collector_memory = collector.data();
    config.collector_bytes = collector.size();
    config.queue_memory = queue.data();
    config.queue_bytes = queue.size();
    config.cloud_memory = cloud.data();
    config.cloud_bytes = cloud.size();
    config.build_time_ms = VehicleLife::kBuildMs;
    REQUIRE(wayseal_table_load(&table_memory, table_bytes.data(), table_bytes.size(), &table) == WAYSEAL_OK);
  }
  ~Rig() { wayseal_client_end(client); }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  wayseal_status init() { return wayseal_client_init(&memory, sizeof memory, &config, &client); }
  void start() {
    REQUIRE(init() == WAYSEAL_OK);
    REQUIRE(wayseal_client_start(client, table) == WAYSEAL_OK);
  }
  wayseal_client_stats stats() const {
    wayseal_client_stats out = {};
    out.size = sizeof out;
    REQUIRE(wayseal_client_get_stats(client, &out) == WAYSEAL_OK);
    return out;
  }

  CourierWorld world;
  FakeCanBus bus{1, TimeBase::kRecorded};
  Blob table_bytes = plain_table();
  wayseal_table_memory table_memory;
  wayseal_table* table = nullptr;
  Blob collector = Blob(WAYSEAL_COLLECTOR_MEMORY(1, 2, WAYSEAL_COLLECTOR_CHUNKS(1, 2)));
  Blob queue = Blob(WAYSEAL_QUEUE_MEMORY(2));
  Blob cloud = Blob(WAYSEAL_CLOUD_MEMORY);
  wayseal_client_memory memory;
  wayseal_client_config config;
  wayseal_client* client = nullptr;
};

}  // namespace

TEST_CASE("C API: a firmware in C, with ports of its own in C, delivers all that it has seen") {
  CourierWorld world;
  test::TableVault vault(world.vault);
  test::TableCertVerifier verifier(world.verifier);
  test::TableChannel channel(world.channel);
  const Blob table = plain_table();
  const auto time_passed = [](void* clock, int64_t ms) { static_cast<FakeClock*>(clock)->advance_ms(ms); };
  const firmware_world given = {vault.handle(), verifier.handle(),     channel.handle(), table.data(),
                                table.size(),   VehicleLife::kBuildMs, time_passed,      &world.clock};
  firmware_report report;
  firmware_run(&given, 100, &report);
  CAPTURE(report.what, wayseal_status_name(report.status));
  CHECK(report.status == WAYSEAL_OK);
  CHECK(report.filters_set == 1);
  CHECK(report.storage_violations == 0);
  CHECK(std::string(report.vehicle_id) == world.vehicle_id);
  CHECK(report.bus.frames == 100);
  CHECK(report.stats.samples == 200);
  CHECK(report.stats.samples_sealed == 200);
  CHECK(report.stats.samples_dropped == 0);
  CHECK(report.stats.waiting_records == 1);  // the loss report that prepare_sleep has written
  CHECK(report.stats.time_trusted);
  CHECK(report.stats.seal_failure == WAYSEAL_OK);
  CHECK(world.stored.size() + report.stats.waiting_records == report.stats.records_sealed);
  CHECK(world.stored.begin()->second.type == WAYSEAL_CONTENT_SECURITY_EVENT);
  CHECK(world.stored.begin()->second.payload == Blob{'b', 'o', 'o', 't'});
  CHECK_FALSE(world.vault.nonce_reused());
  CHECK(world.vault.live_session_keys() == 0);  // the client was ended
}

TEST_CASE("C API: a firmware in C hears what is wrong with its device") {
  CourierWorld world;
  test::TableVault vault(world.vault);
  test::TableCertVerifier verifier(world.verifier);
  test::TableChannel channel(world.channel);
  Blob table = plain_table();
  const auto time_passed = [](void* clock, int64_t ms) { static_cast<FakeClock*>(clock)->advance_ms(ms); };
  const firmware_world given = {vault.handle(), verifier.handle(),     channel.handle(), table.data(),
                                table.size(),   VehicleLife::kBuildMs, time_passed,      &world.clock};
  firmware_report report;
  SECTION("not provisioned") {
    world.vault.remove_object(VaultObject::kE2eCertificate);
    firmware_run(&given, 1, &report);
    CHECK(report.status == WAYSEAL_NOT_FOUND);
    CHECK(std::string(report.what) == "start");
  }
  SECTION("a token that is gone") {
    world.vault.remove_token();
    firmware_run(&given, 1, &report);
    CHECK(report.status == WAYSEAL_TOKEN_LOST);
  }
  SECTION("a damaged table") {
    table[table.size() / 2] ^= 1;
    firmware_run(&given, 1, &report);
    CHECK(report.status == WAYSEAL_MALFORMED);
    CHECK(std::string(report.what) == "table");
  }
  SECTION("a gateway that nobody can reach") {
    world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kServerUntrusted);
    firmware_run(&given, 1, &report);
    CHECK(report.status == WAYSEAL_TIMEOUT);
    CHECK(report.stats.delivery_failure == WAYSEAL_DISCONNECTED);
    CHECK(report.stats.channel_failure.failure == WAYSEAL_CHANNEL_SERVER_UNTRUSTED);
  }
}

TEST_CASE("C API: the configuration begins as the library's own") {
  wayseal_client_config c;
  REQUIRE(wayseal_client_config_init(&c, sizeof c, WAYSEAL_VERSION) == WAYSEAL_OK);
  const ClientConfig cpp;
  CHECK(c.size == sizeof c);
  CHECK(c.version == WAYSEAL_VERSION);
  CHECK(c.build_time_ms == cpp.build_time.ms);
  CHECK(c.batch_duration_ms == cpp.recorder.batch_duration_ms);
  CHECK(c.rounds_per_step == cpp.recorder.rounds_per_step);
  CHECK(c.when_full == WAYSEAL_WHEN_FULL_DROP_AND_COUNT);
  CHECK(c.policy == nullptr);
  CHECK(c.sync_interval_ms == cpp.sealer.sync_interval_ms);
  CHECK(c.sync_bytes == cpp.sealer.sync_bytes);
  CHECK(c.records_per_step == cpp.sealer.records_per_step);
  CHECK(c.loss_report_interval_ms == cpp.sealer.loss_report_interval_ms);
  CHECK(c.retry_min_ms == cpp.sealer.retry_min_ms);
  CHECK(c.retry_max_ms == cpp.sealer.retry_max_ms);
  CHECK(c.refused_wait_ms == cpp.sealer.refused_wait_ms);
  CHECK(c.upload_bytes == cpp.courier.upload_bytes);
  CHECK(c.prekeys_low == cpp.courier.prekeys_low);
  CHECK(c.linger_ms == cpp.courier.linger_ms);
  CHECK(c.back_off_min_ms == cpp.courier.back_off_min_ms);
  CHECK(c.back_off_max_ms == cpp.courier.back_off_max_ms);
  CHECK(c.retry_after_max_ms == cpp.courier.retry_after_max_ms);
  CHECK(c.resend_ms == cpp.courier.resend_ms);
  CHECK(c.idle_close_ms == cpp.courier.idle_close_ms);
  CHECK(c.refresh_ms == cpp.courier.refresh_ms);
  CHECK(c.http_idle_ms == cpp.courier.http.idle_ms);
  CHECK(c.http_total_ms == cpp.courier.http.total_ms);
  CHECK(c.can_bus == nullptr);
  CHECK(c.keep_alive == nullptr);
  wayseal_policy policy;
  REQUIRE(wayseal_policy_init(&policy, sizeof policy) == WAYSEAL_OK);
  CHECK(policy.suites == WAYSEAL_SUITES_ALL);
  CHECK(policy.session_records == kSessionRecordsMax);
  CHECK(policy.session_bytes == kSessionBytesMax);
  CHECK(policy.session_age_ms == kSessionAgeMaxMs);
}

TEST_CASE("C API: structs of another size or version are refused, and nothing is written") {
  wayseal_client_config config;
  std::memset(&config, 0xA5, sizeof config);
  const wayseal_client_config before = config;
  CHECK(wayseal_client_config_init(&config, sizeof config - 1, WAYSEAL_VERSION) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_config_init(&config, sizeof config + 8, WAYSEAL_VERSION) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_client_config_init(&config, sizeof config, WAYSEAL_VERSION_OF(0, 2, 0)) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_client_config_init(nullptr, sizeof config, WAYSEAL_VERSION) == WAYSEAL_INVALID_ARGUMENT);
  const auto bytes = [](const wayseal_client_config& of) {
    const auto* const begin = reinterpret_cast<const uint8_t*>(&of);
    return Blob(begin, begin + sizeof of);
  };
  CHECK(bytes(config) == bytes(before));
  wayseal_policy policy;
  CHECK(wayseal_policy_init(&policy, 0) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_policy_init(&policy, sizeof policy + 8) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_policy_init(nullptr, sizeof policy) == WAYSEAL_INVALID_ARGUMENT);
}

TEST_CASE("C API: a version serves itself and patches, below 1.0 no other minor one") {
  CHECK(wayseal_version() == WAYSEAL_VERSION);
  CHECK(wayseal_check_version(WAYSEAL_VERSION) == WAYSEAL_OK);
  CHECK(wayseal_check_version(WAYSEAL_VERSION_OF(0, 1, 9)) == WAYSEAL_OK);
  CHECK(wayseal_check_version(WAYSEAL_VERSION_OF(0, 0, 0)) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_check_version(WAYSEAL_VERSION_OF(0, 2, 0)) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_check_version(WAYSEAL_VERSION_OF(1, 1, 0)) == WAYSEAL_UNSUPPORTED);
}

TEST_CASE("C API: sizes are enough, and not much more") {
  CHECK(wayseal_client_size() == sizeof(Client));
  CHECK(WAYSEAL_CLIENT_SIZE >= wayseal_client_size());
  CHECK(WAYSEAL_CLIENT_SIZE < wayseal_client_size() + 256);
  CHECK(WAYSEAL_CLOUD_MEMORY >= wayseal_cloud_memory_needed());
  CHECK(WAYSEAL_CLOUD_MEMORY < wayseal_cloud_memory_needed() + wayseal_cloud_memory_needed() / 20);
  CHECK(WAYSEAL_TABLE_SIZE == sizeof(SignalTable));
}

TEST_CASE("C API: names and next steps are the library's, for any number") {
  for (int code = -1; code < 300; ++code) {
    const auto own = static_cast<Status>(code < 0 || code > 255 ? 255 : code);
    const auto failure = static_cast<ChannelFailure>(code < 0 || code > 255 ? 255 : code);
    CHECK(std::string(wayseal_status_name(code)) == status_name(own));
    CHECK(wayseal_status_next_step(code) == static_cast<wayseal_next_step>(next_step(own)));
    CHECK(std::string(wayseal_channel_failure_name(code)) == channel_failure_name(failure));
  }
}

TEST_CASE(
    "C API: a client is not made in memory that is too small or misaligned, nor of half a configuration") {
  Rig rig;
  const auto refused = [&](wayseal_status expected) {
    rig.client = reinterpret_cast<wayseal_client*>(&rig);  // must not survive a refusal
    CHECK(rig.init() == expected);
    CHECK(rig.client == nullptr);
  };
  SECTION("memory") {
    CHECK(wayseal_client_init(rig.memory.bytes, wayseal_client_size() - 1, &rig.config, &rig.client) ==
          WAYSEAL_BUFFER_TOO_SMALL);
    CHECK(wayseal_client_init(rig.memory.bytes + 4, wayseal_client_size(), &rig.config, &rig.client) ==
          WAYSEAL_INVALID_ARGUMENT);
    CHECK(wayseal_client_init(nullptr, sizeof rig.memory, &rig.config, &rig.client) ==
          WAYSEAL_INVALID_ARGUMENT);
    CHECK(wayseal_client_init(&rig.memory, sizeof rig.memory, nullptr, &rig.client) ==
          WAYSEAL_INVALID_ARGUMENT);
    CHECK(wayseal_client_init(&rig.memory, sizeof rig.memory, &rig.config, nullptr) ==
          WAYSEAL_INVALID_ARGUMENT);
    CHECK(rig.client == nullptr);
  }
  SECTION("a port or a memory is missing") {
    wayseal_client_config whole = rig.config;
    const auto spoil = [&](auto wayseal_client_config::*member) {
      rig.config = whole;
      rig.config.*member = nullptr;
      refused(WAYSEAL_INVALID_ARGUMENT);
    };
    spoil(&wayseal_client_config::can_bus);
    spoil(&wayseal_client_config::vault);
    spoil(&wayseal_client_config::verifier);
    spoil(&wayseal_client_config::channel);
    spoil(&wayseal_client_config::clock);
    spoil(&wayseal_client_config::spool);
    spoil(&wayseal_client_config::state);
    spoil(&wayseal_client_config::collector_memory);
    spoil(&wayseal_client_config::queue_memory);
    spoil(&wayseal_client_config::cloud_memory);
  }
  SECTION("size and version") {
    rig.config.size -= 8;
    refused(WAYSEAL_INVALID_ARGUMENT);
    rig.config.size += 16;
    refused(WAYSEAL_UNSUPPORTED);
    rig.config.size -= 8;
    rig.config.version = WAYSEAL_VERSION_OF(0, 0, 9);
    refused(WAYSEAL_UNSUPPORTED);
  }
  SECTION("numbers that would be cut off") {
    rig.config.rounds_per_step = 256 + 8;
    refused(WAYSEAL_INVALID_ARGUMENT);
    rig.config.rounds_per_step = 8;
    rig.config.when_full = 2;
    refused(WAYSEAL_INVALID_ARGUMENT);
    rig.config.when_full = 0;
    rig.config.prekeys_low = 256;
    refused(WAYSEAL_INVALID_ARGUMENT);
    rig.config.prekeys_low = 4;
    wayseal_policy policy;
    REQUIRE(wayseal_policy_init(&policy, sizeof policy) == WAYSEAL_OK);
    rig.config.policy = &policy;
    policy.suites = 0x103;
    refused(WAYSEAL_INVALID_ARGUMENT);
    policy.suites = 3;
    policy.size = 1;
    refused(WAYSEAL_INVALID_ARGUMENT);
  }
  SECTION("what start judges") {
    SECTION("a queue of one") { rig.config.queue_bytes = WAYSEAL_QUEUE_MEMORY(1); }
    SECTION("the cloud side's memory") { rig.config.cloud_bytes = wayseal_cloud_memory_needed() - 1; }
    SECTION("the collector's memory") { rig.config.collector_bytes = 64; }
    REQUIRE(rig.init() == WAYSEAL_OK);
    CHECK(wayseal_client_start(rig.client, rig.table) == WAYSEAL_BUFFER_TOO_SMALL);
  }
}

TEST_CASE("C API: a client takes nothing beyond what it was given") {
  Rig rig;
  constexpr uint8_t kGuard = 0xC3;
  std::memset(&rig.memory, kGuard, sizeof rig.memory);
  REQUIRE(wayseal_client_init(&rig.memory, wayseal_client_size(), &rig.config, &rig.client) == WAYSEAL_OK);
  REQUIRE(wayseal_client_start(rig.client, rig.table) == WAYSEAL_OK);
  for (size_t i = wayseal_client_size(); i < sizeof rig.memory; ++i) REQUIRE(rig.memory.bytes[i] == kGuard);
}

TEST_CASE("C API: calls before start, and null, are told apart") {
  Rig rig;
  REQUIRE(rig.init() == WAYSEAL_OK);
  char id[WAYSEAL_VEHICLE_ID_MAX + 1];
  CHECK(wayseal_client_step_bus(rig.client, 0) == WAYSEAL_BAD_STATE);
  CHECK(wayseal_client_step_cloud(rig.client, 0) == WAYSEAL_BAD_STATE);
  CHECK(wayseal_client_flush_bus(rig.client) == WAYSEAL_BAD_STATE);
  CHECK(wayseal_client_apply_filters(rig.client, nullptr, 0) == WAYSEAL_BAD_STATE);
  CHECK(wayseal_client_vehicle_id(rig.client, id, sizeof id) == WAYSEAL_BAD_STATE);
  CHECK(wayseal_client_step_bus(nullptr, 0) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_step_cloud(nullptr, 0) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_flush_bus(nullptr) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_prepare_sleep(nullptr, 0) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_apply_filters(rig.client, nullptr, 1) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_start(nullptr, rig.table) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_start(rig.client, nullptr) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_next_bus_due(rig.client, 1) == INT64_MAX);
  CHECK(wayseal_client_next_cloud_due(rig.client, 1) == INT64_MAX);
  CHECK(wayseal_client_next_bus_due(nullptr, 1) == INT64_MAX);
  CHECK(wayseal_client_next_cloud_due(nullptr, 1) == INT64_MAX);
  CHECK_FALSE(wayseal_client_bus_ended(nullptr));
  CHECK_FALSE(wayseal_client_all_delivered(nullptr));
  wayseal_client_end(nullptr);
}

TEST_CASE("C API: the watchdog's hook is called with its context, and the steps say when they are due") {
  Rig rig;
  int calls = 0;
  rig.config.keep_alive = [](void* context) { ++*static_cast<int*>(context); };
  rig.config.keep_alive_context = &calls;
  rig.start();
  CHECK(calls > 0);
  const int64_t now_ns = rig.world.clock.now().ns;
  while (wayseal_client_step_cloud(rig.client, now_ns) == WAYSEAL_WOULD_BLOCK) {
  }
  CHECK(wayseal_client_next_cloud_due(rig.client, now_ns) >= now_ns);
  CHECK(wayseal_client_next_cloud_due(rig.client, now_ns) < INT64_MAX);
  const uint8_t event[1] = {1};
  REQUIRE(wayseal_client_add_content(rig.client, WAYSEAL_CONTENT_DIAGNOSTICS, event, 1) == WAYSEAL_OK);
  CHECK(wayseal_client_next_cloud_due(rig.client, now_ns) == now_ns);
}

TEST_CASE("C API: an access token is fetched where the gateway wants one") {
  Rig rig;
  rig.world.wants_tokens = true;
  wayseal_access_token_memory memory;
  Blob room(WAYSEAL_LIMIT_ACCESS_TOKEN);
  REQUIRE(wayseal_access_token_init(&memory, "prekeys records", room.data(), room.size(),
                                    &rig.config.access_token) == WAYSEAL_OK);
  rig.start();
  const uint8_t event[1] = {1};
  REQUIRE(wayseal_client_add_content(rig.client, WAYSEAL_CONTENT_DIAGNOSTICS, event, 1) == WAYSEAL_OK);
  for (int i = 0; i < 5000 && !wayseal_client_all_delivered(rig.client); ++i) {
    const wayseal_status status = wayseal_client_step_cloud(rig.client, rig.world.clock.now().ns);
    if (status != WAYSEAL_WOULD_BLOCK) rig.world.clock.advance_ms(20);
  }
  CHECK(wayseal_client_all_delivered(rig.client));
  CHECK(rig.world.tokens_given == 1);
}

TEST_CASE("C API: an access token with bad arguments is none") {
  wayseal_access_token_memory memory;
  uint8_t room[16];
  wayseal_access_token* token = nullptr;
  const std::string longest(64, 's');
  CHECK(wayseal_access_token_init(&memory, longest.c_str(), room, sizeof room, &token) == WAYSEAL_OK);
  CHECK(token != nullptr);
  const std::string longer = longest + "s";
  CHECK(wayseal_access_token_init(&memory, longer.c_str(), room, sizeof room, &token) ==
        WAYSEAL_INVALID_ARGUMENT);
  CHECK(token == nullptr);
  CHECK(wayseal_access_token_init(&memory, "", room, sizeof room, &token) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_access_token_init(&memory, nullptr, room, sizeof room, &token) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_access_token_init(nullptr, "s", room, sizeof room, &token) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_access_token_init(&memory, "s", nullptr, 1, &token) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_access_token_init(&memory, "s", room, 0, &token) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_access_token_init(&memory, "s", room, sizeof room, nullptr) == WAYSEAL_INVALID_ARGUMENT);
}

TEST_CASE("C API: the settings reach the client: a full queue makes the bus wait, or not") {
  Rig rig;
  rig.config.batch_duration_ms = 1;
  rig.config.when_full = GENERATE(WAYSEAL_WHEN_FULL_WAIT, WAYSEAL_WHEN_FULL_DROP_AND_COUNT);
  rig.config.rounds_per_step = 1;
  rig.start();
  constexpr size_t kFrames = 2000;
  for (size_t i = 0; i < kFrames; ++i) {
    rig.bus.send(0x100, Blob(8, static_cast<uint8_t>(i * i)), static_cast<int64_t>(i) * 2 * kNsPerMs);
  }
  const auto step = [&] { return wayseal_client_step_bus(rig.client, rig.world.clock.now().ns); };
  CHECK(step() != WAYSEAL_OK);  // more waits
  CHECK(rig.bus.waiting() == kFrames - kReceiveFramesMax);
  for (size_t i = 0; i < kFrames && rig.bus.waiting() > 0; ++i) static_cast<void>(step());
  CHECK((rig.bus.waiting() > 0) == (rig.config.when_full == WAYSEAL_WHEN_FULL_WAIT));
}

TEST_CASE(
    "C API: own contents are taken as long as there is room, and only of the kinds that are a program's") {
  Rig rig;
  rig.start();
  const Blob event(wayseal_own_content_max() + 1, 'x');
  const auto add = [&](int type, size_t bytes) {
    return wayseal_client_add_content(rig.client, type, event.data(), bytes);
  };
  CHECK(add(WAYSEAL_CONTENT_DIAGNOSTICS, 0) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(add(WAYSEAL_CONTENT_DIAGNOSTICS, event.size()) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(add(1, 4) == WAYSEAL_INVALID_ARGUMENT);   // a batch
  CHECK(add(64, 4) == WAYSEAL_INVALID_ARGUMENT);  // an ack
  CHECK(add(WAYSEAL_CONTENT_DIAGNOSTICS, event.size() - 1) == WAYSEAL_OK);
  CHECK_FALSE(wayseal_client_all_delivered(rig.client));
  CHECK(add(WAYSEAL_CONTENT_VERSION_MANIFEST, 4) == WAYSEAL_OK);
  CHECK(add(WAYSEAL_CONTENT_SECURITY_EVENT, 4) == WAYSEAL_FULL);
}

TEST_CASE("C API: a policy is taken, or refused and the old one stays") {
  Rig rig;
  rig.start();
  wayseal_policy policy;
  REQUIRE(wayseal_policy_init(&policy, sizeof policy) == WAYSEAL_OK);
  policy.suites = WAYSEAL_SUITE_BIT(WAYSEAL_SUITE_P256_CMAC_KDF);
  CHECK(wayseal_client_set_policy(rig.client, &policy) == WAYSEAL_OK);
  policy.suites = 4;
  CHECK(wayseal_client_set_policy(rig.client, &policy) == WAYSEAL_UNSUPPORTED);
  policy.suites = 0x101;
  CHECK(wayseal_client_set_policy(rig.client, &policy) == WAYSEAL_INVALID_ARGUMENT);
  policy.suites = 1;
  policy.session_records = 0;
  CHECK(wayseal_client_set_policy(rig.client, &policy) == WAYSEAL_INVALID_ARGUMENT);
  policy.size += 8;
  CHECK(wayseal_client_set_policy(rig.client, &policy) == WAYSEAL_UNSUPPORTED);
  CHECK(wayseal_client_set_policy(rig.client, nullptr) == WAYSEAL_INVALID_ARGUMENT);

  const uint8_t event[1] = {1};
  REQUIRE(wayseal_client_add_content(rig.client, WAYSEAL_CONTENT_DIAGNOSTICS, event, 1) == WAYSEAL_OK);
  for (int i = 0; i < 5000 && !wayseal_client_all_delivered(rig.client); ++i) {
    const wayseal_status status = wayseal_client_step_cloud(rig.client, rig.world.clock.now().ns);
    if (status != WAYSEAL_WOULD_BLOCK) rig.world.clock.advance_ms(20);
  }
  REQUIRE(wayseal_client_all_delivered(rig.client));
  CHECK(rig.world.backend.sessions.begin()->second.suite == 2);
}

TEST_CASE("C API: stats, buses and the id are given in full or not at all") {
  Rig rig;
  rig.start();
  wayseal_client_stats stats = {};
  stats.size = sizeof stats - 1;
  CHECK(wayseal_client_get_stats(rig.client, &stats) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_get_stats(nullptr, &stats) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_client_get_stats(rig.client, nullptr) == WAYSEAL_INVALID_ARGUMENT);
  stats.size = sizeof stats + 8;  // a program of a newer header
  CHECK(wayseal_client_get_stats(rig.client, &stats) == WAYSEAL_OK);
  CHECK(stats.size == sizeof stats + 8);
  CHECK(stats.spool_capacity_bytes > 0);

  char id[WAYSEAL_VEHICLE_ID_MAX + 1];
  CHECK(wayseal_client_vehicle_id(rig.client, id, sizeof id - 1) == WAYSEAL_BUFFER_TOO_SMALL);
  REQUIRE(wayseal_client_vehicle_id(rig.client, id, sizeof id) == WAYSEAL_OK);
  CHECK(std::string(id) == rig.world.vehicle_id);

  wayseal_bus_state state = WAYSEAL_BUS_OFF;
  wayseal_bus_counters counters = {};
  CHECK(wayseal_client_get_bus(rig.client, 1, &state, &counters) == WAYSEAL_NOT_FOUND);
  rig.bus.add_error_frames(0, 9);
  rig.bus.set_state(0, BusState::kErrorPassive);
  REQUIRE(wayseal_client_step_bus(rig.client, rig.world.clock.now().ns) == WAYSEAL_OK);
  REQUIRE(wayseal_client_get_bus(rig.client, 0, &state, &counters) == WAYSEAL_OK);
  CHECK(state == WAYSEAL_BUS_ERROR_PASSIVE);
  CHECK(counters.error_frames == 9);
  CHECK(wayseal_client_get_bus(rig.client, 0, nullptr, &counters) == WAYSEAL_INVALID_ARGUMENT);
}

TEST_CASE("C API: a table is described, a damaged or misplaced one is not loaded") {
  Rig rig;
  wayseal_table_info info = {};
  info.size = sizeof info;
  REQUIRE(wayseal_table_describe(rig.table, &info) == WAYSEAL_OK);
  CHECK(info.id == test::kPlainTableId);
  CHECK(info.messages == 1);
  CHECK(info.groups == 1);
  CHECK(info.signals == 2);
  info.size = 4;
  CHECK(wayseal_table_describe(rig.table, &info) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_table_describe(nullptr, &info) == WAYSEAL_INVALID_ARGUMENT);

  wayseal_table_memory memory[2];
  wayseal_table* table = rig.table;
  auto* const odd = reinterpret_cast<wayseal_table_memory*>(memory[0].bytes + 1);
  CHECK(wayseal_table_load(odd, rig.table_bytes.data(), rig.table_bytes.size(), &table) ==
        WAYSEAL_INVALID_ARGUMENT);
  CHECK(table == nullptr);
  CHECK(wayseal_table_load(&memory[0], rig.table_bytes.data(), rig.table_bytes.size() - 1, &table) ==
        WAYSEAL_MALFORMED);
  CHECK(wayseal_table_load(&memory[0], nullptr, 0, &table) == WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_table_load(&memory[0], rig.table_bytes.data(), rig.table_bytes.size(), nullptr) ==
        WAYSEAL_INVALID_ARGUMENT);
  CHECK(wayseal_table_load_built_in(&memory[0], rig.table_bytes.data(), rig.table_bytes.size(), &table) ==
        WAYSEAL_OK);
  CHECK(table != nullptr);
}

}  // namespace wayseal::fakes
