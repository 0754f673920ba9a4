// SPDX-License-Identifier: Apache-2.0
// What the Courier does when things go well, and how it follows the protocol's states.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "unit/flow/courier_rig.hpp"

namespace wayseal {
namespace {

using fakes::Blob;
using fakes::CourierLife;
using fakes::CourierWorld;
using fakes::LineFaults;
using fakes::SeenRequest;

constexpr auto kIgnored = CertificateDates::Check::kIgnored;
constexpr auto kAgainst = CertificateDates::Check::kAgainst;

}  // namespace

TEST_CASE(
    "courier: a first start fetches prekeys and time with dates ignored, then delivers with dates judged") {
  CourierWorld world;
  CourierLife life(world);
  life.collect_records(5);
  REQUIRE(life.deliver_all());
  REQUIRE(world.requests.size() >= 2);
  CHECK(world.requests.front().path == "/v1/prekeys");
  CHECK(world.requests.front().dates == kIgnored);
  for (size_t i = 1; i < world.requests.size(); ++i) CHECK(world.requests[i].dates == kAgainst);
  CHECK(world.channel.openings() == 2);
  CHECK(world.stored.size() == 5);
  CHECK(world.repeats == 0);
  const CourierStats stats = life.courier.stats();
  CHECK(stats.retries == 0);
  CHECK(stats.last_failure == Status::kOk);
  CHECK(stats.wire_bytes > stats.payload_bytes);
  CHECK(stats.payload_bytes > 0);
}

TEST_CASE("courier: until time is trusted, nothing but prekeys is asked for") {
  CourierWorld world;
  world.tells_time = false;
  CourierLife life(world);
  life.collect_records(3);
  life.run_for(60 * 1000);
  CHECK(world.count("/v1/prekeys") > 1);
  CHECK(world.count("/v1/prekeys") == world.requests.size());
  for (const SeenRequest& request : world.requests) CHECK(request.dates == kIgnored);
  CHECK(life.waiting() + life.bus_queue.size() == 3);
  world.tells_time = true;
  CHECK(life.deliver_all(10 * 60 * 1000));
}

TEST_CASE("courier: one connection carries many uploads, and an idle one is closed") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const unsigned openings = world.channel.openings();
  for (int i = 0; i < 10; ++i) {
    life.collect_records(2);
    REQUIRE(life.deliver_all());
  }
  CHECK(world.channel.openings() == openings);
  CHECK(world.channel.is_open());
  life.run_for(16 * 1000);
  CHECK_FALSE(world.channel.is_open());
  CHECK(life.courier.resting(life.clock().now()));
  life.collect_records(1);
  CHECK_FALSE(life.run_until([] { return false; }, 100));
  CHECK(life.deliver_all());
  CHECK(world.channel.openings() == openings + 1);
}

TEST_CASE("courier: records wait a moment for company, and travel at once when there are many") {
  CourierWorld world;
  CourierConfig config;
  config.upload_bytes = 4096;
  CourierLife life(world, config);
  life.warm_up();
  const size_t before = world.requests.size();
  const int64_t start = life.clock().now().ns;
  life.collect_records(1);
  life.run_for(500);
  CHECK(world.requests.size() == before);
  REQUIRE(life.deliver_all());
  CHECK((life.clock().now().ns - start) / kNsPerMs >= 1000);
  CHECK(world.requests.size() == before + 1);

  const int64_t then = life.clock().now().ns;
  life.collect_records(30, 400);
  REQUIRE(life.deliver_all());
  CHECK((life.clock().now().ns - then) / kNsPerMs < 1000);
  for (const SeenRequest& request : world.requests) CHECK(request.body_bytes <= 4096);
}

TEST_CASE("courier: the SessionOpen comes before its records, and is not sent again once it is acknowledged") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  REQUIRE(world.requests.back().opens == 1);
  life.collect_records(4);
  REQUIRE(life.deliver_all());
  CHECK(world.requests.back().opens == 0);
  CHECK(world.requests.back().records == 4);
}

TEST_CASE("courier: after a restart the former life's records are delivered once, under a new session") {
  CourierWorld world;
  {
    CourierLife life(world);
    life.warm_up();
    world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
    life.courier.hang_up();
    life.collect_records(20);
    REQUIRE(life.sealer.prepare_sleep(after_ms(life.clock().now(), 1000)) == Status::kOk);
    CHECK(life.waiting() == 20);
  }
  world.channel.heal();
  CourierLife life(world);
  REQUIRE(life.deliver_all());
  CHECK(world.stored.size() == 21);
  CHECK(world.backend.sessions.size() == 2);
  life.collect_records(1);
  REQUIRE(life.deliver_all());
  CHECK(world.stored.size() == 22);
}

TEST_CASE("courier: a kill at any step of a delivery loses nothing and stores everything once") {
  CourierWorld world;
  int records = 0;
  for (int steps = 0; steps < 60; ++steps) {
    CourierLife life(world);
    life.collect_records(2);
    REQUIRE(life.run_until([&] { return life.bus_queue.size() == 0; }));
    REQUIRE(life.spool.sync() == Status::kOk);
    records += 2;
    for (int i = 0; i < steps; ++i) life.step();
    life.courier.hang_up();
  }
  CourierLife last(world);
  REQUIRE(last.deliver_all());
  CHECK(last.payloads(ContentType::kBatch).size() == static_cast<size_t>(records));
}

TEST_CASE("courier: prekeys are fetched again when few are left, but not over and over") {
  CourierWorld world;
  world.one_time = 2;  // fewer than the vehicle wants
  CourierLife life(world);
  life.warm_up();
  const size_t first = world.count("/v1/prekeys");
  life.run_for(59 * 60 * 1000);
  CHECK(world.count("/v1/prekeys") == first);
  life.run_for(5 * 60 * 1000);
  CHECK(world.count("/v1/prekeys") == first + 1);
}

TEST_CASE("courier: time and last-resort prekey are renewed once a day") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  const size_t first = world.count("/v1/prekeys");
  life.run_for(23LL * 60 * 60 * 1000);
  CHECK(world.count("/v1/prekeys") == first);
  life.run_for(2LL * 60 * 60 * 1000);
  CHECK(world.count("/v1/prekeys") == first + 1);
}

TEST_CASE("courier: a backend that has forgotten a session gets its SessionOpen again, and then the records") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  world.backend.sessions.clear();
  life.collect_records(3);
  REQUIRE(life.deliver_all(5 * 60 * 1000));
  CHECK(world.stored.size() == 4);
}

TEST_CASE("courier: a record that an answer does not acknowledge is sent again after a while") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  world.ignored.insert(3);
  life.collect_records(4);  // 2 to 5
  REQUIRE(life.run_until([&] { return life.waiting() == 1; }));
  const size_t requests = world.requests.size();
  life.run_for(9 * 1000);
  CHECK(world.requests.size() == requests);
  life.run_for(2 * 1000);
  CHECK(world.requests.size() == requests + 1);
  CHECK(life.courier.stats().resends == 1);
  // Ever more seldom while nothing comes of it, and without holding up what is new.
  const size_t then = world.requests.size();
  life.run_for(5 * 60 * 1000);
  CHECK(world.requests.size() <= then + 5);
  life.collect_records(1);
  REQUIRE(life.run_until([&] { return life.waiting() == 1; }, 2000));
  world.ignored.clear();
  REQUIRE(life.deliver_all(10 * 60 * 1000));
  CHECK(world.repeats == 0);
}

TEST_CASE("courier: an authentic refusal frees its session, counted as lost") {
  CourierWorld world;
  {
    CourierLife life(world);
    life.warm_up();
    life.courier.hang_up();
    world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
    life.collect_records(6);
    REQUIRE(life.spool.flush() == Status::kOk);
  }
  world.channel.heal();
  // The backend's database is gone, and with it the private half of the first session's prekey.
  for (const auto& one : world.backend.sessions) world.refused.insert(one.second.prekey_id);
  world.backend.sessions.clear();
  CourierLife life(world);
  REQUIRE(life.run_until([&] { return life.sealer.stats().refusals == 1; }, 5 * 60 * 1000));
  REQUIRE(life.deliver_all(5 * 60 * 1000));
  CHECK(life.spool.stats().refused == 6);
}

TEST_CASE("courier: what vanishes from the spool while it is being sent leaves a gap that nobody trips over") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  LineFaults faults;
  faults.write_max = 200;
  world.channel.set_faults(faults);
  life.collect_records(20, 1900);
  REQUIRE(life.run_until([&] { return life.courier.stats().uploads == 2; }));
  life.step();
  // The first piece is on its way. The medium loses a bit of a record further back.
  SpoolCursor cursor;
  SpoolEntry entry;
  while (entry.sequence < 19) REQUIRE(life.spool.next(cursor, entry) == Status::kOk);
  Blob bytes(entry.size);
  REQUIRE(life.spool.read(entry, fakes::mutable_view(bytes)) == Status::kOk);
  const std::vector<uint8_t>& image = world.spool_flash.image();
  const auto at = std::search(image.begin(), image.end(), bytes.begin(), bytes.end());
  REQUIRE(at != image.end());
  world.spool_flash.flip(static_cast<uint64_t>(at - image.begin()) + 100, 1);
  REQUIRE(life.deliver_all());
  CHECK(life.courier.stats().items_gone == 1);
  int fillers = 0;
  for (const SeenRequest& request : world.requests) fillers += request.fillers;
  CHECK(fillers == 1);
  CHECK(life.courier.stats().retries == 0);
  CHECK(life.payloads(ContentType::kBatch).size() == 20);  // of 21
  CHECK(life.spool.stats().damaged == 1);
}

TEST_CASE("courier: hanging up loses nothing and needs no patience afterwards") {
  CourierWorld world;
  CourierLife life(world);
  life.warm_up();
  world.channel.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable);
  life.courier.hang_up();
  life.collect_records(3);
  life.run_for(10 * 60 * 1000);
  CHECK(life.waiting() == 3);
  world.channel.heal();
  life.courier.hang_up();
  CHECK(life.deliver_all(2000));
}

TEST_CASE("courier: a configuration or workspace that cannot work is refused") {
  CourierWorld world;
  const auto status_with = [&](auto change) {
    CourierConfig config;
    change(config);
    CourierLife life(world, config);
    return life.courier.step(life.clock().now());
  };
  CHECK(status_with([](CourierConfig& c) { c.upload_bytes = 100; }) == Status::kInvalidArgument);
  CHECK(status_with([](CourierConfig& c) { c.upload_bytes = 256 * 1024; }) == Status::kInvalidArgument);
  CHECK(status_with([](CourierConfig& c) { c.back_off_min_ms = 0; }) == Status::kInvalidArgument);
  CHECK(status_with([](CourierConfig& c) { c.back_off_max_ms = 10; }) == Status::kInvalidArgument);
  CHECK(status_with([](CourierConfig&) {}) == Status::kWouldBlock);
  CourierLife life(world);
  Courier small({world.channel, world.vault, world.clock, life.spool, life.time, life.prekeys, life.client,
                 life.sealer, fakes::mutable_view(life.courier_workspace).first(kCourierWorkspace - 1)},
                {});
  CHECK(small.step(life.clock().now()) == Status::kInvalidArgument);
}

}  // namespace wayseal
