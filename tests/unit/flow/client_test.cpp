// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "session.pb.h"
#include "unit/flow/client_rig.hpp"

namespace wayseal::fakes {

TEST_CASE("Client: frames in, records at the backend, nothing left") {
  ClientRig rig;
  REQUIRE(rig.client.start(rig.table) == Status::kOk);
  rig.send(100);
  REQUIRE(rig.run_until([&] { return rig.client.stats().collector.samples == 200; }));
  REQUIRE(rig.run_until([&] { return rig.client.flush_bus() == Status::kOk; }));
  CHECK(rig.run_until([&] { return rig.client.all_delivered(); }));
  const ClientStats stats = rig.client.stats();
  CHECK(stats.sealer.samples_sealed == 200);
  CHECK(stats.collector.samples_dropped == 0);
  CHECK(stats.time_trusted);
  CHECK(rig.world.stored.size() == stats.sealer.records_sealed);
}

TEST_CASE("Client: what the cloud side itself has to say is sealed and delivered as well") {
  ClientRig rig;
  REQUIRE(rig.client.start(rig.table) == Status::kOk);
  REQUIRE(rig.client.own_queue().capacity() == 2);
  const Result<MutableBytes> area = rig.client.own_queue().reserve();
  REQUIRE(area.ok());
  std::memcpy(area.value().data(), "event", 5);
  REQUIRE(rig.client.own_queue().commit(ContentType::kSecurityEvent, 5, 1) == Status::kOk);
  CHECK(rig.run_until([&] { return rig.world.stored.size() == 1 && rig.client.all_delivered(); }));
  CHECK(rig.world.stored.begin()->second.type == static_cast<uint8_t>(ContentType::kSecurityEvent));
}

TEST_CASE("Client: too little memory, and steps before start, are told apart") {
  ClientRig rig(1);
  CHECK(rig.client.step_cloud(rig.world.clock.now()) == Status::kBadState);
  CHECK(rig.client.step_bus(rig.world.clock.now()) == Status::kBadState);
  CHECK(rig.client.start(rig.table) == Status::kBufferTooSmall);
}

TEST_CASE(
    "Client: a withdrawn suite ends its session, the next takes another, and nothing is lost or kept back") {
  ClientRig rig;
  std::set<uint32_t> asked_for;
  rig.world.twist = [&](const HttpRequest& request, const std::string& honest) {
    v1::SignedPrekeysRequest parts;
    v1::PrekeysRequest body;
    if (request.path == "/v1/prekeys" && parts.ParseFromString(request.body) &&
        body.ParseFromString(parts.body()))
      asked_for.insert(body.suites());
    return honest;
  };
  const auto suites_seen = [&] {
    std::vector<uint8_t> by_counter(rig.world.backend.sessions.size());
    for (const auto& one : rig.world.backend.sessions)
      by_counter.at(static_cast<size_t>(one.second.counter - 1)) = one.second.suite;
    return by_counter;
  };
  REQUIRE(rig.client.start(rig.table) == Status::kOk);
  rig.send(100);
  REQUIRE(rig.run_until([&] { return rig.client.stats().courier.uploads_acked > 0; }));
  CHECK(suites_seen() == std::vector<uint8_t>{1});
  CHECK(asked_for == std::set<uint32_t>{3});

  CryptoPolicy policy;
  policy.suites = {4};
  CHECK(rig.client.set_policy(policy) == Status::kUnsupported);
  policy.suites = {2};
  policy.limits.records = 0;
  CHECK(rig.client.set_policy(policy) == Status::kInvalidArgument);
  rig.send(100);
  REQUIRE(rig.run_until([&] { return rig.client.stats().collector.samples == 400; }));
  CHECK(rig.client.stats().sealer.sessions_opened == 1);  // both were refused: the old one goes on

  asked_for.clear();
  policy.limits = {};
  REQUIRE(rig.client.set_policy(policy) == Status::kOk);
  rig.send(100);
  REQUIRE(rig.run_until([&] { return rig.client.stats().collector.samples == 600; }));
  REQUIRE(rig.client.flush_bus() == Status::kOk);
  REQUIRE(rig.run_until([&] { return rig.client.all_delivered(); }));
  CHECK(suites_seen() == std::vector<uint8_t>{1, 2});
  const ClientStats stats = rig.client.stats();
  CHECK(stats.sealer.samples_sealed == 600);
  CHECK(stats.spool.refused + stats.spool.evicted == 0);
  CHECK(rig.world.stored.size() == stats.sealer.records_sealed);
  rig.world.clock.advance_ms(kMsPerDay);  // prekeys are fetched once a day in any case
  REQUIRE(rig.run_until([&] { return !asked_for.empty(); }));
  CHECK(asked_for == std::set<uint32_t>{2});
}

TEST_CASE("Client: prekeys without a suite that the policy allows make it wait and ask, not lose") {
  ClientRig rig;
  bool offers_suite_2 = false;
  rig.world.one_time = 2;
  rig.world.prekey_suites = [&] { return offers_suite_2 ? 3U : 1U; };
  CryptoPolicy policy;
  policy.suites = {2};
  REQUIRE(rig.client.set_policy(policy) == Status::kOk);  // before start as well
  REQUIRE(rig.client.start(rig.table) == Status::kOk);
  rig.send(40);  // as much as the queue holds
  REQUIRE(rig.run_until([&] { return rig.client.stats().courier.prekey_fetches > 3; }));
  CHECK(rig.client.stats().sealer.sessions_opened == 0);
  CHECK(rig.client.stats().collector.samples_dropped == 0);
  offers_suite_2 = true;
  REQUIRE(rig.run_until([&] { return rig.client.stats().collector.samples == 80; }));
  REQUIRE(rig.client.flush_bus() == Status::kOk);
  REQUIRE(rig.run_until([&] { return rig.client.all_delivered(); }));
  CHECK(rig.client.stats().sealer.samples_sealed == 80);
  CHECK(rig.world.backend.sessions.begin()->second.suite == 2);
}

TEST_CASE("invariant 9: the bus side never waits (while the token is busy, a thousand frames are read)") {
  using Clock = std::chrono::steady_clock;
  ClientRig rig;
  REQUIRE(rig.client.start(rig.table) == Status::kOk);
  rig.send(50);
  REQUIRE(rig.run_until([&] { return rig.client.stats().courier.uploads_acked > 0; }));

  std::atomic<int> taken{0};
  std::atomic<bool> stop{false};
  bool bus_stood_still = false;
  rig.world.vault.on_call([&](VaultCall) {
    const int before = taken;
    const auto end = Clock::now() + std::chrono::seconds(10);
    while (taken < before + 1000 && !bus_stood_still) {
      bus_stood_still = Clock::now() > end;
      std::this_thread::yield();
    }
  });
  std::thread bus_thread([&] {
    while (!stop) {
      rig.send(32);
      static_cast<void>(rig.client.step_bus({static_cast<int64_t>(rig.sent) * kNsPerMs}));
      taken += 32;
    }
  });
  const uint64_t sealed = rig.client.stats().sealer.records_sealed;
  const auto end = Clock::now() + std::chrono::seconds(30);
  while (rig.client.stats().sealer.records_sealed < sealed + 5 && Clock::now() < end) {
    static_cast<void>(rig.client.step_cloud(rig.world.clock.now()));
  }
  stop = true;
  bus_thread.join();
  rig.world.vault.on_call([](VaultCall) {});  // the client still closes its session
  CHECK_FALSE(bus_stood_still);
  CHECK(rig.client.stats().sealer.records_sealed >= sealed + 5);
  CHECK(rig.bus.counters(0).frames_dropped == 0);
}

}  // namespace wayseal::fakes
